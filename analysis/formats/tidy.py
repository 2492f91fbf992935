"""Our own tidy file, and any other file with one rating in a row whose columns have been named."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.formats import Hints, Imported, mark_repeats, read_table
from analysis.schema import OPTIONAL, REQUIRED, SchemaError, read_ratings, validate_ratings

#: The condition of all ratings in a file that knows none.
ALL = "all"
#: The scale of the votes of a file that does not name one.
DEFAULT_SCALE = "quality"
EMOTION = "emotion"
#: The label of a rating that chose none of the labels on offer.
NOTHING = "none"
_EMPTY = ("rater_id", "value", "labels")


def read(path: Path, hints: Hints) -> Imported:
    """The file as it is; or, with ``hints.columns``, its columns under our names and the gaps filled, each with a note.

    Without a condition all ratings are of one; without a stimulus a stimulus is a clip in a condition; without a clip it is the
    stimulus; without a scale the votes are on ``quality``. Repeated votes count once. Raises SchemaError for an absent column.
    """
    if not hints.columns:
        return Imported(read_ratings(path))
    table = read_table(path)
    labels, keep = hints.labels or {}, hints.keep or {}
    unknown = [name for name in hints.columns if name not in (*REQUIRED, *OPTIONAL)]
    absent = [name for name in (*hints.columns.values(), *labels, *keep) if name not in table.columns]
    if unknown:
        raise SchemaError(f"'{unknown[0]}' is no column of ours; they are {', '.join((*REQUIRED, *OPTIONAL))}.")
    if absent:
        raise SchemaError(f"{path.name} has no column '{absent[0]}'; it has {', '.join(table.columns)}.")
    frame = pd.DataFrame({ours: table[theirs] for ours, theirs in hints.columns.items()})
    for name in set(table.columns) & set(OPTIONAL) - set(frame.columns):
        frame[name] = table[name]
    frame["excluded"] = frame.get("excluded", "")
    for column, value in keep.items():
        frame["excluded"] = frame["excluded"].mask(table[column] != value, f"{column} is not {value}")
    notes: list[str] = []
    if labels:
        frame, notes = _with_labels(frame, table, labels)
    imported = fill_gaps(frame, path.name)
    return Imported(imported.ratings, (*notes, *imported.notes))


def _with_labels(frame: pd.DataFrame, table: pd.DataFrame, labels: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """Label sets from columns that hold one label each: with raters what is above 0 was chosen, without raters cells count votes."""
    cells = table[list(labels)].apply(pd.to_numeric, errors="coerce").fillna(0.0).to_numpy()
    names = np.array(list(labels.values()), dtype=object)
    frame = frame.assign(scale=frame.get("scale", EMOTION), value="")
    if "rater_id" in frame:
        frame["labels"] = ["|".join(names[row]) or NOTHING for row in cells > 0]
        n = int((frame["labels"] == NOTHING).sum())
        return frame, [f"{n} ratings chose no label; they stand as the label '{NOTHING}'."] if n else []
    row, column = np.nonzero(cells > 0)
    votes = np.repeat(np.arange(len(row)), cells[row, column].astype(int))
    frame = frame.iloc[row[votes]].assign(labels=names[column[votes]], rater_id="").reset_index(drop=True)
    return frame, ["Each count was read as that many raters who chose one label."]


def fill_gaps(frame: pd.DataFrame, name: str) -> Imported:
    """A frame that may lack columns, with each gap filled and said."""
    notes = []
    frame = frame.copy()
    if "condition" not in frame:
        frame["condition"] = ALL
        notes.append(f"{name} does not say which condition a stimulus is; all ratings are taken as one condition.")
    if "stimulus_id" not in frame and "clip_id" not in frame:
        raise SchemaError(f"{name} needs a column for stimulus_id or for clip_id.")
    if "clip_id" not in frame:
        frame["clip_id"] = frame["stimulus_id"]
        notes.append(f"{name} does not say which stimuli are of the same clip; each stimulus is taken as a clip of its own.")
    if "stimulus_id" not in frame:
        frame["stimulus_id"] = frame["clip_id"] + "__" + frame["condition"]
    if "scale" not in frame:
        frame["scale"] = DEFAULT_SCALE
        notes.append(f"{name} does not name the scale; its votes are taken as '{DEFAULT_SCALE}'.")
    for column in _EMPTY:
        if column not in frame:
            frame[column] = ""
    if (frame["rater_id"] == "").all():
        notes.append(f"{name} does not name the raters, so there are neither intervals nor agreement.")
    if "excluded" not in frame:
        frame["excluded"] = ""
    return Imported(validate_ratings(mark_repeats(frame)), tuple(notes))
