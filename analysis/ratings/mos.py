"""Mean opinion scores: the mean of the votes of a condition, or of one stimulus, on a category scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats

from analysis.ratings.bootstrap import LEVEL, CrossedBootstrap, few_clusters, percentile_interval, too_few
from analysis.ratings.coding import Coded, FloatArray, IntArray, count_matrix, missing_raters

COLUMNS = ("condition", "scale", "n_ratings", "n_raters", "n_clips", "mos", "sd", "ci_low", "ci_high", "note")
STIMULUS_COLUMNS = ("stimulus_id", "clip_id", "condition", "scale", "n_ratings", "mos", "sd", "ci_low", "ci_high", "note")


@dataclass(frozen=True)
class MosTable:
    """``frame``: one row per condition and scale (`COLUMNS`); a missing interval is NaN and ``note`` says why.

    ``replicates`` maps scale and condition to the MOS in every bootstrap replicate.
    """

    frame: pd.DataFrame
    replicates: Mapping[str, Mapping[str, FloatArray]]


def mos_by_condition(scales: Mapping[str, Coded], bootstrap: CrossedBootstrap) -> MosTable:
    """MOS per condition and scale with the crossed bootstrap's percentile interval.

    MOS = sum of votes / number of votes; sd has n - 1 below the sum of squares (ITU-T P.1401 appendix III takes the same). The
    interval is undefined without rater ids, with one rater or one clip, and where all votes are equal. Scales of labels are
    passed over.
    """
    rows: list[dict[str, object]] = []
    replicates: dict[str, dict[str, FloatArray]] = {}
    for name, coded in scales.items():
        if coded.has_labels:
            continue
        drawn = _replicates(coded, bootstrap)
        replicates[name] = dict(zip((coded.conditions[code] for code in coded.present()), drawn, strict=True))
        rows.extend(_row(coded, code, percentile_interval(mine)) for code, mine in zip(coded.present(), drawn, strict=True))
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
    width: FloatArray = stats.t.ppf((1 + level) / 2, freedom) * np.asarray(sd) / np.sqrt(count)
    return width


def _row(coded: Coded, code: int, interval: FloatArray) -> dict[str, object]:
    rows = coded.rows(code)
    votes = coded.value[rows]
    unknown = missing_raters(coded, rows)
    n_raters, n_clips = len(np.unique(coded.rater[rows])), len(np.unique(coded.clip[rows]))
    equal = "all votes are equal" if len(votes) > 1 and np.ptp(votes) == 0 else ""
    reason = (unknown and f"{unknown}: no interval") or too_few(n_raters, n_clips) or equal
    return {
        "condition": coded.conditions[code],
        "scale": coded.scale,
        "n_ratings": len(votes),
        "n_raters": pd.NA if unknown else n_raters,
        "n_clips": n_clips,
        "mos": votes.mean(),
        "sd": votes.std(ddof=1) if len(votes) > 1 else np.nan,
        "ci_low": np.nan if reason else interval[0],
        "ci_high": np.nan if reason else interval[1],
        "note": reason or few_clusters(n_raters, n_clips),
    }


def _replicates(coded: Coded, bootstrap: CrossedBootstrap) -> FloatArray:
    """MOS of every condition present in every replicate: array (conditions, replicates). NaN where no vote was drawn."""
    conditions = coded.present()
    known = coded.rater >= 0
    order = np.searchsorted(conditions, coded.condition[known])
    cells, row = np.unique(order * len(coded.clips) + coded.clip[known], return_inverse=True)
    group, clip = np.divmod(cells, len(coded.clips))
    shape = (len(cells), bootstrap.n_raters)
    sums = count_matrix(row, coded.rater[known], shape, coded.value[known])
    counts = count_matrix(row, coded.rater[known], shape)
    parts = []
    for raters, clips in bootstrap.blocks():
        total = _by_group(sums, raters, clips[clip], group, len(conditions))
        votes = _by_group(counts, raters, clips[clip], group, len(conditions))
        parts.append(np.divide(total, votes, out=np.full_like(total, np.nan), where=votes > 0))
    return np.concatenate(parts, axis=1)


def _by_group(cells: sparse.csr_array, raters: FloatArray, clips: FloatArray, group: IntArray, n_groups: int) -> FloatArray:
    """Sum over the (group, clip) rows of each group of (cells @ rater draws) x clip draws: array (n_groups, b)."""
    weighted = (cells @ raters) * clips
    result = np.zeros((n_groups, raters.shape[1]))
    if len(group):
        present, starts = np.unique(group, return_index=True)
        result[present] = np.add.reduceat(weighted, starts, axis=0)
    return result


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
