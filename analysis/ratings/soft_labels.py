"""Emotion retention without a threshold: how far whole distributions of votes move between the reference and a condition.

Ambiguity is the reference's own: a clip is ``low`` where one emotion has more than half of the reference's votes, else ``high``
(exactly half is high). It is fixed once from the reference, so that every condition is judged on the same strata.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from analysis.labels import HIGH, LOW, BoolArray, is_clear, js_divergence, top_two_overlap
from analysis.ratings.bootstrap import CrossedBootstrap, centred_interval, few_clusters, too_few
from analysis.ratings.coding import Coded, FloatArray, missing_raters
from analysis.ratings.votes import label_votes, with_unknown

COLUMNS = (
    *("condition", "ambiguity", "js_divergence", "top2_accuracy", "n_clips"),
    *("js_ci_low", "js_ci_high", "top2_ci_low", "top2_ci_high", "note"),
)
STRATA = ("all", LOW, HIGH)
#: Both measures are made anew for every clip in every replicate; more replicates than these are not worth their time.
MOST_REPLICATES = 512
_TYPES = dict.fromkeys([name for name in COLUMNS if name.startswith(("js", "top2"))], "float64")


def soft_labels(coded: Coded, emotions: Sequence[str], reference: str, bootstrap: CrossedBootstrap) -> pd.DataFrame:
    """Distance of every condition's votes from the reference's, per ambiguity stratum: frame with `COLUMNS`.

    ``js_divergence``: mean over clips of `labels.js_divergence` (base 2, range 0..1, 0 is no change). ``top2_accuracy``: mean of
    `labels.top_two_overlap` (range 0..1). Both compare two noisy panels: a second panel of the reference, analysed as a
    condition, shows what no change looks like. Intervals are crossed bootstrap percentiles moved by the bootstrap's bias
    (`centred_interval`), from `MOST_REPLICATES` replicates at most. The reference's own rows are left out. Undefined, with a
    note: no reference, no clip in common; intervals without rater ids, with one rater or one clip.
    """
    votes = label_votes(coded, emotions, bootstrap.n_raters)
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    if base not in votes:
        empty = {"n_clips": 0, "note": f"no ratings of the reference '{reference}'"}
        return _frame([{"condition": coded.conditions[code], "ambiguity": name} | empty for code in votes for name in STRATA])
    low = is_clear(votes[base].totals(), axis=0)
    strata = {"all": np.ones_like(low), LOW: low, HIGH: ~low}
    draws = replace(bootstrap, replicates=min(bootstrap.replicates, MOST_REPLICATES), on_block=None)
    others = {code: table for code, table in votes.items() if code != base}
    clips = {
        code: np.flatnonzero((t.totals().sum(axis=0) > 0) & (votes[base].totals().sum(axis=0) > 0))
        for code, t in others.items()
    }
    drawn: dict[tuple[int, str], list[FloatArray]] = {(code, name): [] for code in others for name in STRATA}
    for raters, weights in with_unknown(draws):
        truth = votes[base].counts(raters)  # once for all conditions
        for code, table in others.items():
            here = clips[code]
            measured = _by_clip(table.counts(raters)[:, here], truth[:, here])
            for name in STRATA:
                drawn[code, name].append(_mean(measured, weights[here] * strata[name][here, None]))
    rows: list[dict[str, object]] = []
    for code, table in others.items():
        here = clips[code]
        observed = _by_clip(table.totals()[:, here, None], votes[base].totals()[:, here, None])
        for name in STRATA:
            point = _mean(observed, strata[name][here, None].astype(np.float64))[:, 0]
            rows.append(_row(coded, code, base, name, strata[name], point, np.concatenate(drawn[code, name], axis=1)))
    return _frame(rows)


def _by_clip(votes: FloatArray, truth: FloatArray) -> FloatArray:
    """Both measures of every clip and replicate: (emotions, clips, b) twice -> (2, clips, b)."""
    last = [np.moveaxis(side, 0, -1) for side in (votes, truth)]
    return np.stack([js_divergence(votes, truth, axis=0), top_two_overlap(last[0], last[1])])


def _mean(measured: FloatArray, weights: FloatArray) -> FloatArray:
    """Weighted mean over clips of what is defined: (2, clips, b) and (clips, b) -> (2, b)."""
    defined = np.isfinite(measured)
    total = (np.where(defined, measured, 0.0) * weights).sum(axis=1)
    weight = (defined * weights).sum(axis=1)
    mean: FloatArray = np.divide(total, weight, out=np.full_like(total, np.nan), where=weight > 0)
    return mean


def _row(
    coded: Coded, code: int, base: int, stratum: str, mine: BoolArray, point: FloatArray, drawn: FloatArray
) -> dict[str, object]:
    pair = (coded.rows(code) | coded.rows(base)) & mine[coded.clip]
    clips = np.intersect1d(coded.clip[coded.rows(code) & pair], coded.clip[coded.rows(base) & pair])
    n_raters = len(np.unique(coded.rater[pair]))
    reason = "no clip rated in both" if not len(clips) else ""
    if not reason:
        unknown = missing_raters(coded, pair)
        reason = (unknown and f"{unknown}: no interval") or too_few(n_raters, len(clips))
    bounds = np.full((2, 2), np.nan) if reason else centred_interval(drawn, point)
    return {
        "condition": coded.conditions[code],
        "ambiguity": stratum,
        "js_divergence": point[0],
        "top2_accuracy": point[1],
        "n_clips": len(clips),
        "js_ci_low": bounds[0, 0],
        "js_ci_high": bounds[0, 1],
        "top2_ci_low": bounds[1, 0],
        "top2_ci_high": bounds[1, 1],
        "note": reason or few_clusters(n_raters, len(clips)),
    }


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)
