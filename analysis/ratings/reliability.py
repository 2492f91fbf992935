"""Agreement between raters: Krippendorff's alpha for category scales, for label sets and for each label.

alpha = 1 - D_o / D_e. D_o is the mean disagreement between two ratings of the same unit (a stimulus), D_e that between any two
ratings. 1 is full agreement, 0 what chance gives, below 0 worse than chance. Source: Krippendorff, Content Analysis,
chapter 12; the distance of label sets is MASI (Passonneau, LREC 2006). The value on numeric scales is the `krippendorff`
package's; it knows neither sets nor resampling, for which the definition stands here too, and tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import krippendorff
import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.labels import BoolArray, label_matrix
from analysis.ratings.bootstrap import CrossedBootstrap, percentile_interval
from analysis.ratings.coding import Coded, FloatArray, IntArray, count_matrix, missing_raters

Level = Literal["nominal", "ordinal", "interval", "masi", "jaccard"]
COLUMNS = (
    "scale",
    "condition",
    "coefficient",
    "level",
    "label",
    "value",
    "ci_low",
    "ci_high",
    "n_units",
    "n_raters",
    "n_ratings",
    "note",
)
Draws = npt.NDArray[np.float32]
_TYPES = {"n_raters": "Int64", "value": "float64", "ci_low": "float64", "ci_high": "float64"}
COEFFICIENT = "krippendorff_alpha"
#: More different values than this make a table of distances too large; such a scale has no alpha here.
MOST_VALUES = 1000
_CHUNK = 4096


def krippendorff_alpha(counts: npt.ArrayLike, distance: FloatArray) -> float:
    """Alpha from how often each value was given to each unit: ``counts`` (units, values), ``distance`` (values, values).

    Units with fewer than two ratings say nothing about agreement and are passed over. NaN when no unit is left or when all
    ratings are equal (D_e = 0).

    >>> votes = [[2, 0], [0, 2], [1, 1]]
    >>> round(krippendorff_alpha(votes, distances([0, 1], "nominal")), 4)
    0.4444
    >>> krippendorff_alpha([[2, 0], [3, 0]], distances([0, 1], "nominal"))
    nan
    """
    pairable = _pairable(scipy.sparse.csr_array(np.asarray(counts, dtype=np.float64)))
    total = np.atleast_1d(_disagreement(pairable, distance).sum())
    return float(_alpha(total, pairable.sum(axis=0)[:, None], distance)[0])


def distances(values: npt.ArrayLike, level: Level, counts: npt.ArrayLike | None = None) -> FloatArray:
    """Distance between every two values of a numeric scale: array (values, values).

    nominal: 0 if equal, else 1. interval: (c - k)^2. ordinal: (R_c - R_k)^2 with R_c the mid-rank of c among all ratings, for
    which ``counts`` (ratings per value) is needed; it equals Krippendorff's (sum of n_g from c to k - (n_c + n_k)/2)^2.

    >>> distances([1, 2, 5], "interval").tolist()
    [[0.0, 1.0, 16.0], [1.0, 0.0, 9.0], [16.0, 9.0, 0.0]]
    """
    position = np.asarray(values, dtype=np.float64)
    if level == "nominal":
        unequal: FloatArray = (position[:, None] != position[None, :]).astype(np.float64)
        return unequal
    if level == "ordinal":
        n = np.asarray(counts, dtype=np.float64)
        position = np.cumsum(n) - n / 2
    result: FloatArray = (position[:, None] - position[None, :]) ** 2
    return result


def masi_distances(sets: BoolArray) -> FloatArray:
    """MASI distance between every two rows of ``sets`` (n_sets, options): 1 - J M.

    J is the Jaccard index, M = 1 for equal sets, 2/3 when one holds the other, 1/3 when they overlap, 0 when disjoint. Two
    empty sets are equal.

    >>> masi_distances(np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]], dtype=bool)).round(4).tolist()
    [[0.0, 0.6667, 0.8889], [0.6667, 0.0, 0.6667], [0.8889, 0.6667, 0.0]]
    """
    size, both, union = _overlaps(sets)
    jaccard = np.divide(both, union, out=np.ones_like(both), where=union > 0)
    smaller = np.minimum(size[:, None], size[None, :])
    equal = (both == union) & (size[:, None] == size[None, :])
    degree = np.select([equal, (both == smaller) & (both > 0), both > 0], [1.0, 2 / 3, 1 / 3], 0.0)
    result: FloatArray = 1.0 - jaccard * degree
    return result


def jaccard_distances(sets: BoolArray) -> FloatArray:
    """Jaccard distance between every two rows of ``sets`` (n_sets, options): 1 - shared / all labels. Two empty sets are equal.

    >>> jaccard_distances(np.array([[1, 1, 0, 0], [1, 1, 1, 1], [0, 1, 1, 0]], dtype=bool)).round(4).tolist()
    [[0.0, 0.5, 0.6667], [0.5, 0.0, 0.5], [0.6667, 0.5, 0.0]]
    """
    _, both, union = _overlaps(sets)
    result: FloatArray = 1.0 - np.divide(both, union, out=np.ones_like(both), where=union > 0)
    return result


@dataclass(frozen=True)
class _Measure:
    """One way to compare ratings: a value code per rating, and the distances between values given how often each occurs."""

    level: Level
    label: str
    codes: IntArray
    values: FloatArray | None
    n_values: int
    distance: Callable[[FloatArray], FloatArray]


def agreement(scales: Mapping[str, Coded], options: Mapping[str, Sequence[str]], bootstrap: CrossedBootstrap) -> pd.DataFrame:
    """Alpha per scale, over all conditions (empty ``condition``) and within each: frame with `COLUMNS`.

    Category scales: levels ordinal and interval. Label scales, whose ``options`` are given: MASI and Jaccard over the label
    sets, and nominal for each ``label`` (chosen or not). The interval is the percentile interval over resampled clips, each with all
    its stimuli; the ordinal distances stay those of the data at hand. Without rater ids alpha is NaN: nothing then tells
    whether two ratings of a stimulus come from two people.
    """
    draws = [clips.astype(np.float32) for _, clips in bootstrap.blocks()]
    rows: list[dict[str, object]] = []
    for name, coded in scales.items():
        whole = np.ones(len(coded), dtype=bool)
        parts = {"": whole} | {coded.conditions[code]: coded.rows(code) for code in coded.present()}
        for measure in _measures(coded, options.get(name, ())):
            head = {"scale": name, "coefficient": COEFFICIENT, "level": measure.level, "label": measure.label}
            rows.extend(head | {"condition": part} | _row(coded, mine, measure, draws) for part, mine in parts.items())
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)


def _measures(coded: Coded, options: Sequence[str]) -> Iterator[_Measure]:
    if not coded.has_labels:
        values, codes = np.unique(coded.value, return_inverse=True)
        yield _Measure("ordinal", "", codes, values, len(values), lambda counts: distances(values, "ordinal", counts))
        yield _Measure("interval", "", codes, values, len(values), lambda counts: distances(values, "interval"))
        return
    codes, names = pd.factorize(coded.labels)
    chosen = label_matrix(list(names), options)
    yield _Measure("masi", "", codes, None, len(names), lambda counts: masi_distances(chosen))
    yield _Measure("jaccard", "", codes, None, len(names), lambda counts: jaccard_distances(chosen))
    for index, option in enumerate(options):
        mine = chosen[codes, index].astype(np.int64)
        yield _Measure("nominal", option, mine, np.array([0.0, 1.0]), 2, lambda counts: distances([0, 1], "nominal"))


def _overlaps(sets: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Size of every set, and the sizes of intersection and union of every two."""
    member = sets.astype(np.float64)
    size = member.sum(axis=1)
    both = member @ member.T
    return size, both, size[:, None] + size[None, :] - both


