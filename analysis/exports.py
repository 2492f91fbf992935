"""Ratings in the forms that referees and other tools read: tidy, sureal, P.808 toolkit and a Frictionless data package.

Every form is made from the tidy frame of `analysis.schema`; raters keep the random names they have there. What machines made of the
same stimuli goes along as tables of its own: the scores, and what each measure is.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from math import inf, nan

import pandas as pd

from analysis.formats.p808 import SCALES as TOOLKIT_SCALES
from analysis.objective import MEASURES as REGISTRY
from analysis.objective import get_measure
from analysis.schema import CHECK_ROLES, OPTIONAL, REQUIRED, SchemaError

#: Form -> the ending of its file.
EXPORTS: Mapping[str, str] = {"tidy": ".csv", "parquet": ".parquet", "sureal": ".json", "p808": ".csv", "datapackage": ".zip"}
#: Column -> type (of Frictionless tables) and what stands in it.
DICTIONARY: Mapping[str, tuple[str, str]] = {
    "rater_id": ("string", "Random name of the rater; empty where unknown. Never the id of a recruitment platform."),
    "stimulus_id": ("string", "Audio file that was heard: one clip in one condition."),
    "clip_id": ("string", "Original recording that the stimulus was made from."),
    "condition": ("string", "Processing that was applied, by its short name."),
    "scale": ("string", "What was asked, by its short name."),
    "value": ("number", "The vote, on scales of numbers; empty on scales of labels."),
    "labels": ("string", "The labels chosen, joined by |, on scales of labels; else empty."),
    "stratum": ("string", "Group of raters that the design balances, such as female or male."),
    "session_id": ("string", "Sitting of a rater."),
    "trial": ("integer", "Position of the stimulus in the sitting, counted from 1."),
    "submitted_at": ("string", "When the answer reached the server (ISO 8601, UTC)."),
    "simulated": ("boolean", "1 where the rater is a simulation, 0 where a person."),
    "role": ("string", "Part of the stimulus: test, reference, anchor, gold, trap or training."),
    "excluded": ("string", "Why the rating must not be used; empty where it counts."),
    "panel": ("string", "2 for a second, independent panel of the same recordings."),
    "speaker": ("string", "Who speaks in the clip."),
    "speaker_sex": ("string", "Sex of the speaker: female, male or empty."),
    "expected": ("string", "The right answer to a check item."),
    "heard_share": ("number", "Share of the clip that was heard before the answer, 0 to 1."),
    "seconds": ("number", "Time from the first sound to the answer."),
}
#: The same for scores; every column is always there.
SCORES: Mapping[str, tuple[str, str]] = {
    "stimulus_id": ("string", "Audio file that was measured, as in the ratings."),
    "clip_id": ("string", "Original recording that the stimulus was made from."),
    "condition": ("string", "Processing that was applied, by its short name."),
    "measure": ("string", "Signal measure, by its short name; the table of measures says what it is."),
    "score": ("number", "Its value; empty where it has none."),
    "reason": ("string", "Why the measure has no value here; empty where it has one."),
    "version": ("string", "Revision of the measure and the packages that decide its value."),
}
#: The same for measures.
MEASURES: Mapping[str, tuple[str, str]] = {
    "measure": ("string", "Short name of the measure."),
    "label": ("string", "Its name."),
    "unit": ("string", "Unit of its values; empty where they have none."),
    "minimum": ("number", "Lower end of its range; empty where there is none."),
    "maximum": ("number", "Upper end of its range; empty where there is none."),
    "best": ("string", "Which end is good: higher, lower or neither."),
    "source": ("string", "Standard or paper that defines it."),
}
_TABLES = {"ratings": DICTIONARY, "scores": SCORES, "measures": MEASURES}
_EPOCH = (1980, 1, 1, 0, 0, 0)


def export(
    ratings: pd.DataFrame,
    form: str,
    *,
    name: str = "ratings",
    scale: str = "",
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> bytes:
    """The bytes of a file in ``form``, one of `EXPORTS`; the same ratings give the same bytes.

    ``tidy`` and ``parquet`` hold every row and column; so does ``datapackage``, with the data dictionary, ``tables`` (name -> frame,
    such as the conditions and the scores) and the dictionary as a table of its own. ``sureal`` and ``p808`` hold the votes that
    count, on numeric scales; ``sureal`` one ``scale``, by default the first. Raises SchemaError with a sentence for an unknown form
    or scale, and where nothing is left to write.

    >>> frame = pd.DataFrame([dict(rater_id="r1", stimulus_id="c__x", clip_id="c", condition="x", scale="ovrl", value=4, labels="")])
    >>> json.loads(export(frame, "sureal"))["dis_videos"][0]["os"]
    {'r1': 4.0}
    """
    if form not in EXPORTS:
        raise SchemaError(f"There is no export '{form}'; the exports are {', '.join(EXPORTS)}.")
    if form == "tidy":
        return _csv(ratings)
    if form == "parquet":
        return _parquet(ratings)
    if form == "datapackage":
        return _package(ratings, name, tables or {})
    votes = _votes(ratings)
    return _p808(votes) if form == "p808" else _sureal(votes, name, scale)


def dictionary() -> pd.DataFrame:
    """The data dictionary: one row per column of the ratings, the scores and the measures."""
    rows = [
        (table, column, *meaning, "no" if table == "ratings" and column in OPTIONAL else "yes")
        for table, columns in _TABLES.items()
        for column, meaning in columns.items()
    ]
    return pd.DataFrame(rows, columns=["table", "column", "type", "description", "always_there"])


def measures_table(keys: Iterable[str]) -> pd.DataFrame:
    """What the measures of ``keys`` are: one row each, in the order of the registry, with the columns `MEASURES`.

    >>> measures_table(["si_sdr"])[["label", "unit", "maximum", "best"]].values.tolist()
    [['SI-SDR', 'dB', 100.0, 'higher']]
    """
    wanted = set(keys)
    measures = {key: get_measure(key) for key in REGISTRY if key in wanted}
    rows = [(key, *(getattr(one, name) for name in MEASURES if name != "measure")) for key, one in measures.items()]
    table = pd.DataFrame(rows, columns=list(MEASURES))
    return table.astype({"minimum": float, "maximum": float}).replace([inf, -inf], nan)


def _votes(ratings: pd.DataFrame) -> pd.DataFrame:
    """Votes that count, on numeric scales."""
    frame = ratings.assign(value=pd.to_numeric(ratings["value"], errors="coerce"))
    for name in ("excluded", "role", "session_id"):
        frame[name] = frame[name].fillna("").astype(str) if name in frame else ""
    frame = frame[frame["value"].notna() & (frame["excluded"] == "") & ~frame["role"].isin(CHECK_ROLES)]
    if frame.empty:
        raise SchemaError("There is no vote to export: no rating with a number counts.")
    return frame.sort_values(["scale", "stimulus_id", "rater_id"], kind="stable", ignore_index=True)


def _sureal(votes: pd.DataFrame, name: str, scale: str) -> bytes:
    """The dataset form of sureal (github.com/Netflix/sureal): contents are clips, assets are stimuli, ``os`` votes by rater."""
    scales = list(votes["scale"].unique())
    if scale and scale not in scales:
        raise SchemaError(f"No vote is on the scale '{scale}'; the scales are {', '.join(scales)}.")
    chosen = votes[votes["scale"] == (scale or scales[0])]
    if (chosen["rater_id"] == "").any():
        raise SchemaError("sureal needs to know who voted, and these ratings do not name all their raters.")
    clips = {clip: number for number, clip in enumerate(sorted(chosen["clip_id"].unique()))}
    assets = []
    for number, (stimulus, group) in enumerate(chosen.groupby("stimulus_id", sort=True)):
        first = group.iloc[0]
        assets.append(
            {
                "asset_id": number,
                "content_id": clips[first["clip_id"]],
                "content_name": str(first["clip_id"]),
                "condition": str(first["condition"]),
                "path": str(stimulus),
                "os": {str(rater): float(value) for rater, value in zip(group["rater_id"], group["value"], strict=True)},
            }
        )
    references = [{"content_id": number, "content_name": clip, "path": clip} for clip, number in clips.items()]
    dataset = {"dataset_name": f"{name}_{scale or scales[0]}", "ref_videos": references, "dis_videos": assets}
    return _json(dataset)


def _p808(votes: pd.DataFrame) -> bytes:
    """The toolkit's votes per worker (github.com/microsoft/P.808), with the clip and the condition as key columns."""
    names = {ours: theirs for theirs, ours in TOOLKIT_SCALES.items()}
    table = pd.DataFrame(
        {
            "HITId": votes["session_id"],
            "workerid": votes["rater_id"],
            "assignment_id": votes["session_id"],
            "assignmentstatus": "Approved",
            "file": votes["stimulus_id"],
            "short_file_name": votes["stimulus_id"],
            "vote": [f"{value:g}" for value in votes["value"]],
            "question_type": votes["scale"].map(lambda scale: names.get(scale, scale.upper())),
            "clip_id": votes["clip_id"],
            "condition": votes["condition"],
        }
    )
    return _csv(table)


