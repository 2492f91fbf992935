"""Correlations between a machine's scores and people's, never without an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

from analysis.ratings.bootstrap import percentile_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Rows of the table of pairs that are in memory at once.
_ROWS = 1024
#: Sums of squares below this are rounding errors of sides that do not vary.
_NOTHING = 1e-24

COEFFICIENTS = ("pearson", "spearman", "kendall")


@dataclass(frozen=True)
class Correlation:
    """Pearson's r, Spearman's rho and Kendall's tau-b, (3,), and their 95 % bounds, (3, 2); all NaN with a ``note`` where undefined."""

    values: FloatArray
    bounds: FloatArray
    note: str = ""

    def row(self) -> dict[str, Any]:
        """Columns of a table: each coefficient with its bounds."""
        cells: dict[str, Any] = {}
        for name, value, (low, high) in zip(COEFFICIENTS, self.values, self.bounds, strict=True):
            cells |= {name: value, f"{name}_ci_low": low, f"{name}_ci_high": high}
        return cells


def undefined(note: str) -> Correlation:
    return Correlation(np.full(3, np.nan), np.full((3, 2), np.nan), note)


def coefficients(x: FloatArray, y: FloatArray) -> FloatArray:
    """The three coefficients of two columns of numbers, (3,); NaN where one of them does not vary or fewer than three pairs are there.

    >>> coefficients(np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0])).round(3).tolist()
    [0.8, 0.8, 0.667]
    """
    if len(x) < 3 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return np.full(3, np.nan)
    ranks = scipy.stats.rankdata(x), scipy.stats.rankdata(y)
    tau = scipy.stats.kendalltau(x, y, method="asymptotic").statistic
    return np.array([_pearson(x, y), _pearson(*ranks), float(tau)])


def over_clusters(x: FloatArray, y: FloatArray, cluster: IntArray, replicates: int, rng: np.random.Generator) -> Correlation:
    """Coefficients of pairs that come in clusters (the stimuli of one clip), with percentile intervals over resampled clusters.

    ``x, y, cluster`` are (n,), clusters numbered from 0 without gaps.
    """
    values, n = coefficients(x, y), int(cluster.max()) + 1 if len(cluster) else 0
    if not np.isfinite(values).all():
        return undefined("fewer than three stimuli, or one side does not vary")
    if n < 4:
        return undefined(f"{n} clip{'s' if n != 1 else ''}: too few for an interval, and without one no correlation is given")
    drawn = rng.multinomial(n, np.full(n, 1 / n), size=replicates).T.astype(np.float64)
    return Correlation(values, percentile_interval(weighted_coefficients(x, y, drawn[cluster])))


def over_conditions(
    x: FloatArray, y: FloatArray, x_drawn: FloatArray, y_drawn: FloatArray, rng: np.random.Generator
) -> Correlation:
    """Coefficients over conditions, (k,) twice, with intervals over resampled raters, clips and conditions.

    ``x_drawn, y_drawn`` (k, replicates) are the conditions' values in replicates that drew raters and clips; in each, conditions are drawn
    with replacement too, because other conditions could have been tested. Below four conditions there is no interval, and so nothing.
    """
    values, k = coefficients(x, y), len(x)
    if k < 4:
        return undefined(
            f"{k} condition{'s' if k != 1 else ''}: too few for an interval, and without one no correlation is given"
        )
    if not np.isfinite(values).all():
        return undefined("one side does not vary between conditions")
    weights = rng.multinomial(k, np.full(k, 1 / k), size=x_drawn.shape[1]).T.astype(np.float64)
    return Correlation(values, percentile_interval(_redrawn_coefficients(x_drawn, y_drawn, weights)))