def _row(coded: Coded, rows: BoolArray, measure: _Measure, draws: Sequence[Draws]) -> dict[str, object]:
    units, unit = np.unique(coded.stimulus[rows], return_inverse=True)
    pairable = np.bincount(unit)[unit] > 1
    row: dict[str, object] = {
        "n_units": len(np.unique(unit[pairable])),
        "n_raters": len(np.unique(coded.rater[rows][pairable])),
        "n_ratings": int(pairable.sum()),
    }
    unknown = missing_raters(coded, rows)
    if unknown:
        return row | {"n_raters": pd.NA, "note": f"{unknown}: agreement is between known raters"}
    if not pairable.any():
        return row | {"note": "no stimulus has two ratings"}
    if measure.n_values > MOST_VALUES:
        return row | {"note": f"more than {MOST_VALUES} different values"}
    counts = _pairable(count_matrix(unit, measure.codes[rows], (len(units), measure.n_values)))
    distance = measure.distance(counts.sum(axis=0))
    disagreement = _disagreement(counts, distance)
    value = _value(measure, counts, disagreement, distance)
    if np.isnan(value):
        return row | {"note": "all ratings are equal"}
    clip = np.zeros(len(units), dtype=np.int64)
    clip[unit] = coded.clip[rows]
    if len(np.unique(clip)) < 2:
        return row | {"value": value, "note": "one clip: no interval"}
    low, high = percentile_interval(_replicates(disagreement, counts, clip, distance, draws))
    return row | {"value": value, "ci_low": low, "ci_high": high, "note": ""}