def _package(ratings: pd.DataFrame, name: str, tables: Mapping[str, pd.DataFrame]) -> bytes:
    """A Frictionless data package (specs.frictionlessdata.io, version 1) in a zip file."""
    known = [column for column in (*REQUIRED, *OPTIONAL) if column in ratings.columns]
    fields = _fields("ratings", ratings[known])
    for field in fields:
        if field["type"] == "boolean":
            field |= {"trueValues": ["1"], "falseValues": ["0"]}
    frame = ratings[known]
    if "simulated" in frame:
        frame = frame.assign(simulated=frame["simulated"].astype(int))
    files = {"data/ratings.csv": _csv(frame), "data/dictionary.csv": _csv(dictionary())}
    files |= {f"data/{key}.csv": _csv(table) for key, table in tables.items()}
    resources = [_resource("ratings", files, {"fields": fields, "missingValues": [""]})]
    others = {"dictionary": dictionary(), **tables}
    resources += [
        _resource(key, files, {"fields": _fields(key, table), "missingValues": [""]}) for key, table in others.items()
    ]
    description = (
        "Ratings of a listening test, one row per rater, stimulus and scale. Rows with a reason in 'excluded' do not count."
    )
    package = {"profile": "tabular-data-package", "name": name.lower(), "description": description, "resources": resources}
    files = {"datapackage.json": _json(package), **files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            archive.writestr(zipfile.ZipInfo(path, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _resource(name: str, files: Mapping[str, bytes], schema: Mapping[str, object]) -> dict[str, object]:
    path = f"data/{name}.csv"
    content = files[path]
    return {
        "profile": "tabular-data-resource",
        "name": name,
        "path": path,
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": dict(schema),
    }


def _fields(name: str, table: pd.DataFrame) -> list[dict[str, object]]:
    """The Frictionless fields of a table, with what the dictionary says of them."""
    said = _TABLES.get(name, {})
    return [
        {"name": column, "type": said[column][0], "description": said[column][1]}
        if column in said
        else {"name": str(column), "type": _kind(table[column])}
        for column in table
    ]


def _kind(column: pd.Series) -> str:
    """The Frictionless type of a column."""
    return "integer" if pd.api.types.is_integer_dtype(column) else "number" if pd.api.types.is_float_dtype(column) else "string"


def _csv(frame: pd.DataFrame) -> bytes:
    return bytes(frame.to_csv(index=False, lineterminator="\n"), "utf-8")


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _json(content: object) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode()
