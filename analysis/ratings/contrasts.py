"""Differences between conditions, each pair on the clips that both were rated on, with what they are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.ratings.bootstrap import CrossedBootstrap, few_clusters, rescaled_interval, too_few
from analysis.ratings.coding import Coded, FloatArray, IntArray, count_matrix, joined, missing_raters
from analysis.ratings.resampled import ResampledTable
from analysis.ratings.variance import crossed_standard_error

COLUMNS = (
    *("scale", "condition_a", "condition_b", "difference", "ci_low", "ci_high", "p", "p_holm", "cliffs_delta"),
    *("p_tukey", "n_clips", "n_raters", "note"),
)
_NUMBERS = ("difference", "ci_low", "ci_high", "p", "p_holm", "cliffs_delta", "p_tukey")
_TYPES = dict.fromkeys(_NUMBERS, "float64")


def contrasts(scales: Mapping[str, Coded], bootstrap: CrossedBootstrap, order: Sequence[str] = ()) -> pd.DataFrame:
    """Every pair of conditions on every numeric scale: frame with `COLUMNS`.

    ``difference`` = MOS of a - MOS of b over the votes for clips rated in both. Interval: percentiles of that difference over the
    crossed bootstrap, where both means see the same raters and clips, so that what they share cancels, brought to the
    difference's own `crossed_standard_error` (`rescaled_interval`). ``p``: two-sided, from t = difference / that standard error with
    min(raters, clips) - 1 degrees of freedom; a count of replicates would end at 1/replicates, above what Holm asks of many pairs.
    ``p_holm`` corrects over the pairs of a scale, and so does ``p_tukey`` (`tukey`), for readers who expect it. ``cliffs_delta`` is
    P(a > b) - P(a < b) for a vote of each. ``order`` names the conditions in the order they are paired in; others follow by name.

    Undefined, with a note: no clip in common; the interval and p without rater ids, with one rater or one clip, or with all
    votes equal.
    """
    tables = [_of_scale(coded, bootstrap, order) for coded in scales.values() if not coded.has_labels]
    tables = [table for table in tables if len(table)]
    if not tables:
        return pd.DataFrame(columns=list(COLUMNS)).astype(_TYPES)
    return pd.concat(tables, ignore_index=True)


def cliffs_delta(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """P(a > b) - P(a < b) over all pairs of one value of each (range -1..1; ties count for neither). NaN without values.

    Source: Cliff, Dominance statistics, Psychological Bulletin 114, 1993.

    >>> cliffs_delta([3, 4, 5], [1, 2, 3]), cliffs_delta([1, 2], [1, 2]), cliffs_delta([], [1])
    (0.8888888888888888, 0.0, nan)
    """
    first, second = np.asarray(a, dtype=np.float64), np.sort(np.asarray(b, dtype=np.float64))
    if not len(first) or not len(second):
        return float("nan")
    above = np.searchsorted(second, first, side="left").sum()
    below = (len(second) - np.searchsorted(second, first, side="right")).sum()
    return float((above - below) / (len(first) * len(second)))


def holm(p: npt.ArrayLike) -> FloatArray:
    """p values corrected for their number by Holm's step-down rule; NaN stays NaN and does not count.

    Source: Holm, Scandinavian Journal of Statistics 6, 1979.

    >>> holm([0.01, 0.04, 0.03, 0.005]).round(3).tolist()
    [0.03, 0.06, 0.06, 0.02]
    """
    values = np.asarray(p, dtype=np.float64)
    result = np.full(values.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(values))
    ascending = tested[np.argsort(values[tested], kind="stable")]
    steps = values[ascending] * np.arange(len(ascending), 0, -1)
    result[ascending] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(steps) else steps
    return result


def tukey(p: npt.ArrayLike, n_conditions: int, freedom: npt.ArrayLike) -> FloatArray:
    """p values of all pairs of ``n_conditions`` corrected by the studentized range, each from two-sided ``p`` of a t test with ``freedom``
    degrees of freedom. Array like ``p``; NaN stays NaN.

    With one pooled variance and independent groups of one size this is Tukey's HSD, with groups of other sizes Tukey-Kramer. Where
    every pair has a standard error of its own, as here, it is an approximation, and Holm's correction is the one to rely on.
    Source: Tukey, The problem of multiple comparisons, 1953; Kramer, Biometrics 12, 1956.

    >>> tukey([0.0056, 0.8513], 3, 12).round(3).tolist()
    [0.014, 0.98]
    """
    values, degrees = np.broadcast_arrays(np.asarray(p, dtype=np.float64), np.asarray(freedom, dtype=np.float64))
    result = np.full(values.shape, np.nan)
    tested = np.isfinite(values)
    span = np.sqrt(2) * scipy.stats.t.isf(values[tested] / 2, degrees[tested])
    # The range distribution is integrated numerically: its error of some 1e-9 must not put a corrected p below the plain one.
    result[tested] = np.clip(scipy.stats.studentized_range.sf(span, n_conditions, degrees[tested]), values[tested], 1.0)
    return result


@dataclass(frozen=True)
class _Group:
    """The votes of a condition for some clips: the side of one or of many pairs."""

    condition: int
    clips: npt.NDArray[np.bool_]

    def rows(self, coded: Coded) -> npt.NDArray[np.bool_]:
        mine: npt.NDArray[np.bool_] = coded.rows(self.condition) & self.clips[coded.clip]
        return mine


def _of_scale(coded: Coded, bootstrap: CrossedBootstrap, order: Sequence[str]) -> pd.DataFrame:
    place = {name: index for index, name in enumerate(order)}
    present = sorted(coded.present(), key=lambda code: (place.get(coded.conditions[code], len(place)), code))
    heard = {code: np.bincount(coded.clip[coded.rows(code)], minlength=len(coded.clips)) > 0 for code in present}
    groups: dict[tuple[int, bytes], int] = {}
    sides: list[_Group] = []
    pairs: list[tuple[int, int]] = []
    for first, second in combinations(present, 2):
        common = heard[first] & heard[second]
        pair = []
        for code in (first, second):
            key = (code, np.packbits(common).tobytes())
            if key not in groups:
                groups[key] = len(sides)
                sides.append(_Group(code, common))
            pair.append(groups[key])
        pairs.append((pair[0], pair[1]))
    drawn = _means(coded, sides, bootstrap)
    rows = [_row(coded, sides[a], sides[b], drawn[a] - drawn[b]) for a, b in pairs]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)
    freedom = table[["n_raters", "n_clips"]].min(axis=1).astype("float64") - 1
    return table.assign(p_holm=holm(table["p"]), p_tukey=tukey(table["p"], len(present), freedom))


def _row(coded: Coded, a: _Group, b: _Group, replicates: FloatArray) -> dict[str, object]:
    rows_a, rows_b = a.rows(coded), b.rows(coded)
    both = rows_a | rows_b
    n_clips, n_raters = int(a.clips.sum()), len(np.unique(coded.rater[both]))
    unknown = missing_raters(coded, both) if n_clips else ""
    row: dict[str, object] = {
        "scale": coded.scale,
        "condition_a": coded.conditions[a.condition],
        "condition_b": coded.conditions[b.condition],
        "n_clips": n_clips,
        "n_raters": pd.NA if unknown else n_raters,
    }
    if not n_clips:
        return row | {"note": "no clip rated in both"}
    difference = coded.value[rows_a].mean() - coded.value[rows_b].mean()
    row |= {"difference": difference, "cliffs_delta": cliffs_delta(coded.value[rows_a], coded.value[rows_b])}
    drawn = replicates[np.isfinite(replicates)]
    equal = "all votes are equal" if np.ptp(coded.value[both]) == 0 else ""
    reason = (unknown and f"{unknown}: no interval") or too_few(n_raters, n_clips) or equal
    if not reason and (len(drawn) < 2 or np.ptp(drawn) < 1e-12):
        reason = "the difference does not vary between replicates"
    if reason:
        return row | {"note": reason}
    deviation = np.zeros(len(coded))
    for rows, sign in ((rows_a, 1), (rows_b, -1)):
        deviation[rows] = sign * (coded.value[rows] - coded.value[rows].mean()) * both.sum() / rows.sum()
    error, freedom = crossed_standard_error(deviation[both], coded.rater[both], coded.clip[both]), min(n_raters, n_clips) - 1
    low, high = rescaled_interval(drawn, difference, error, freedom)
    p = 2 * scipy.stats.t.sf(abs(difference) / error, freedom)
    return row | {"ci_low": low, "ci_high": high, "p": p, "note": joined([few_clusters(n_raters, n_clips)])}


def _means(coded: Coded, sides: Sequence[_Group], bootstrap: CrossedBootstrap) -> FloatArray:
    """Mean of every group in every replicate: array (groups, replicates). NaN where no vote was drawn."""
    known = np.flatnonzero(coded.rater >= 0)
    cells, row = np.unique(coded.condition[known] * len(coded.clips) + coded.clip[known], return_inverse=True)
    condition, clip = np.divmod(cells, len(coded.clips))
    shape = (len(cells), bootstrap.n_raters)
    sums = ResampledTable(count_matrix(row, coded.rater[known], shape, coded.value[known]))
    counts = ResampledTable(count_matrix(row, coded.rater[known], shape))
    member = _membership(sides, condition, clip)
    parts = []
    for raters, clips in bootstrap.blocks():
        total, votes = (member @ ((table @ raters) * clips[clip]) for table in (sums, counts))
        parts.append(np.divide(total, votes, out=np.full_like(total, np.nan), where=votes > 0))
    return np.concatenate(parts, axis=1)


def _membership(sides: Sequence[_Group], condition: IntArray, clip: IntArray) -> scipy.sparse.csr_array:
    """Which (condition, clip) cells belong to which group: array (groups, cells)."""
    found = [np.flatnonzero((condition == side.condition) & side.clips[clip]) for side in sides]
    group = np.repeat(np.arange(len(sides)), [len(one) for one in found])
    cell = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    return count_matrix(group.astype(np.int64), cell.astype(np.int64), (len(sides), len(clip)))
