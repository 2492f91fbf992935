"""Votes, shares, thresholded label sets and F1: the one definition that reports, readers and models share.

A *vote* is one rater naming one label for one clip; a rater who names two labels casts two votes. The votes of a clip become
a *label set* by keeping every label whose share of the votes is greater than 1/n, n being the number of labels on offer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SEPARATOR = "|"


def split_labels(text: str) -> tuple[str, ...]:
    """Names in a ``labels`` cell, in their order, without blanks and repeats.

    >>> split_labels("anger| fear|anger")
    ('anger', 'fear')
    >>> split_labels("")
    ()
    """
    return tuple(dict.fromkeys(name for part in text.split(SEPARATOR) if (name := part.strip())))


def label_matrix(cells: Sequence[str], options: Sequence[str]) -> BoolArray:
    """Which of ``options`` each cell names: array (n_cells, n_options).

    Raises ValueError for a name that is not an option.

    >>> label_matrix(["fear", "anger|fear"], ["anger", "fear"]).astype(int).tolist()
    [[0, 1], [1, 1]]
    """
    column = {name: index for index, name in enumerate(options)}
    matrix = np.zeros((len(cells), len(options)), dtype=bool)
    for row, cell in enumerate(cells):
        for name in split_labels(cell):
            if name not in column:
                raise ValueError(f"The label '{name}' is not among the options {', '.join(options)}.")
            matrix[row, column[name]] = True
    return matrix


def vote_shares(votes: npt.ArrayLike) -> FloatArray:
    """Share of each label in the votes of a clip: votes_c / sum of votes, over the last axis (range 0..1).

    A clip without votes has no shares: NaN.

    >>> vote_shares([3, 1, 0]).tolist()
    [0.75, 0.25, 0.0]
    >>> vote_shares([0, 0]).tolist()
    [nan, nan]
    """
    counts = np.asarray(votes, dtype=np.float64)
    total = counts.sum(axis=-1, keepdims=True)
    shares: FloatArray = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
    return shares


def threshold_votes(votes: npt.ArrayLike, axis: int = -1) -> BoolArray:
    """Labels whose share of the votes is strictly greater than 1/n, n = length of ``axis``.

    The comparison is votes_c * n > total, exact for whole votes: a share of exactly 1/n is out. Equal votes for all labels,
    or no votes, give the empty set. Source: EMO-SUPERB (Wu et al. 2024), whose threshold is 1/C.

    >>> threshold_votes([6, 3, 3]).tolist()
    [True, False, False]
    >>> threshold_votes([[5, 5, 0], [1, 1, 1]]).tolist()
    [[True, True, False], [False, False, False]]
    """
    counts = np.asarray(votes, dtype=np.float64)
    result: BoolArray = counts * counts.shape[axis] > counts.sum(axis=axis, keepdims=True)
    return result


def js_divergence(votes: npt.ArrayLike, other: npt.ArrayLike, axis: int = -1) -> Any:
    """Jensen-Shannon divergence, base 2, of two distributions of votes over ``axis``: 0 for equal shares, 1 for disjoint ones.

    JSD = H(m) - (H(p) + H(q)) / 2 with m = (p + q) / 2 (Lin 1991). Its square root is a metric and is what
    ``scipy.spatial.distance.jensenshannon`` gives. NaN where a side has no votes.

    >>> float(js_divergence([1, 0], [1, 1]).round(4)), float(js_divergence([3, 0], [0, 5]))
    (0.3113, 1.0)
    """
    first, second = (np.asarray(side, dtype=np.float64) for side in (votes, other))
    totals = [side.sum(axis=axis, keepdims=True) for side in (first, second)]
    p, q = (
        np.divide(side, total, out=np.full_like(side, np.nan), where=total > 0)
        for side, total in zip((first, second), totals, strict=True)
    )
    middle = (p + q) / 2
    entropy = [-special.xlogy(share, share).sum(axis=axis) for share in (middle, p, q)]
    return np.clip((entropy[0] - (entropy[1] + entropy[2]) / 2) / np.log(2), 0.0, 1.0)


def top_two_overlap(votes: npt.ArrayLike, other: npt.ArrayLike) -> FloatArray:
    """How far the two labels with most votes are the same, clip by clip: arrays (clips, n) in, (clips,) out, range 0..1.

    A label without votes is in no top two, so a clip whose votes are all for one label has a set of one. Where votes tie for
    the last place every choice counts alike: the credit is the chance that both sides, each breaking its ties at random, end
    up with the same set; 1 or 0 without ties. NaN where a side has no votes.

    >>> top_two_overlap([[5, 3, 1], [5, 3, 1], [5, 2, 2]], [[4, 4, 0], [4, 0, 3], [6, 3, 1]]).tolist()
    [1.0, 0.0, 0.5]
    """
    mine, theirs = (np.asarray(side, dtype=np.float64) for side in (votes, other))
    n = mine.shape[-1]
    first, second = np.triu_indices(n)
    feasible = [_feasible(side, first, second) for side in (mine, theirs)]
    both = (feasible[0] & feasible[1]).sum(axis=-1)
    choices = feasible[0].sum(axis=-1) * feasible[1].sum(axis=-1)
    credit: FloatArray = np.divide(both, choices, out=np.full(both.shape, np.nan), where=choices > 0)
    return credit


def f1_scores(true_positive: npt.ArrayLike, false_positive: npt.ArrayLike, false_negative: npt.ArrayLike) -> FloatArray:
    """F1 = 2 TP / (2 TP + FP + FN), element by element (range 0..1).

    A class that occurs neither in the reference nor in the other set (TP + FP + FN = 0) has no F1: NaN, not 0 and not 1.

    >>> f1_scores([2, 0, 0], [1, 3, 0], [1, 0, 0]).round(3).tolist()
    [0.667, 0.0, nan]
    """
    doubled = 2 * np.asarray(true_positive, dtype=np.float64)
    denominator = doubled + np.asarray(false_positive, dtype=np.float64) + np.asarray(false_negative, dtype=np.float64)
    return np.divide(doubled, denominator, out=np.full_like(denominator, np.nan), where=denominator > 0)


def macro_mean(per_class: npt.ArrayLike, axis: int = -1) -> Any:
    """Mean of the defined per-class values; NaN where no class is defined. Callers name the classes that were left out.

    >>> float(macro_mean([1.0, 0.5, float("nan")]))
    0.75
    >>> float(macro_mean([float("nan")]))
    nan
    """
    values = np.asarray(per_class, dtype=np.float64)
    defined = np.isfinite(values)
    count = defined.sum(axis=axis)
    total = np.where(defined, values, 0.0).sum(axis=axis)
    return np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)


def _feasible(votes: FloatArray, first: npt.NDArray[np.intp], second: npt.NDArray[np.intp]) -> BoolArray:
    """Which pairs of labels (a label with itself for a set of one) can be the top two of each clip: array (clips, pairs)."""
    ranked = np.sort(votes, axis=-1)[..., ::-1]
    alone = ranked[..., 1:2] == 0 if votes.shape[-1] > 1 else np.ones((*votes.shape[:-1], 1), dtype=bool)
    last = ranked[..., :1] if votes.shape[-1] == 1 else ranked[..., 1:2]
    above = votes > last
    high, low = votes[..., first], votes[..., second]
    # every label above the last place is in the set, and every label of the set has at least the votes of the last place
    whole = above.sum(axis=-1, keepdims=True) == above[..., first].astype(int) + above[..., second] * (first != second)
    pair = (first != second) & (high >= last) & (low >= last) & whole & ~alone
    single = (first == second) & alone & (high > 0)
    result: BoolArray = pair | single
    return result