def weighted_coefficients(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """`coefficients` of pairs (n,) that each count a whole number of times: ``weights`` (n, b) -> (3, b); NaN where undefined.

    The same as writing every pair out as often as it counts, for all b at once.

    >>> x, y, twice = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 3.0, 2.0, 4.0]), np.array([[1.0], [2.0], [0.0], [1.0]])
    >>> written = coefficients(np.array([1.0, 2.0, 2.0, 4.0]), np.array([1.0, 3.0, 3.0, 4.0]))
    >>> bool(np.allclose(weighted_coefficients(x, y, twice).ravel(), written))
    True
    """
    concordance = np.zeros(weights.shape[1])
    light = weights.astype(np.float32)
    for start in range(0, len(x), _ROWS):
        rows = slice(start, start + _ROWS)
        signs = np.sign(x[rows, None] - x) * np.sign(y[rows, None] - y)
        concordance += (weights[rows] * (signs.astype(np.float32) @ light)).sum(axis=0)
    (rank_x, untied_x), (rank_y, untied_y) = _ranked(x, weights), _ranked(y, weights)
    tau = _divided(concordance, np.sqrt(untied_x * untied_y))
    return np.stack([_weighted_pearson(x[:, None], y[:, None], weights), _weighted_pearson(rank_x, rank_y, weights), tau])


def _redrawn_coefficients(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    """The same for few pairs whose values differ between replicates: (k, b) three times -> (3, b). A pair without value counts nothing."""
    known = np.isfinite(x) & np.isfinite(y)
    x, y, weights = np.where(known, x, 0.0), np.where(known, y, 0.0), weights * known
    one, other = (np.sign(side[:, None] - side[None]) for side in (x, y))
    both = weights[:, None] * weights[None]
    ranks = [(weights[None] * (1 + signs)).sum(axis=1) / 2 for signs in (one, other)]
    untied = [(both * np.abs(signs)).sum(axis=(0, 1)) for signs in (one, other)]
    tau = _divided((both * one * other).sum(axis=(0, 1)), np.sqrt(untied[0] * untied[1]))
    return np.stack([_weighted_pearson(x, y, weights), _weighted_pearson(ranks[0], ranks[1], weights), tau])


def _ranked(values: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ranks among values (n,) that count ``weights`` (n, b) times, ties at their middle: (n, b); and pairs that are not tied, (b,)."""
    order = np.argsort(values, kind="stable")
    group = np.cumsum(np.diff(values[order], prepend=values[order[0]]) != 0)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.add.reduceat(weights[order], starts, axis=0)
    middle = np.cumsum(sizes, axis=0) - sizes / 2
    ranks = np.empty_like(weights)
    ranks[order] = middle[group]
    return ranks, sizes.sum(axis=0) ** 2 - (sizes**2).sum(axis=0)


def _weighted_pearson(x: FloatArray, y: FloatArray, weights: FloatArray) -> FloatArray:
    n = weights.sum(axis=0)
    a, b = (side - _divided((weights * side).sum(axis=0), n) for side in (x, y))
    squares = (weights * a**2).sum(axis=0) * (weights * b**2).sum(axis=0)
    return _divided((weights * a * b).sum(axis=0), np.sqrt(np.where(squares > _NOTHING, squares, 0.0)))


def _divided(total: FloatArray, by: FloatArray) -> FloatArray:
    quotient: FloatArray = np.divide(total, by, out=np.full(np.shape(total), np.nan), where=by > 0)
    return quotient


def least_telling(n: int) -> float:
    """The Pearson correlation that ``n`` pairs of unrelated numbers exceed, on either side, one time in twenty; NaN below three.

    r = t / sqrt(n - 2 + t^2) with t the 97.5 % point of Student's t with n - 2 degrees of freedom.

    >>> round(least_telling(6), 3), round(least_telling(20), 3)
    (0.811, 0.444)
    """
    if n < 3:
        return float("nan")
    t = scipy.stats.t.ppf(0.975, n - 2)
    return float(t / np.sqrt(n - 2 + t**2))


def _pearson(x: FloatArray, y: FloatArray) -> float:
    a, b = x - x.mean(), y - y.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
