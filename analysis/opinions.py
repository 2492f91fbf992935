"""What people say, in the shape in which a machine is compared with it: per stimulus, per condition, and in every replicate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.labels import js_divergence
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded
from analysis.ratings.mos import mos_by_condition, mos_by_stimulus
from analysis.ratings.retention import Retention, emotion_retention
from analysis.ratings.votes import label_votes

FloatArray = npt.NDArray[np.float64]

#: Emotion retention among the scales: macro-F1 of a condition; of a stimulus 1 - the JS divergence of its votes from the original's.
RETENTION = "retention"
EMOTION_SCALE = "emotion"


@dataclass(frozen=True)
class Opinion:
    """What people say on one scale. ``stimuli``: clip_id, condition, value, half; ``conditions``: value, low, high by condition.

    ``drawn`` maps a condition to its value in every replicate.
    """

    scale: str
    stimuli: pd.DataFrame
    conditions: pd.DataFrame
    drawn: Mapping[str, FloatArray]


def opinions_of(
    scales: Mapping[str, Coded], options: Sequence[str], reference: str, bootstrap: CrossedBootstrap, drawn_clips: FloatArray
) -> tuple[list[Opinion], Retention | None]:
    """Opinions on every numeric scale, then on emotion retention where there is any; and the retention itself."""
    table = mos_by_condition(scales, bootstrap)
    stimuli = mos_by_stimulus(scales)
    people = []
    for scale, drawn in table.replicates.items():
        mine = table.frame[table.frame["scale"] == scale].set_index("condition")
        conditions = mine[["mos", "ci_low", "ci_high"]].set_axis(["value", "low", "high"], axis=1)
        votes = stimuli[stimuli["scale"] == scale]
        votes = votes.assign(value=votes["mos"], half=(votes["ci_high"] - votes["ci_low"]) / 2)
        if not any(np.isfinite(one).any() for one in drawn.values()):  # nobody knows the raters: clips alone are drawn
            drawn = _by_clips(scales[scale], drawn_clips)
        people.append(Opinion(scale, votes[["clip_id", "condition", "value", "half"]], conditions, drawn))
    coded = scales.get(EMOTION_SCALE)
    if coded is None or reference not in coded.conditions:
        return people, None
    retention = emotion_retention(coded, options, reference, bootstrap)
    scored = retention.overall[retention.overall["macro_f1"].notna()].set_index("condition")
    conditions = scored[["macro_f1", "ci_low", "ci_high"]].set_axis(["value", "low", "high"], axis=1)
    # replicates lie below the estimate by the noise of a second resampling, which differs between conditions
    drawn = {
        name: retention.replicates[name] - _mean(retention.replicates[name]) + scored.at[name, "macro_f1"]
        for name in scored.index
    }
    people.append(Opinion(RETENTION, _kept(coded, options, reference), conditions, drawn))
    return people, retention


def _by_clips(coded: Coded, drawn_clips: FloatArray) -> dict[str, FloatArray]:
    drawn = {}
    for code in coded.present():
        rows = coded.rows(code)
        sums, counts = (np.bincount(coded.clip[rows], of, len(coded.clips)) for of in (coded.value[rows], None))
        drawn[coded.conditions[code]] = ratio(sums @ drawn_clips, counts @ drawn_clips)
    return drawn


def _kept(coded: Coded, options: Sequence[str], reference: str) -> pd.DataFrame:
    """1 - the JS divergence of every stimulus' votes from those of its original, range 0..1."""
    votes = {code: table.totals() for code, table in label_votes(coded, options, len(coded.raters)).items()}
    base = coded.conditions.index(reference)
    tables = []
    for code, counts in votes.items():
        if code != base:
            kept = 1 - js_divergence(counts, votes[base], axis=0)
            tables.append(
                pd.DataFrame({"clip_id": coded.clips, "condition": coded.conditions[code], "value": kept, "half": np.nan})
            )
    return (
        pd.concat(tables, ignore_index=True).dropna(subset="value")
        if tables
        else pd.DataFrame(columns=["clip_id", "condition", "value", "half"])
    )


def ratio(total: FloatArray, count: FloatArray) -> FloatArray:
    """``total`` / ``count``, NaN where nothing was counted."""
    quotient: FloatArray = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=np.asarray(count) > 0)
    return quotient


def _mean(values: FloatArray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
