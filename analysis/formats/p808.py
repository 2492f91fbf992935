"""Files of the P.808 toolkit (github.com/microsoft/P.808): votes per worker, votes per clip, or a batch's raw answers.

Columns as its ``result_parser.py`` writes and reads them; capitals do not matter. Our exports in these columns are read back.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from analysis.formats import Hints, Imported, read_table
from analysis.formats.tidy import ALL, fill_gaps
from analysis.schema import SchemaError

#: The toolkit's names of scores -> our scales.
SCALES = {
    "MOS": "quality",
    "DMOS": "dcr",
    "CMOS": "ccr",
    "MOS_SIG": "p835_sig",
    "MOS_BAK": "p835_bak",
    "MOS_OVRL": "p835_ovrl",
    "MOS_NOISE": "noise",
    "MOS_COL": "coloration",
    "MOS_LOUD": "loudness",
    "MOS_DISC": "discontinuity",
    "MOS_REVERB": "reverb",
    "MOS_ECHO": "echo",
    "MOS_OTHER": "other",
}
_WORKER = {
    "hitid", "workerid", "assignment_id", "creation_time", "assignmentstatus", "requesterannotation", "file", "short_file_name",
    "vote", "question_type", "unknown",
}  # fmt: skip
_CLIP = {"file_url", "n", "short_file_name", "n_silent", "is_silent_percentage", "unknown"}
_URL = re.compile(r"answer\.(q\d+)_url")
_TRAP, _GOLD = re.compile(r"input\.tp(_|$)|input\.trapping"), re.compile(r"input\.gold")
_DONE = {"", "approved", "submitted"}


def read(path: Path, hints: Hints) -> Imported:
    """Votes of whichever of the three files this is; see the module. Raises SchemaError when it is none of them.

    The condition comes from the file's own key columns, else from the groups of ``hints.pattern`` in the file name (group
    ``clip`` names the clip). Gold and trapping questions of raw answers are kept with their role and count for nothing.
    """
    table = read_table(path)
    table.columns = [name.strip().lower() for name in table.columns]
    names = set(table.columns)
    if {"workerid", "file", "vote"} <= names:
        frame = _per_worker(table)
    elif "file_url" in names and any(name.startswith("vote_") for name in names):
        frame = _per_clip(table)
    elif "workerid" in names and any(map(_URL.fullmatch, names)):
        frame = _raw(table)
    else:
        raise SchemaError(
            f"{path.name} is none of the P.808 toolkit's files: votes per worker (workerid, file, vote), votes per clip "
            "(file_url, vote_1 …) or raw answers (WorkerId, Answer.q1_url …)."
        )
    return fill_gaps(_located(frame, hints), path.name)


def _per_worker(table: pd.DataFrame) -> pd.DataFrame:
    kind = table["question_type"].str.upper() if "question_type" in table else pd.Series("MOS", table.index)
    frame = pd.DataFrame({"rater_id": table["workerid"], "file": table["file"], "value": table["vote"]})
    frame["scale"] = kind.map(lambda name: SCALES.get(name, name.lower()))
    frame["session_id"] = table["assignment_id"] if "assignment_id" in table else table.get("hitid", "")
    if "assignmentstatus" in table:
        refused = ~table["assignmentstatus"].str.lower().isin(_DONE)
        frame["excluded"] = ("assignment " + table["assignmentstatus"].str.lower()).where(refused, "")
    return _with_keys(frame, table, _WORKER)


def _per_clip(table: pd.DataFrame) -> pd.DataFrame:
    votes = [name for name in table.columns if re.fullmatch(r"vote_\d+", name)]
    score = next((name.upper() for name in table.columns if name.upper() in SCALES), "MOS")
    other = {name for name in table.columns if name.startswith(("std", "95%ci", "mos", "dmos", "cmos"))}
    base = _with_keys(pd.DataFrame({"file": table["file_url"]}), table, _CLIP | other | set(votes))
    long = pd.concat([base.assign(value=table[name]) for name in votes], ignore_index=True)
    return long[long["value"] != ""].assign(scale=SCALES[score], rater_id="").reset_index(drop=True)


def _raw(table: pd.DataFrame) -> pd.DataFrame:
    checks = {
        role: [name for name in table.columns if pattern.match(name) and "ans" not in name]
        for role, pattern in (("trap", _TRAP), ("gold", _GOLD))
    }
    parts = []
    for question in [match[1] for name in table.columns if (match := _URL.fullmatch(name))]:
        url = table[f"answer.{question}_url"]
        role = pd.Series("", table.index)
        for name, columns in checks.items():
            for column in columns:
                role = role.mask((url == table[column]) & (url != ""), name)
        answers = re.compile(rf"answer\.{question}(?:_(?!url$)([a-z]+))?")
        for column in table.columns:
            match = answers.fullmatch(column)
            if match is None or not pd.to_numeric(table[column], errors="coerce").notna().any():
                continue
            key = f"MOS_{match[1].upper()}" if match[1] else "MOS"
            part = pd.DataFrame({"rater_id": table["workerid"], "file": url, "value": table[column], "role": role})
            part["scale"] = SCALES.get(key, (match[1] or "quality").lower())
            part["session_id"] = table.get("assignmentid", "")
            if "assignmentstatus" in table:
                refused = ~table["assignmentstatus"].str.lower().isin(_DONE)
                part["excluded"] = ("assignment " + table["assignmentstatus"].str.lower()).where(refused, "")
            parts.append(part)
    if not parts:
        raise SchemaError("The raw answers hold no vote: no column like Answer.q1 or Answer.q1_ovrl has a number.")
    frame = pd.concat(parts, ignore_index=True)
    return frame[(frame["value"] != "") & (frame["file"] != "")].reset_index(drop=True)


def _with_keys(frame: pd.DataFrame, table: pd.DataFrame, known: set[str]) -> pd.DataFrame:
    """The toolkit writes one column per part of a condition's name, under names of the researcher's choice."""
    keys = [name for name in table.columns if name not in known]
    if "clip_id" in keys:
        frame["clip_id"] = table["clip_id"]
        keys.remove("clip_id")
    if "condition" in keys:
        keys = ["condition"]
    if keys:
        frame["condition"] = table[keys].agg("_".join, axis=1)
    return frame


def _located(frame: pd.DataFrame, hints: Hints) -> pd.DataFrame:
    """File names as stimuli, clips and, by the pattern, conditions."""
    short = frame["file"].str.rsplit("/", n=1).str[-1]
    if hints.pattern:
        found = short.str.extract(re.compile(hints.pattern))
        if "condition" in found and "condition" not in frame:
            frame["condition"] = found["condition"].fillna(ALL)
        if "clip" in found:
            frame["clip_id"] = found["clip"].fillna(short)
    return frame.assign(stimulus_id=frame["file"]).drop(columns="file")
