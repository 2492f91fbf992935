"""Result files of webMUSHRA (github.com/audiolabs/webMUSHRA): ``mushra.csv``, and ``lss.csv`` / ``lms.csv`` of Likert pages."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.formats import Hints, Imported, mark_repeats, read_table
from analysis.schema import SchemaError, validate_ratings

#: What webMUSHRA calls the hidden reference; the yardstick of such a file unless another is named.
REFERENCE = "reference"
_SCORES = {"rating_stimulus": "rating_score", "stimuli": "stimuli_rating"}
_OTHER = {"choice_answer": "paired comparisons", "rating_reference_score": "BS.1116 pairs"}


def read(path: Path, hints: Hints) -> Imported:
    """Scores 0 to 100 on scale ``mushra``, or votes of Likert pages on scale ``quality``.

    A page (``trial_id``) is a clip, a stimulus on it a condition. A sitting is told by ``session_uuid``; where that is missing, by
    what the participant filled in, which may be a name or an address: raters are therefore numbered, and what was filled in
    is not kept. A page rated twice in one sitting counts once. Raises SchemaError for other pages' files.
    """
    table = read_table(path)
    other = [name for column, name in _OTHER.items() if column in table.columns]
    if other:
        raise SchemaError(f"{path.name} holds {other[0]}; of webMUSHRA's files mushra.csv, lss.csv and lms.csv can be read.")
    stimulus = next((name for name, score in _SCORES.items() if {name, score, "trial_id"} <= set(table.columns)), None)
    if stimulus is None:
        raise SchemaError(
            f"{path.name} is no result file of webMUSHRA: it needs trial_id with rating_stimulus and rating_score, or with "
            "stimuli and stimuli_rating."
        )
    rater, notes = _raters(table)
    condition = table[stimulus]
    frame = pd.DataFrame(
        {
            "rater_id": rater,
            "stimulus_id": table["trial_id"] + "__" + condition,
            "clip_id": table["trial_id"],
            "condition": condition,
            "scale": "mushra" if stimulus == "rating_stimulus" else "quality",
            "value": table[_SCORES[stimulus]],
            "labels": "",
            "role": condition.map(lambda name: _role(name)),
            "session_id": rater,
            "excluded": "",
        }
    )
    return Imported(validate_ratings(mark_repeats(frame)), tuple(notes))


def _raters(table: pd.DataFrame) -> tuple[pd.Series, list[str]]:
    columns = list(table.columns)
    if "session_uuid" in columns and (table["session_uuid"] != "").all():
        keys = table["session_uuid"]
        notes: list[str] = []
    else:
        told = [name for name in columns[: columns.index("trial_id")] if name not in ("session_test_id", "session_uuid")]
        keys = table[told].agg("\x1f".join, axis=1) if told else pd.Series("", table.index)
        if keys.nunique() < 2:
            return pd.Series("", table.index), ["The file does not tell its raters apart: there is no session_uuid."]
        notes = [
            f"Without session_uuid, raters are told apart by {', '.join(told)}: people who filled in the same are one rater."
        ]
    codes, _ = pd.factorize(keys, sort=True)
    return pd.Series([f"r{code + 1:04d}" for code in codes], table.index), notes


def _role(name: str) -> str:
    """The role of a stimulus by the name that webMUSHRA gives it.

    >>> _role("reference"), _role("anchor35"), _role("C1")
    ('reference', 'anchor', 'test')
    """
    return REFERENCE if name == REFERENCE else "anchor" if name.startswith("anchor") else "test"
