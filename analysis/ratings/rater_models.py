"""Scores that allow for how single raters use the scale: bias removal, bias and inconsistency, and the rejection rules of old.

All take a matrix of votes (stimuli, raters) with NaN for a vote not given. Offered for comparison with other laboratories; the
intervals of a report are the crossed bootstrap's, since none of these models counts what raters have in common as uncertainty.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.labels import BoolArray
from analysis.ratings.coding import Coded, FloatArray

_TINY = 1e-8
_MOST_ROUNDS = 1000


@dataclass(frozen=True)
class RaterModel:
    """Per stimulus ``mos`` and ``sos`` (its standard error); per rater ``bias`` and ``inconsistency`` (his noise, as an SD; NaN where a
    model has none)."""

    mos: FloatArray
    sos: FloatArray
    bias: FloatArray
    inconsistency: FloatArray


def vote_matrix(coded: Coded, condition: str | None = None) -> pd.DataFrame:
    """Votes of one scale as a table, stimuli x raters, NaN where there is none; of one condition where it is named.

    Raises ValueError for a scale of labels. Ratings without a rater id are left out.
    """
    if coded.has_labels:
        raise ValueError(f"Scale '{coded.scale}' has labels, not numbers.")
    rows = coded.rater >= 0
    if condition is not None:
        rows &= coded.rows(coded.conditions.index(condition))
    stimuli, stimulus = np.unique(coded.stimulus[rows], return_inverse=True)
    raters, rater = np.unique(coded.rater[rows], return_inverse=True)
    table = np.full((len(stimuli), len(raters)), np.nan)
    table[stimulus, rater] = coded.value[rows]
    return pd.DataFrame(table, [coded.stimuli[code] for code in stimuli], [coded.raters[code] for code in raters])


def remove_bias(votes: npt.ArrayLike) -> RaterModel:
    """Votes less each rater's mean distance from the others' MOS, then the mean. Source: ITU-T P.913 (06/2021), clause 12.4.

    b_i = mean_j (u_ij - MOS_j); MOS'_j = mean_i (u_ij - b_i); sos is sd (n - 1) / sqrt(n) of what is left. In a complete table the
    MOS stay what they were and only their errors fall.

    >>> remove_bias([[5, 4], [3, 2]]).bias.tolist(), remove_bias([[5, 4], [3, 2]]).mos.tolist()
    ([0.5, -0.5], [4.5, 2.5])
    """
    table = np.asarray(votes, dtype=np.float64)
    bias = _mean(table - _mean(table, 1)[:, None], 0)
    left = table - bias
    n = np.isfinite(table).sum(axis=1)
    return RaterModel(_mean(left, 1), _deviation(left, 1, ddof=1) / np.sqrt(n), bias, np.full(table.shape[1], np.nan))


def bias_and_inconsistency(votes: npt.ArrayLike) -> RaterModel:
    """The model vote = psi_j + b_i + s_i noise, fitted by alternating projection.

    Source: ITU-T P.913 (06/2021), clause 12.6, and P.910 Annex E. In turn: residual r = vote - psi - b; s_i = population SD of
    rater i's residuals; psi_j = mean of (vote - b_i) weighted by 1/(s_i^2 + 1e-8); b_i = mean of (vote - psi_j); until psi moves by
    less than 1e-8 or 1000 rounds are done. The mean bias is then moved into psi. sos_j = SD of stimulus j's residuals
    (population) / sqrt(votes).
    """
    table = np.asarray(votes, dtype=np.float64)
    psi = _mean(table, 1)
    bias = _mean(table - psi[:, None], 0)
    spread = np.zeros(table.shape[1])
    for _ in range(_MOST_ROUNDS):
        before = psi
        spread = _deviation(table - psi[:, None] - bias, 0)
        weight = np.where(np.isfinite(table), 1 / (spread**2 + _TINY), 0.0)
        total = np.where(np.isfinite(table), table - bias, 0.0) * weight
        psi = np.divide(total.sum(axis=1), weight.sum(axis=1), out=np.full(len(table), np.nan), where=weight.sum(axis=1) > 0)
        bias = _mean(table - psi[:, None], 0)
        if not np.nansum((psi - before) ** 2) >= _TINY**2:
            break
    shift = np.nanmean(bias) if np.isfinite(bias).any() else 0.0
    psi, bias = psi + shift, bias - shift
    left = _deviation(table - psi[:, None] - bias, 1)
    return RaterModel(psi, left / np.sqrt(np.isfinite(table).sum(axis=1)), bias, spread)


def reject_bt500(votes: npt.ArrayLike) -> BoolArray:
    """Which raters the rejection of ITU-R BT.500 leaves out: array (raters,).

    A vote is high (low) when it is above (below) the stimulus' mean by 2 population SD, or by sqrt(20) where the kurtosis of the
    votes is outside 2..4. A rater is out when more than 5 % of his votes are high or low, and |high - low| / (high + low) < 0.3. If that
    takes every rater, none is out.
    """
    table = np.asarray(votes, dtype=np.float64)
    left = table - _mean(table, 1)[:, None]
    second, fourth = _mean(left**2, 1), _mean(left**4, 1)
    kurtosis = np.divide(fourth, second**2, out=np.full(len(table), np.nan), where=second > 0)
    limit = np.where((kurtosis >= 2) & (kurtosis <= 4), 2.0, np.sqrt(20)) * np.sqrt(second)
    voted = np.isfinite(table)
    spread = (second > 0)[:, None] & voted
    high = (np.where(spread, left, 0.0) >= limit[:, None]) & spread
    low = (np.where(spread, left, 0.0) <= -limit[:, None]) & spread
    p, q, n = high.sum(axis=0), low.sum(axis=0), voted.sum(axis=0)
    share = np.divide(p + q, n, out=np.zeros(len(n)), where=n > 0)
    balance = np.abs(np.divide(p - q, p + q, out=np.ones(len(n)), where=p + q > 0))
    out: BoolArray = (share > 0.05) & (balance < 0.3)
    return np.zeros_like(out) if out.all() else out


def reject_uncorrelated(votes: npt.ArrayLike, limit: float = 0.7) -> tuple[BoolArray, float]:
    """Raters whose Pearson correlation with the MOS is at most min(limit, mean - SD of all raters' correlations), and that threshold.

    Source: ITU-T P.913 (06/2021), clause 11.4, as in sureal; the MOS includes the rater himself, as there. A rater without spread has
    no correlation and stays.
    """
    table = np.asarray(votes, dtype=np.float64)
    mos = _mean(table, 1)
    found = []
    for column in table.T:
        voted = np.isfinite(column)
        flat = voted.sum() < 2 or np.ptp(column[voted]) == 0 or np.ptp(mos[voted]) == 0
        found.append(np.nan if flat else np.corrcoef(column[voted], mos[voted])[0, 1])
    r = np.array(found)
    threshold = float(min(limit, np.nanmean(r) - np.nanstd(r))) if np.isfinite(r).any() else float("nan")
    out: BoolArray = r <= threshold
    return out, threshold


def _mean(table: FloatArray, axis: int) -> FloatArray:
    """Mean of what is there; NaN where nothing is."""
    there = np.isfinite(table)
    count = there.sum(axis=axis)
    total = np.where(there, table, 0.0).sum(axis=axis)
    mean: FloatArray = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0)
    return mean


def _deviation(table: FloatArray, axis: int, ddof: int = 0) -> FloatArray:
    """Standard deviation of what is there; NaN for ``ddof`` values or fewer."""
    left = (table - np.expand_dims(_mean(table, axis), axis)) ** 2
    count = np.isfinite(table).sum(axis=axis)
    total = np.where(np.isfinite(left), left, 0.0).sum(axis=axis)
    deviation: FloatArray = np.sqrt(np.divide(total, count - ddof, out=np.full(np.shape(total), np.nan), where=count > ddof))
    return deviation
