"""Votes, shares, label sets, smoothing, ambiguity and F1: the one definition that reports, readers and models share.

A *vote* is one rater naming one label for one clip; a rater who names two labels casts two votes. The votes of a clip become
a *label set* by keeping every label whose share of the votes is greater than 1/n, n being the number of labels on offer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SEPARATOR = "|"
#: Strength of the smoothing in EMO-SUPERB's published labels.
EPSILON = 0.05
#: Merging of classes for `merge_labels`, as four-class studies of IEMOCAP do it.
EXCITED_AS_HAPPY = {"excitement": "happiness"}
#: Strata of ambiguity.
LOW, HIGH = "low", "high"


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


def count_votes(votes: Sequence[Mapping[str, float]], options: Sequence[str]) -> FloatArray:
    """Votes per clip and option: mappings of label to count become an array (n_clips, n_options).

    Votes for labels that are not on offer do not count, as an "other" does not. Shares may stand for counts.

    >>> count_votes([{"fear": 2, "other": 1}, {}], ["anger", "fear"]).tolist()
    [[0.0, 2.0], [0.0, 0.0]]
    """
    return np.array([[float(cell.get(name, 0)) for name in options] for cell in votes]).reshape(len(votes), len(options))


def leading_label(votes: Mapping[str, float]) -> str:
    """The label with more votes than any other; empty where several share the lead or nobody voted.

    >>> leading_label({"anger": 3, "neutral": 2}), leading_label({"anger": 2, "neutral": 2})
    ('anger', '')
    """
    top = [name for name, count in votes.items() if count == max(votes.values()) and count > 0]
    return top[0] if len(top) == 1 else ""


def merge_labels(votes: Mapping[str, float], merged: Mapping[str, str]) -> dict[str, float]:
    """Votes with classes put together: ``merged`` maps a label to the one that takes its votes. Nothing is lost or counted twice.

    >>> merge_labels({"happiness": 1, "excitement": 2, "anger": 1}, EXCITED_AS_HAPPY)
    {'happiness': 3, 'anger': 1}
    """
    result: dict[str, float] = {}
    for name, count in votes.items():
        target = merged.get(name, name)
        result[target] = result.get(target, 0) + count
    return result


def smooth_shares(shares: npt.ArrayLike, epsilon: float = EPSILON) -> FloatArray:
    """Shares moved towards the uniform distribution: y' = (1 - e K/(K-1)) y + e/(K-1) over the last axis of K labels.

    A clip on whose label all agree gets 1 - e there and e/(K-1) elsewhere; a sum of 1 stays 1, and so does a share of 1/K, so the
    threshold keeps its label sets. Source: the labels that EMO-SUPERB publishes (e = 0.05), from which the formula was read;
    Szegedy et al. (2016) smooth otherwise, (1 - e) y + e/K. NaN stays NaN. Raises ValueError for fewer than two labels, or an
    ``epsilon`` outside 0..(K-1)/K, at which everything is uniform.

    >>> smooth_shares([1.0, 0.0, 0.0, 0.0]).round(4).tolist()
    [0.95, 0.0167, 0.0167, 0.0167]
    >>> smooth_shares([0.5, 0.5]).tolist()
    [0.5, 0.5]
    """
    values = np.asarray(shares, dtype=np.float64)
    k = _smoothed_classes(values, epsilon)
    smooth: FloatArray = (1 - epsilon * k / (k - 1)) * values + epsilon / (k - 1)
    return smooth


def unsmooth_shares(smooth: npt.ArrayLike, epsilon: float = EPSILON) -> FloatArray:
    """The shares that `smooth_shares` made these of, cut at 0, which rounding in a file may miss.

    >>> unsmooth_shares([0.95, 0.025, 0.025]).round(6).tolist()
    [1.0, 0.0, 0.0]
    """
    values = np.asarray(smooth, dtype=np.float64)
    k = _smoothed_classes(values, epsilon)
    shares: FloatArray = np.clip((values - epsilon / (k - 1)) / (1 - epsilon * k / (k - 1)), 0.0, None)
    return shares


def is_clear(votes: npt.ArrayLike, axis: int = -1) -> BoolArray:
    """Whether a clip is of low ambiguity: one label has more than half of its votes. Exactly half is high ambiguity, no votes too.

    >>> is_clear([[3, 2], [2, 2], [0, 0]]).tolist()
    [True, False, False]
    """
    counts = np.asarray(votes, dtype=np.float64)
    clear: BoolArray = 2 * counts.max(axis=axis) > counts.sum(axis=axis)
    return clear


def ambiguity(votes: Mapping[str, float]) -> str:
    """The stratum of a clip, ``low`` or ``high`` as `is_clear` has it; empty where nobody voted.

    >>> ambiguity({"anger": 3, "fear": 1}), ambiguity({"anger": 1, "fear": 1}), ambiguity({})
    ('low', 'high', '')
    """
    if not sum(votes.values()):
        return ""
    return LOW if is_clear(list(votes.values())) else HIGH


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
    entropy = [-scipy.special.xlogy(share, share).sum(axis=axis) for share in (middle, p, q)]
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


def _smoothed_classes(values: FloatArray, epsilon: float) -> int:
    k = int(values.shape[-1])
    if k < 2 or not 0 <= epsilon < (k - 1) / k:
        raise ValueError(f"Smoothing takes at least two labels and an epsilon from 0 to below (K-1)/K, not {epsilon} for {k}.")
    return k
