"""Ratings as integer codes: names are looked up once, and every statistic works on small arrays afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coded:
    """Ratings of one scale. ``rater, clip, condition, stimulus`` are codes per rating; a rating without rater has code -1.

    The tuples give the name of each code. They are sorted and shared by all scales of a study, so that a code means the same
    rater, clip or condition in every statistic.
    """

    scale: str
    raters: tuple[str, ...]
    clips: tuple[str, ...]
    conditions: tuple[str, ...]
    stimuli: tuple[str, ...]
    rater: IntArray
    clip: IntArray
    condition: IntArray
    stimulus: IntArray
    value: FloatArray
    labels: npt.NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.rater)

    @property
    def has_labels(self) -> bool:
        """Whether the ratings are label sets instead of numbers."""
        return bool(np.isnan(self.value).any())

    def rows(self, condition: int) -> npt.NDArray[np.bool_]:
        """Which ratings are of a condition."""
        mine: npt.NDArray[np.bool_] = self.condition == condition
        return mine

    def present(self) -> list[int]:
        """Codes of the conditions that have a rating on this scale."""
        return [int(code) for code in np.unique(self.condition)]


def encode(frame: pd.DataFrame) -> dict[str, Coded]:
    """Scale -> its ratings, from a validated frame. Rows are put in one canonical order, so theirs does not matter."""
    frame = frame.sort_values(["scale", "condition", "clip_id", "stimulus_id", "rater_id"], kind="stable")
    rater, raters = _codes(frame["rater_id"].where(frame["rater_id"] != ""))
    clip, clips = _codes(frame["clip_id"])
    condition, conditions = _codes(frame["condition"])
    stimulus, stimuli = _codes(frame["stimulus_id"])
    scale, scales = _codes(frame["scale"])
    value = frame["value"].to_numpy(dtype=np.float64)
    labels = frame["labels"].to_numpy(dtype=object)
    coded = {}
    for code, name in enumerate(scales):
        rows = scale == code
        arrays = (rater[rows], clip[rows], condition[rows], stimulus[rows], value[rows], labels[rows])
        coded[name] = Coded(name, raters, clips, conditions, stimuli, *arrays)
    return coded


def count_matrix(
    rows: IntArray, columns: IntArray, shape: tuple[int, int], weights: FloatArray | None = None
) -> scipy.sparse.csr_array:
    """Sparse table of sums of ``weights`` (of ones by default) by row and column.

    >>> count_matrix(np.array([0, 0, 1]), np.array([1, 1, 0]), (2, 2)).toarray().tolist()
    [[0.0, 2.0], [1.0, 0.0]]
    """
    data = np.ones(len(rows)) if weights is None else weights
    return scipy.sparse.coo_array((data, (rows, columns)), shape=shape).tocsr()


def missing_raters(coded: Coded, rows: npt.NDArray[np.bool_]) -> str:
    """Why what needs raters is undefined for these ratings; the empty string when every rating names its rater."""
    unknown = int((coded.rater[rows] < 0).sum())
    if not unknown:
        return ""
    return "no rater ids" if unknown == rows.sum() else f"{unknown} of {int(rows.sum())} ratings have no rater id"


def joined(reasons: Sequence[str]) -> str:
    """Reasons that are not empty, as one cell."""
    return "; ".join(reason for reason in reasons if reason)


def _codes(column: pd.Series) -> tuple[IntArray, tuple[str, ...]]:
    codes, names = pd.factorize(column, sort=True)
    return codes.astype(np.int64), tuple(str(name) for name in names)
