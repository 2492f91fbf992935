"""Correlations between a machine's scores and people's, never without an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from analysis.ratings.bootstrap import percentile_interval

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

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
    ranks = stats.rankdata(x), stats.rankdata(y)
    tau = stats.kendalltau(x, y, method="asymptotic").statistic
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
    rows = np.split(np.argsort(cluster, kind="stable"), np.cumsum(np.bincount(cluster))[:-1])
    drawn = np.empty((3, replicates))
    for number in range(replicates):
        chosen = np.concatenate([rows[one] for one in rng.integers(0, n, n)])
        drawn[:, number] = coefficients(x[chosen], y[chosen])
    return Correlation(values, percentile_interval(drawn))


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
    drawn = np.empty((3, x_drawn.shape[1]))
    for number in range(x_drawn.shape[1]):
        chosen = rng.integers(0, k, k)
        one, other = x_drawn[chosen, number], y_drawn[chosen, number]
        known = np.isfinite(one) & np.isfinite(other)
        drawn[:, number] = coefficients(one[known], other[known])
    return Correlation(values, percentile_interval(drawn))


def least_telling(n: int) -> float:
    """The Pearson correlation that ``n`` pairs of unrelated numbers exceed, on either side, one time in twenty; NaN below three.

    r = t / sqrt(n - 2 + t^2) with t the 97.5 % point of Student's t with n - 2 degrees of freedom.

    >>> round(least_telling(6), 3), round(least_telling(20), 3)
    (0.811, 0.444)
    """
    if n < 3:
        return float("nan")
    t = stats.t.ppf(0.975, n - 2)
    return float(t / np.sqrt(n - 2 + t**2))


def _pearson(x: FloatArray, y: FloatArray) -> float:
    a, b = x - x.mean(), y - y.mean()
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))
