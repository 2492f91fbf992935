"""Mean opinion scores: the mean of the votes of a condition, or of one stimulus, on a numeric scale.

The same mean is a MOS on an absolute scale, a DMOS on a degradation scale and a CMOS on a comparison scale (votes on the
processed recording relative to the reference, 0 meaning no difference); which it is follows from what the scale asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.ratings.bootstrap import (
    FEW,
    LEVEL,
    CrossedBootstrap,
    bca_interval,
    few_clusters,
    percentile_interval,
    rescaled_interval,
    too_few,
)
from analysis.ratings.coding import Coded, FloatArray, count_matrix, joined, missing_raters
from analysis.ratings.resampled import ResampledTable, weigh_groups
from analysis.ratings.variance import crossed_standard_error, deleted_means
from analysis.scales import SCALES

#: How the interval of a condition is made: ``auto`` is ``rescaled``, and ``t`` with fewer than `FEW` raters or clips.
Interval = Literal["auto", "rescaled", "percentile", "bca", "t"]
COLUMNS = (
    *("condition", "scale", "n_ratings", "n_raters", "n_clips", "mos", "sd", "ci_low", "ci_high", "note"),
    *("ci_method", "sos_a", "n_excluded"),
)
METHODS = {"rescaled": "crossed-rescaled", "percentile": "crossed-percentile", "bca": "crossed-bca", "t": "two-way-t"}
STIMULUS_COLUMNS = ("stimulus_id", "clip_id", "condition", "scale", "n_ratings", "mos", "sd", "ci_low", "ci_high", "note")


@dataclass(frozen=True)
class MosTable:
    """``frame``: one row per condition and scale (`COLUMNS`); a missing interval is NaN and ``note`` says why.

    ``replicates`` maps scale and condition to the MOS in every bootstrap replicate.
    """

    frame: pd.DataFrame
    replicates: Mapping[str, Mapping[str, FloatArray]]


def mos_by_condition(
    scales: Mapping[str, Coded],
    bootstrap: CrossedBootstrap,
    *,
    interval: Interval = "auto",
    excluded: Mapping[tuple[str, str], int] = MappingProxyType({}),
) -> MosTable:
    """MOS per condition and scale with an interval over raters and clips.

    MOS = sum of votes / number of votes; sd has n - 1 below the sum of squares (ITU-T P.1401 appendix III takes the same).
    ``ci_method`` names the interval: ``crossed-percentile`` and ``crossed-bca`` are read from the crossed bootstrap as it is,
    ``crossed-rescaled`` has its shape and the width of `crossed_standard_error` (`rescaled_interval`), and ``two-way-t``
    is MOS +- t(0.975, min(raters, clips) - 1) x `crossed_standard_error`. Intervals are cut to the range of a known
    scale. Undefined without rater ids, with one rater or one clip, and where all votes are equal. ``sos_a`` is `sos_a` over the
    stimuli of the condition, NaN for a scale of unknown range. ``excluded`` gives ``n_excluded`` (`schema.count_excluded`).
    Scales of labels are passed over.
    """
    rows: list[dict[str, object]] = []
    replicates: dict[str, dict[str, FloatArray]] = {}
    for name, coded in scales.items():
        if coded.has_labels:
            continue
        drawn = _replicates(coded, bootstrap)
        replicates[name] = dict(zip((coded.conditions[code] for code in coded.present()), drawn, strict=True))
        for code, mine in zip(coded.present(), drawn, strict=True):
            row = _row(coded, code, mine, interval)
            rows.append(row | {"n_excluded": excluded.get((coded.conditions[code], name), 0)})
    return MosTable(pd.DataFrame(rows, columns=list(COLUMNS)).astype({"n_raters": "Int64"}), replicates)


def mos_by_stimulus(scales: Mapping[str, Coded]) -> pd.DataFrame:
    """MOS per stimulus and scale (`STIMULUS_COLUMNS`) with the interval MOS +- t(0.975, n - 1) sd / sqrt(n).

    The votes for one stimulus come from different raters, so Student's t is enough here. The interval is undefined with fewer
    than two votes, without rater ids and where all votes are equal.
    """
    tables = [_stimulus_table(coded) for coded in scales.values() if not coded.has_labels]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(STIMULUS_COLUMNS))


def t_half_width(sd: npt.ArrayLike, n: npt.ArrayLike, level: float = LEVEL) -> FloatArray:
    """Half width of the t interval of a mean; NaN for n < 2.

    >>> float(t_half_width(np.std([4, 5, 4, 3, 4, 5, 4, 4, 3, 5], ddof=1), 10).round(4))
    0.5278
    """
    count = np.asarray(n, dtype=np.float64)
    freedom = np.where(count > 1, count - 1, np.nan)
    width: FloatArray = scipy.stats.t.ppf((1 + level) / 2, freedom) * np.asarray(sd) / np.sqrt(count)
    return width


def sos_a(mos: npt.ArrayLike, variance: npt.ArrayLike, low: float, high: float) -> float:
    """The a of the SOS hypothesis: variance = a (mos - low) (high - mos), by least squares over stimuli or conditions.

    0 where raters agree fully, 1 where every vote is at an end of the scale. Source: Hossfeld, Schatz and Egger, SOS: The MOS
    is not enough, QoMEX 2011. Pairs with a NaN are passed over; NaN when no stimulus is off the ends of the scale.

    >>> round(sos_a([2, 3, 4], [0.6, 0.8, 0.6], 1, 5), 3)
    0.2
    """
    mean, square = np.asarray(mos, dtype=np.float64), np.asarray(variance, dtype=np.float64)
    room = (mean - low) * (high - mean)
    used = np.isfinite(square) & np.isfinite(room)
    denominator = float((room[used] ** 2).sum())
    return float((room[used] * square[used]).sum() / denominator) if denominator > 0 else np.nan


def _row(coded: Coded, code: int, replicates: FloatArray, interval: Interval) -> dict[str, object]:
    rows = coded.rows(code)
    votes = coded.value[rows]
    unknown = missing_raters(coded, rows)
    n_raters, n_clips = len(np.unique(coded.rater[rows])), len(np.unique(coded.clip[rows]))
    equal = "all votes are equal" if len(votes) > 1 and np.ptp(votes) == 0 else ""
    reason = (unknown and f"{unknown}: no interval") or too_few(n_raters, n_clips) or equal
    method, bounds = "", np.full(2, np.nan)
    if not reason:
        method = ("t" if min(n_raters, n_clips) < FEW else "rescaled") if interval == "auto" else interval
        bounds = _bounds(coded, rows, replicates, method)
    spread, why = _sos(coded, rows)
    return {
        "condition": coded.conditions[code],
        "scale": coded.scale,
        "n_ratings": len(votes),
        "n_raters": pd.NA if unknown else n_raters,
        "n_clips": n_clips,
        "mos": votes.mean(),
        "sd": votes.std(ddof=1) if len(votes) > 1 else np.nan,
        "ci_low": bounds[0],
        "ci_high": bounds[1],
        "note": joined([why, reason or few_clusters(n_raters, n_clips)]),
        "ci_method": METHODS.get(method, ""),
        "sos_a": spread,
    }


def _bounds(coded: Coded, rows: npt.NDArray[np.bool_], replicates: FloatArray, method: str) -> FloatArray:
    """The interval of the mean of some ratings, cut to the range of the scale where that is known: array (2,)."""
    value, rater, clip = coded.value[rows], coded.rater[rows], coded.clip[rows]
    mean = value.mean()
    if method in {"t", "rescaled"}:
        freedom = min(len(np.unique(rater)), len(np.unique(clip))) - 1
        error = crossed_standard_error(value - mean, rater, clip)
        half = scipy.stats.t.ppf((1 + LEVEL) / 2, freedom) * error
        bounds = np.array([mean - half, mean + half])
        if method == "rescaled":
            bounds = rescaled_interval(replicates, float(mean), error, freedom)
    elif method == "bca":
        bounds = bca_interval(replicates, float(mean), [deleted_means(value, rater), deleted_means(value, clip)])
    else:
        bounds = percentile_interval(replicates)
    scale = SCALES.get(coded.scale)
    return np.clip(bounds, scale.minimum, scale.maximum) if scale else bounds


def _sos(coded: Coded, rows: npt.NDArray[np.bool_]) -> tuple[float, str]:
    """SOS a over the stimuli among some ratings, with the unbiased variance of each; or NaN and why."""
    scale = SCALES.get(coded.scale)
    if scale is None:
        return np.nan, ""
    _, stimulus, n = np.unique(coded.stimulus[rows], return_inverse=True, return_counts=True)
    mean = np.bincount(stimulus, coded.value[rows]) / n
    squares = np.bincount(stimulus, (coded.value[rows] - mean[stimulus]) ** 2)
    variance = np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1)
    if not (n > 1).any():
        return np.nan, "no SOS a: no stimulus has two votes"
    a = sos_a(mean, variance, scale.minimum, scale.maximum)
    return a, "no SOS a: every stimulus is at an end of the scale" if np.isnan(a) else ""


def _replicates(coded: Coded, bootstrap: CrossedBootstrap) -> FloatArray:
    """MOS of every condition present in every replicate: array (conditions, replicates). NaN where no vote was drawn."""
    conditions = coded.present()
    known = coded.rater >= 0
    cells, row = np.unique(coded.condition[known] * len(coded.clips) + coded.clip[known], return_inverse=True)
    group, clip = np.divmod(cells, len(coded.clips))
    heard, starts = np.unique(group, return_index=True)
    shape = (len(cells), bootstrap.n_raters)
    sums = ResampledTable(count_matrix(row, coded.rater[known], shape, coded.value[known]))
    counts = ResampledTable(count_matrix(row, coded.rater[known], shape))
    means = np.full((len(conditions), bootstrap.replicates), np.nan)
    place, done = np.searchsorted(conditions, heard), 0
    for raters, clips in bootstrap.blocks():
        total, votes = (weigh_groups(table @ raters, clips, clip, starts) for table in (sums, counts))
        done += clips.shape[1]
        means[place, done - clips.shape[1] : done] = np.divide(total, votes, out=np.full_like(total, np.nan), where=votes > 0)
    return means


def _stimulus_table(coded: Coded) -> pd.DataFrame:
    codes, first, inverse, n = np.unique(coded.stimulus, return_index=True, return_inverse=True, return_counts=True)
    mean = np.bincount(inverse, coded.value) / n
    squares = np.bincount(inverse, (coded.value - mean[inverse]) ** 2)
    sd = np.sqrt(np.divide(squares, n - 1, out=np.full(len(n), np.nan), where=n > 1))
    unknown = np.bincount(inverse, coded.rater < 0) > 0
    choices = {"no rater ids: no interval": unknown, "one vote": n < 2, "all votes are equal": sd == 0}
    note = np.select(list(choices.values()), list(choices), default="")
    half = np.where(note == "", t_half_width(sd, n), np.nan)
    table = {
        "stimulus_id": np.array(coded.stimuli, dtype=object)[codes],
        "clip_id": np.array(coded.clips, dtype=object)[coded.clip[first]],
        "condition": np.array(coded.conditions, dtype=object)[coded.condition[first]],
        "scale": coded.scale,
        "n_ratings": n,
        "mos": mean,
        "sd": sd,
        "ci_low": mean - half,
        "ci_high": mean + half,
        "note": note,
    }
    return pd.DataFrame(table, columns=list(STIMULUS_COLUMNS))