def _value(measure: _Measure, counts: scipy.sparse.csr_array, disagreement: FloatArray, distance: FloatArray) -> float:
    marginals = counts.sum(axis=0)
    if measure.values is None or measure.level == "masi" or measure.level == "jaccard" or np.count_nonzero(marginals) < 2:
        return float(_alpha(np.atleast_1d(disagreement.sum()), marginals[:, None], distance)[0])
    table = counts.toarray()
    return float(krippendorff.alpha(value_counts=table, value_domain=measure.values, level_of_measurement=measure.level))


def _replicates(
    disagreement: FloatArray, counts: scipy.sparse.csr_array, clip: IntArray, distance: FloatArray, draws: Sequence[Draws]
) -> FloatArray:
    """Alpha in every replicate; ``draws`` holds blocks of how often each clip was drawn, (n_clips, b)."""
    by_clip = count_matrix(clip, np.arange(len(clip)), (len(draws[0]), len(clip)))
    sums, values = by_clip @ disagreement, (by_clip @ counts).T.tocsr()
    return np.concatenate([_alpha(sums @ clips, values @ clips, distance) for clips in draws])


def _pairable(counts: scipy.sparse.csr_array) -> scipy.sparse.csr_array:
    """Counts (units, values) with the rows of units that have fewer than two ratings set to zero."""
    keep = np.asarray(counts.sum(axis=1)).ravel() > 1
    return scipy.sparse.diags_array(keep.astype(np.float64)).tocsr() @ counts


def _disagreement(counts: scipy.sparse.csr_array, distance: FloatArray) -> FloatArray:
    """Per unit: sum of the distances over ordered pairs of its ratings, divided by their number less one."""
    sums = [
        np.asarray(part.multiply(part @ distance).sum(axis=1)).ravel()
        for part in (counts[start : start + _CHUNK] for start in range(0, counts.shape[0], _CHUNK))
    ]
    others = np.maximum(np.asarray(counts.sum(axis=1)).ravel() - 1, 1)
    per_unit: FloatArray = np.concatenate(sums) / others
    return per_unit


def _alpha(disagreement: FloatArray, marginals: FloatArray, distance: FloatArray) -> FloatArray:
    """1 - D_o / D_e from summed unit disagreement (b,) and ratings per value (values, b)."""
    n = marginals.sum(axis=0)
    expected = (marginals * (distance @ marginals)).sum(axis=0)
    ratio = np.divide(disagreement * (n - 1), expected, out=np.full(len(expected), np.nan), where=expected > 0)
    alpha: FloatArray = 1 - ratio
    return alpha
