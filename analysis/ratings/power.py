"""How many votes a half-width takes: planned from the variances of the ratings at hand, not from votes taken as independent.

The variance of a MOS over raters and clips is V_rater sum n_r^2 / n^2 + V_clip sum n_c^2 / n^2 + V_residual / n. More votes per clip lower
the last part, more raters the first; clips set a floor that no number of raters goes below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import scipy

from analysis.ratings.bootstrap import LEVEL
from analysis.ratings.coding import Coded, FloatArray, encode, joined
from analysis.ratings.mixed import CrossedFit, crossed_components, unfit
from analysis.schema import SchemaError, select_usable

COLUMNS = (
    *("scale", "condition", "n_votes", "n_raters", "n_clips", "half_width_now", "half_width", "votes_needed", "more_votes"),
    *("raters_needed", "naive_votes", "design_effect", "paired_half_width_now", "note"),
)
_MOST = 2**40


def votes_needed(ratings: pd.DataFrame, half_width: float) -> pd.DataFrame:
    """Votes and raters that give every condition's MOS a 95 % half-width of ``half_width``: frame with `COLUMNS`.

    Variances come from `mixed.crossed_components` over all conditions of a scale. ``half_width_now`` is that of the votes at hand
    under the model. ``votes_needed``: clips and votes per rater stay as they are and raters are added; NaN where the clips alone
    are too few, and the note says how many clips would do. ``naive_votes`` is (1.96 sd / half_width)^2, which takes votes as
    independent; ``design_effect`` is the present variance over that of independent votes. ``paired_half_width_now`` is that
    of a difference between two conditions heard by the same raters on the same clips, where both their variances cancel.

    Raises SchemaError for a half-width that is not positive or a frame without a numeric scale.
    """
    if not half_width > 0:
        raise SchemaError(f"The half-width must be above 0, but it is {half_width:g}.")
    used = select_usable(ratings).used
    scales = [coded for coded in (encode(used) if len(used) else {}).values() if not coded.has_labels]
    if not scales:
        raise SchemaError("There is no rating on a numeric scale to plan from.")
    rows = [row for coded in scales for row in _scale(coded, half_width)]
    types = dict.fromkeys(("half_width_now", "design_effect", "paired_half_width_now"), "float64")
    whole = dict.fromkeys(("votes_needed", "more_votes", "raters_needed", "naive_votes"), "Int64")
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types | whole)


def independent_votes(sd: float, half_width: float, level: float = LEVEL) -> int:
    """Votes that a half-width takes if all were independent: (z sd / half_width)^2, rounded up.

    >>> [independent_votes(0.83, half) for half in (0.5, 0.3, 0.2, 0.1)]
    [11, 30, 67, 265]
    """
    return int(np.ceil((scipy.stats.norm.ppf((1 + level) / 2) * sd / half_width) ** 2 - 1e-9))


def say(row: Mapping[str, Any]) -> str:
    """A row of `votes_needed` as a sentence.

    >>> row = {"scale": "ovrl", "condition": "opus", "half_width_now": 0.21, "n_votes": 450, "half_width": 0.1, "note": ""}
    >>> say(row | {"votes_needed": 2100, "more_votes": 1650, "raters_needed": 70, "naive_votes": 265})
    'ovrl, opus: +-0.21 with 450 votes; +-0.1 takes 2100 votes (1650 more) of 70 raters; 265 if votes were independent.'
    """
    head = f"{row['scale']}, {row['condition']}: "
    if pd.isna(row.get("half_width_now")):
        return f"{head}nothing to plan from: {row['note']}."
    now = f"+-{row['half_width_now']:.2f} with {row['n_votes']} votes; "
    if pd.isna(row["votes_needed"]):
        return f"{head}{now}+-{row['half_width']:g}: {row['note']}."
    needed = (
        f"+-{row['half_width']:g} takes {row['votes_needed']} votes ({row['more_votes']} more) of {row['raters_needed']} raters"
    )
    return (
        f"{head}{now}{needed}; {row['naive_votes']} if votes were independent.{' Note: ' + row['note'] if row['note'] else ''}"
    )


def _scale(coded: Coded, half_width: float) -> list[dict[str, object]]:
    codes = coded.present()
    reason = unfit(coded)
    fit = None if reason else crossed_components(coded.value, np.searchsorted(codes, coded.condition), coded.rater, coded.clip)
    return [_row(coded, code, half_width, fit, reason) for code in codes]


def _row(coded: Coded, code: int, half_width: float, fit: CrossedFit | None, reason: str) -> dict[str, object]:
    rows = coded.rows(code)
    n = int(rows.sum())
    per_rater, per_clip = (
        np.unique(codes[rows], return_counts=True)[1].astype(np.float64) for codes in (coded.rater, coded.clip)
    )
    row: dict[str, object] = {
        "scale": coded.scale,
        "condition": coded.conditions[code],
        "n_votes": n,
        "n_raters": len(per_rater),
        "n_clips": len(per_clip),
        "half_width": half_width,
    }
    if fit is None:
        return row | {"note": reason}
    sd = np.sqrt(fit.rater_variance + fit.clip_variance + fit.residual_variance)
    now = _variance(fit, n, per_rater, per_clip)
    quantile = scipy.stats.t.ppf((1 + LEVEL) / 2, max(min(len(per_rater), len(per_clip)) - 1, 1))
    needed = _search(fit, half_width, per_rater, per_clip)
    row |= {
        "half_width_now": quantile * np.sqrt(now),
        "naive_votes": independent_votes(float(sd), half_width),
        "design_effect": now / (sd**2 / n),
        "paired_half_width_now": quantile * np.sqrt(2 * fit.residual_variance / n),
    }
    if needed is None:
        floor = (scipy.stats.norm.ppf((1 + LEVEL) / 2) / half_width) ** 2 * fit.clip_variance
        spelt = f"no number of raters is enough with {len(per_clip)} clips: more than {int(np.ceil(floor))} clips are needed"
        return row | {"note": joined([spelt, fit.note])}
    raters = int(np.ceil(needed / per_rater.mean()))
    return row | {"votes_needed": needed, "more_votes": max(needed - n, 0), "raters_needed": raters, "note": fit.note}


def _variance(fit: CrossedFit, n: float, per_rater: FloatArray, per_clip: FloatArray) -> float:
    """Variance of a mean of n votes, their raters and clips shared out as they are now."""
    votes = per_rater.sum()
    of_rater = (per_rater**2).sum() / votes / n
    of_clip = (per_clip**2).sum() / votes**2
    return float(fit.rater_variance * of_rater + fit.clip_variance * of_clip + fit.residual_variance / n)


def _search(fit: CrossedFit, half_width: float, per_rater: FloatArray, per_clip: FloatArray) -> int | None:
    """The least number of votes whose half-width is small enough, by bisection; None where there is none."""

    def wide(n: int) -> bool:
        raters = max(n / per_rater.mean(), 2)
        quantile = scipy.stats.t.ppf((1 + LEVEL) / 2, max(min(raters, len(per_clip)) - 1, 1))
        return bool(quantile * np.sqrt(_variance(fit, n, per_rater, per_clip)) > half_width)

    if wide(_MOST):
        return None
    low, high = 1, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if wide(middle) else (low, middle)
    return high if wide(low) else low
