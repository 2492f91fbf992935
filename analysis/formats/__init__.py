"""Ratings from the files of other platforms, each turned into the tidy frame of `analysis.schema`.

A reader answers with the frame and with sentences on what the file could not tell; it guesses nothing silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.schema import SchemaError, read_cells

if TYPE_CHECKING:
    from collections.abc import Callable

#: Format -> where its reader is.
FORMATS: Mapping[str, str] = {
    "tidy": "analysis.formats.tidy:read",
    "p808": "analysis.formats.p808:read",
    "webmushra": "analysis.formats.webmushra:read",
    "matrix": "analysis.formats.matrix:read",
}
REPEATED = "a repeated vote: the first one counts"


@dataclass(frozen=True)
class Hints:
    """What the person who has the file knows and the file does not say; every part may be empty.

    ``columns``: our column -> the file's. ``labels``: column of the file -> label, where every label has a column of its own.
    ``keep``: column of the file -> the value that counts; other rows are kept as excluded. ``stimuli``: a table (stimulus_id,
    clip_id, condition, role) for files that only name stimuli. ``pattern``: a regular expression whose groups ``condition`` and
    ``clip`` are found in file names. ``matrix_rows``: ``raters`` or ``stimuli``, what the rows of a matrix are.
    """

    columns: Mapping[str, str] | None = None
    labels: Mapping[str, str] | None = None
    keep: Mapping[str, str] | None = None
    stimuli: pd.DataFrame | None = None
    pattern: str = ""
    matrix_rows: str = ""


@dataclass(frozen=True)
class Imported:
    """A validated frame of ratings, and what the file could not tell in sentences."""

    ratings: pd.DataFrame
    notes: tuple[str, ...] = ()


def read_input(path: Path, input_format: str = "tidy", hints: Hints | None = None) -> Imported:
    """Ratings of a file in one of `FORMATS`. Raises SchemaError with a sentence when the file is not of that format."""
    if input_format not in FORMATS:
        raise SchemaError(f"There is no input format '{input_format}'; the formats are {', '.join(FORMATS)}.")
    module, name = FORMATS[input_format].split(":")
    reader: Callable[[Path, Hints], Imported] = getattr(import_module(module), name)
    return reader(path, hints or Hints())


def read_table(path: Path, *, header: bool = True) -> pd.DataFrame:
    """A CSV file as text cells, stripped; SchemaError when it is absent, empty or no table."""
    if not path.is_file():
        raise SchemaError(f"There is no ratings file at {path}.")
    table = read_cells(path, header=header)
    if table.empty:
        raise SchemaError(f"{path.name} has no row under its header.")
    return table.apply(lambda column: column.str.strip())


def mark_repeats(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with every vote after a rater's first for the same stimulus and scale marked as excluded.

    >>> frame = pd.DataFrame({"rater_id": ["a", "a"], "stimulus_id": ["s", "s"], "scale": ["ovrl", "ovrl"], "excluded": ["", ""]})
    >>> mark_repeats(frame)["excluded"].tolist()
    ['', 'a repeated vote: the first one counts']
    """
    counted = frame[(frame["excluded"] == "") & (frame["rater_id"] != "")]
    repeated = counted.index[counted.duplicated(["rater_id", "stimulus_id", "scale"])]
    return frame.assign(excluded=frame["excluded"].mask(frame.index.isin(repeated), REPEATED))
