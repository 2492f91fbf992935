"""How reliable single raters and their mean are on numeric scales: intraclass correlations, and each rater against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.ratings.bootstrap import LEVEL
from analysis.ratings.coding import Coded, FloatArray, IntArray
from analysis.ratings.mixed import crossed_components

ICC_COLUMNS = ("scale", "coefficient", "value", "ci_low", "ci_high", "n_units", "n_raters", "n_ratings", "method", "note")
REST_COLUMNS = ("rater_id", "scale", "r", "n_stimuli", "note")
_LEAST = 3
UNDEFINED = (
    "",
    f"fewer than {_LEAST} stimuli shared with others",
    "the rater gave one answer throughout",
    "the others do not vary",
)


@dataclass(frozen=True)
class TwoWay:
    """Mean squares of a complete table of units x raters without repetition, as named by Shrout and Fleiss (1979)."""

    units: int
    raters: int
    between: float
    judges: float
    error: float

    @property
    def single(self) -> float:
        """ICC(2,1) = (BMS - EMS) / (BMS + (k - 1) EMS + k (JMS - EMS) / n): one rater's absolute agreement."""
        k, n = self.raters, self.units
        below = self.between + (k - 1) * self.error + k * (self.judges - self.error) / n
        return (self.between - self.error) / below if below > 0 else float("nan")

    @property
    def average(self) -> float:
        """ICC(2,k) = (BMS - EMS) / (BMS + (JMS - EMS) / n): the agreement of the mean of k raters."""
        below = self.between + (self.judges - self.error) / self.units
        return (self.between - self.error) / below if below > 0 else float("nan")

    def single_interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Interval of ICC(2,1) by the approximation of Satterthwaite that Shrout and Fleiss give; NaN where undefined."""
        k, n, rho = self.raters, self.units, self.single
        if not np.isfinite(rho) or self.error <= 0:
            return float("nan"), float("nan")
        f_judges = self.judges / self.error
        spread = k * rho * f_judges + n * (1 + (k - 1) * rho) - k * rho
        freedom = (k - 1) * (n - 1) * spread**2
        freedom /= (n - 1) * k**2 * rho**2 * f_judges**2 + (n * (1 + (k - 1) * rho) - k * rho) ** 2
        upper, lower = (scipy.stats.f.ppf((1 + level) / 2, *pair) for pair in ((n - 1, freedom), (freedom, n - 1)))
        rest = k * self.judges + (k * n - k - n) * self.error
        low = n * (self.between - upper * self.error) / (upper * rest + n * self.between)
        high = n * (lower * self.between - self.error) / (rest + n * lower * self.between)
        return float(low), float(high)

    def average_interval(self, level: float = LEVEL) -> tuple[float, float]:
        """The interval of ICC(2,1) stepped up to k raters by Spearman and Brown: k rho / (1 + (k - 1) rho)."""
        low, high = (_stepped(bound, self.raters) for bound in self.single_interval(level))
        return low, high


def two_way(table: npt.ArrayLike) -> TwoWay:
    """Mean squares of a complete table, one row per unit and one column per rater.

    >>> shrout_fleiss = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    >>> result = two_way(shrout_fleiss)
    >>> round(result.single, 4), round(result.average, 4), [round(bound, 2) for bound in result.average_interval()]
    (0.2898, 0.6201, [0.07, 0.93])
    """
    values = np.asarray(table, dtype=np.float64)
    n, k = values.shape
    if n < 2 or k < 2 or not np.isfinite(values).all():
        raise ValueError("A table of at least two units and two raters, without gaps, is needed.")
    grand = values.mean()
    by_unit, by_rater = values.mean(axis=1), values.mean(axis=0)
    error = ((values - by_unit[:, None] - by_rater[None, :] + grand) ** 2).sum() / ((n - 1) * (k - 1))
    between = k * ((by_unit - grand) ** 2).sum() / (n - 1)
    judges = n * ((by_rater - grand) ** 2).sum() / (k - 1)
    return TwoWay(n, k, float(between), float(judges), float(error))


def intraclass(scales: Mapping[str, Coded]) -> pd.DataFrame:
    """ICC(2,1) and ICC(2,k) of every numeric scale over its stimuli: frame with `ICC_COLUMNS`.

    Where every rater rated every stimulus: Shrout and Fleiss's mean squares with their interval. Else, as in most listening
    tests, from REML variance components of stimulus, rater and residual (`mixed.crossed_components`): ICC(2,1) = V_stimulus /
    total, ICC(2,k) with k the harmonic mean of the votes per stimulus and V_rater + V_residual divided by it; no interval is given
    for these. NaN with a note where a stimulus never has two votes, without rater ids, or where votes are all equal.
    """
    rows: list[dict[str, object]] = []
    for name, coded in scales.items():
        if not coded.has_labels:
            rows.extend({"scale": name, **row} for row in _intraclass(coded))
    types = dict.fromkeys(("value", "ci_low", "ci_high"), "float64")
    return pd.DataFrame(rows, columns=list(ICC_COLUMNS)).astype(types)


def rater_rest(scales: Mapping[str, Coded]) -> pd.DataFrame:
    """Pearson's r of each rater with the mean of all *other* raters, per numeric scale: frame with `REST_COLUMNS`.

    Over the stimuli that he and at least one other rated. A mean that includes the rater would raise r, most where votes are few.
    NaN with a note for fewer than three such stimuli, or where the rater or the rest does not vary.
    """
    tables = [_rest(coded) for coded in scales.values() if not coded.has_labels]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(REST_COLUMNS))


def rest_of(unit: IntArray, value: FloatArray) -> tuple[FloatArray, IntArray]:
    """The mean of the other votes for the unit of each vote (NaN where there are none), and their number.

    >>> rest_of(np.array([0, 0, 0, 1]), np.array([1.0, 2.0, 6.0, 3.0]))[0].tolist()
    [4.0, 3.5, 1.5, nan]
    """
    others = np.bincount(unit)[unit] - 1
    left = np.bincount(unit, value)[unit] - value
    rest: FloatArray = np.divide(left, others, out=np.full(len(value), np.nan), where=others > 0)
    return rest, others


def correlations(group: IntArray, own: FloatArray, rest: FloatArray, n_groups: int) -> tuple[FloatArray, IntArray, IntArray]:
    """Pearson's r of ``own`` and ``rest`` within each group; why it is undefined (0 defined, else index of `UNDEFINED`); n.

    Undefined for fewer than three pairs and where a side does not vary.
    """
    n = np.bincount(group, minlength=n_groups)
    parts = []
    for values in (own, rest):
        mean = np.divide(np.bincount(group, values, n_groups), n, out=np.zeros(n_groups), where=n > 0)
        parts.append(values - mean[group])
    squares = [np.bincount(group, part**2, n_groups) for part in parts]
    product = np.bincount(group, parts[0] * parts[1], n_groups)
    why = np.select([n < _LEAST, squares[0] < 1e-12, squares[1] < 1e-12], [1, 2, 3], 0)
    below = np.sqrt(squares[0] * squares[1])
    r: FloatArray = np.divide(product, below, out=np.full(n_groups, np.nan), where=why == 0)
    return r, why, n


def _rest(coded: Coded) -> pd.DataFrame:
    known = coded.rater >= 0
    rest, _ = rest_of(coded.stimulus[known], coded.value[known])
    shared = np.isfinite(rest)
    raters = np.unique(coded.rater[known])
    r, why, n = correlations(coded.rater[known][shared], coded.value[known][shared], rest[shared], len(coded.raters))
    table = {
        "rater_id": np.array(coded.raters, dtype=object)[raters],
        "scale": coded.scale,
        "r": r[raters],
        "n_stimuli": n[raters],
        "note": np.array(UNDEFINED, dtype=object)[why[raters]],
    }
    return pd.DataFrame(table, columns=list(REST_COLUMNS))


def _intraclass(coded: Coded) -> list[dict[str, object]]:
    head: dict[str, object] = {"n_ratings": len(coded), "method": ""}
    names = ("icc_2_1", "icc_2_k")
    known = coded.rater >= 0
    units, unit = np.unique(coded.stimulus[known], return_inverse=True)
    raters, rater = np.unique(coded.rater[known], return_inverse=True)
    head |= {"n_units": len(units), "n_raters": len(raters)}
    votes = np.bincount(unit, minlength=len(units))
    reason = (
        "no rater ids"
        if not known.all()
        else "fewer than two stimuli or raters"
        if min(len(units), len(raters)) < 2
        else "no stimulus has two votes"
        if votes.max() < 2
        else "all votes are equal"
        if np.ptp(coded.value) == 0
        else ""
    )
    if reason:
        return [{**head, "coefficient": name, "note": reason} for name in names]
    if len(coded) == len(units) * len(raters):
        table = np.empty((len(units), len(raters)))
        table[unit, rater] = coded.value
        result = two_way(table)
        pairs = [(result.single, result.single_interval()), (result.average, result.average_interval())]
        head["method"] = "mean squares"
        return [
            {**head, "coefficient": name, "value": value, "ci_low": bounds[0], "ci_high": bounds[1], "note": ""}
            for name, (value, bounds) in zip(names, pairs, strict=True)
        ]
    fit = crossed_components(coded.value, np.zeros(len(coded), dtype=np.int64), rater, unit)
    between, noise = fit.clip_variance, fit.rater_variance + fit.residual_variance
    k = len(units) / (1 / votes).sum()
    note = "; ".join(
        part for part in (f"k = {k:.1f} votes per stimulus, not every rater rated all: no interval", fit.note) if part
    )
    head["method"] = "variance components"
    values = (between / (between + noise), between / (between + noise / k))
    return [{**head, "coefficient": name, "value": value, "note": note} for name, value in zip(names, values, strict=True)]


def _stepped(rho: float, k: int) -> float:
    return k * rho / (1 + (k - 1) * rho)
