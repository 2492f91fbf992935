"""Reader of a plain manifest: a CSV that lists audio files with what is known about each."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.corpora.base import GIVEN, SEXES, SPLITS, Corpus, CorpusError, LeftOut, Reader, clip_frame, clip_row
from analysis.labels import leading_label, split_labels

MANIFEST_NAME = "manifest.csv"
COLUMNS = ("clip_id", "path", "speaker", "sex", "language", "transcript", "labels", "votes", "session", "split", "licence")


def read(path: Path, annotation: str = GIVEN) -> Corpus:
    """The corpus described by a manifest; ``path`` is the CSV or the folder that holds ``manifest.csv``.

    Columns: ``path`` (absolute or relative to the manifest) is needed; ``speaker, sex, language, transcript, clip_id, licence``,
    ``session`` and ``split`` (train, development or test) are optional, and so are ``labels`` (names joined by ``|``) and
    ``votes`` (``anger:3|neutral:2``). A clip's ``emotion`` is its only label, else the label with most votes when one leads, else
    empty. The options are all names that occur, sorted.
    Without ``clip_id`` the file's stem is the id, or its relative path where stems repeat.

    Rows that cannot be used are left out with a reason. Raises CorpusError when there is no manifest, it has no rows or no
    column ``path``, or none of its rows can be used.
    """
    file = path / MANIFEST_NAME if path.is_dir() else path
    table = _read_table(file)
    short = len({Path(name).stem for name in table["path"]}) == table["path"].nunique()
    rows: list[dict[str, Any]] = []
    left_out: list[LeftOut] = []
    ids: set[str] = set()
    for record in table.to_dict("records"):
        name = record["path"]
        try:
            row = _clip(record, file.parent, short)
            if row["clip_id"] in ids:
                raise ValueError(f"the clip id {row['clip_id']} occurs before")
        except ValueError as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        ids.add(row["clip_id"])
        rows.append(row)
    if not rows:
        raise CorpusError(f"None of the {len(table)} rows of {file} can be used; the first: {left_out[0].reason}.")
    emotions = {name for row in rows for name in row.pop("names")}
    languages = sorted({row["language"] for row in rows} - {""})
    return Corpus(
        name_hint=file.parent.resolve().name if file.name == MANIFEST_NAME else file.stem,
        language=languages[0] if len(languages) == 1 else "",
        emotions=tuple(sorted(emotions)),
        clips=clip_frame(rows),
        left_out=left_out,
    )


def _read_table(file: Path) -> pd.DataFrame:
    if not file.is_file():
        raise CorpusError(f"There is no manifest at {file}; expected is a CSV with a column 'path'.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # of rows with more cells than the header
            table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig", index_col=False)
    except pd.errors.EmptyDataError:
        raise CorpusError(f"The manifest {file} is empty.") from None
    except (pd.errors.ParserError, pd.errors.ParserWarning, UnicodeDecodeError) as error:
        raise CorpusError(f"The manifest {file} is not a CSV in UTF-8: {error}") from error
    if "path" not in table.columns:
        raise CorpusError(f"The manifest {file} has no column 'path'; its columns are {', '.join(map(str, table.columns))}.")
    if table.empty:
        raise CorpusError(f"The manifest {file} has a header and no rows.")
    return table.reindex(columns=list(COLUMNS), fill_value="").apply(lambda column: column.str.strip())


def _clip(record: dict[str, str], folder: Path, short: bool) -> dict[str, Any]:
    """One row of the clips frame, with its label ``names``; ValueError says why a row cannot be used."""
    if not record["path"]:
        raise ValueError("the row has no path")
    audio = Path(record["path"])
    if not (folder / audio).is_file():
        raise ValueError(f"there is no audio file at {folder / audio}")
    if record["split"] not in ("", *SPLITS):
        raise ValueError(f"the split '{record['split']}' is not one of {', '.join(SPLITS)} or empty")
    sex = SEXES.get(record["sex"].lower())
    if sex is None:
        raise ValueError(f"the sex '{record['sex']}' is not one of female, male, F, M or empty")
    labels, votes = split_labels(record["labels"]), parse_votes(record["votes"])
    consensus = leading_label(dict.fromkeys(labels, 1) if labels else votes)
    row = clip_row(
        record["clip_id"] or (audio.stem if short else audio.with_suffix("").as_posix()),
        folder / audio,
        speaker=record["speaker"],
        sex=sex,
        language=record["language"],
        transcript=record["transcript"],
        emotion=consensus,
        votes=votes,
        annotation=GIVEN,
        session=record["session"],
        splits={"1": record["split"]} if record["split"] else {},
        licence_note=record["licence"],
    )
    return row | {"names": (*labels, *votes)}


def parse_votes(text: str) -> dict[str, int]:
    """Counts from ``label:count`` pairs joined by ``|``; ValueError for anything else.

    >>> parse_votes("anger:3|neutral:2")
    {'anger': 3, 'neutral': 2}
    >>> parse_votes("")
    {}
    """
    votes: dict[str, int] = {}
    for part in split_labels(text):
        name, _, count = part.rpartition(":")
        if not name.strip() or not count.strip().isdecimal() or name.strip() in votes:
            raise ValueError(f"the votes '{text}' are not of the form anger:3|neutral:2")
        votes[name.strip()] = int(count)
    return votes


def _recognise(path: Path) -> bool:
    file = path / MANIFEST_NAME
    if not file.is_file():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return "path" in lines.readline().strip().split(",")


READER = Reader(
    title="a manifest",
    layout="A manifest is a CSV, or a folder with a manifest.csv, whose column 'path' lists the audio files.",
    recognise=_recognise,
    read=read,
    annotations=(GIVEN,),
)
