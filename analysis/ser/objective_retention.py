"""Objective retention: how well a machine recognises in coded speech what it recognises in the original.

A prediction becomes a label set by the threshold of `analysis.labels` (> 1/K), the clip's labels do too, and F1 per emotion and its
mean, macro-F1, are computed once over all clips. What coding costs is the relative change of F1 against the originals of the same
clips, in per cent (the form of table 4 of Emo-Codec), with intervals that resample clips, or speakers with all their clips, alike in
every condition; and a permutation test that swaps original and coded clip by clip.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.labels import FloatArray, f1_scores, js_divergence, macro_mean, threshold_votes
from analysis.ratings.bootstrap import CrossedBootstrap, few_clusters, percentile_interval, too_few
from analysis.ratings.coding import joined
from analysis.ratings.contrasts import holm
from analysis.ratings.retention_tests import PERMUTATIONS, compare_label_sets
from analysis.ser.judging import Judgements

COLUMNS = (
    *("condition", "macro_f1", "ci_low", "ci_high", "macro_f1_original", "relative_drop", "drop_low", "drop_high"),
    *("p", "p_holm", "n_clips", "n_speakers", "n_emotions", "note"),
)
EMOTION_COLUMNS = (
    *("condition", "emotion", "f1", "ci_low", "ci_high", "f1_original", "relative_drop", "drop_low", "drop_high"),
    *("support", "predicted", "n_clips", "note"),
)
CLUSTERS = ("clip", "speaker")


@dataclass(frozen=True)
class ObjectiveRetention:
    """``overall``: a row per condition (`COLUMNS`), the originals first. ``by_emotion``: one per condition and emotion."""

    overall: pd.DataFrame
    by_emotion: pd.DataFrame


@dataclass(frozen=True)
class _Counts:
    """Clips with an emotion in both label sets, in the predicted and in the true one: arrays (n_clips, K) of 0 and 1."""

    both: FloatArray
    predicted: FloatArray
    support: FloatArray

    def f1(self, weight: FloatArray) -> FloatArray:
        """F1 per emotion where clips count ``weight`` times: (n_clips, b) in, (K, b) out."""
        both, predicted, support = (counts.T @ weight for counts in (self.both, self.predicted, self.support))
        return f1_scores(both, predicted - both, support - both)


def objective_retention(
    judged: Judgements, *, cluster: str = "clip", replicates: int = 2000, seed: int = 0, permutations: int = PERMUTATIONS
) -> ObjectiveRetention:
    """Scores of every condition over the clips that were judged in it and as originals.

    ``cluster``: what is drawn with all that belongs to it, clips or speakers; the first says what other clips of these speakers would
    give, the second what other speakers would. Undefined is NaN with a note.
    """
    truth, found = threshold_votes(judged.shares).astype(float), threshold_votes(judged.chances).astype(float)
    rows = judged.rows.assign(row=np.arange(len(judged.rows)))[np.isfinite(judged.chances[:, 0])]
    originals = rows[rows["condition"] == judged.reference].set_index("clip_id")
    names = originals.index if cluster == "clip" else originals["speaker"]
    codes, clusters = pd.factorize(names)
    originals = originals.assign(cluster=codes)
    draws = [clips for _, clips in CrossedBootstrap(1, len(clusters), replicates, seed).blocks()]
    overall, by_emotion = [], []
    conditions = dict.fromkeys(judged.rows["condition"])
    for number, condition in enumerate(conditions):
        coded = rows[(rows["condition"] == condition) & rows["clip_id"].isin(originals.index)]
        base = originals.loc[coded["clip_id"]]
        own, before = (
            _Counts(truth[at] * found[at], found[at], truth[at]) for at in (coded["row"].to_numpy(), base["row"].to_numpy())
        )
        members = base["cluster"].to_numpy()
        n_drawn = len(np.unique(members))
        summary = _Summary(own, before, [block[members] for block in draws] if n_drawn > 1 else [])
        row = {
            "condition": condition,
            "n_clips": len(coded),
            "n_speakers": base["speaker"].nunique(),
            "n_emotions": int(np.isfinite(summary.f1).sum()),
        }
        notes = [_too_few(n_drawn, cluster), *_left_out(judged.emotions, summary.f1)]
        if condition == judged.reference:
            overall.append(row | summary.scores() | {"note": joined(["original", *notes])})
        else:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, 1)))
            sets = [one.predicted.T > 0 for one in (own, before)]
            test = compare_label_sets(sets[0], sets[1], own.support.T > 0, permutations, rng, members) if len(coded) else {}
            overall.append(row | summary.scores() | summary.drops() | {"p": test.get("p", np.nan), "note": joined(notes)})
        by_emotion += summary.by_emotion(condition, judged.emotions, len(coded), condition == judged.reference)
    table = pd.DataFrame(overall, columns=list(COLUMNS))
    return ObjectiveRetention(
        table.assign(p_holm=holm(table["p"].to_numpy(dtype=float))), pd.DataFrame(by_emotion, columns=list(EMOTION_COLUMNS))
    )


class _Summary:
    """F1 of a condition and of its clips' originals, now and in every replicate."""

    def __init__(self, own: _Counts, before: _Counts, draws: Sequence[FloatArray]) -> None:
        once = np.ones((len(own.both), 1))
        n_emotions = own.both.shape[1]
        self.own, self.before = own, before
        self.f1, self.f1_before = own.f1(once)[:, 0], before.f1(once)[:, 0]
        nothing = np.full((n_emotions, 1), np.nan)
        self.replicates, self.replicates_before = (
            np.concatenate([side.f1(draw) for draw in draws], axis=1) if draws else nothing for side in (own, before)
        )

    def scores(self) -> dict[str, object]:
        low, high = percentile_interval(macro_mean(self.replicates, axis=0))
        return {"macro_f1": float(macro_mean(self.f1)), "ci_low": low, "ci_high": high}

    def drops(self) -> dict[str, object]:
        before = macro_mean(self.f1_before)
        drawn = _change(macro_mean(self.replicates, axis=0), macro_mean(self.replicates_before, axis=0))
        low, high = percentile_interval(drawn)
        change = float(_change(macro_mean(self.f1), before))
        return {"macro_f1_original": float(before), "relative_drop": change, "drop_low": low, "drop_high": high}

    def by_emotion(self, condition: str, emotions: Sequence[str], n_clips: int, is_original: bool) -> list[dict[str, object]]:
        bounds = percentile_interval(self.replicates)
        change = _change(self.f1, self.f1_before)
        change_bounds = percentile_interval(_change(self.replicates, self.replicates_before))
        never = (
            self.f1 == 0
        )  # drawn again, no clips ever are recognised, and a width of zero would claim a certainty that is not there
        bounds[never], change_bounds[never] = np.nan, np.nan
        rows = []
        for index, emotion in enumerate(emotions):
            row: dict[str, object] = {
                "condition": condition,
                "emotion": emotion,
                "f1": self.f1[index],
                "ci_low": bounds[index, 0],
                "ci_high": bounds[index, 1],
                "support": int(self.own.support[:, index].sum()),
                "predicted": int(self.own.predicted[:, index].sum()),
                "n_clips": n_clips,
                "note": "in no label set of either side" if np.isnan(self.f1[index]) else "original" if is_original else "",
            }
            if not is_original:
                row |= {"f1_original": self.f1_before[index], "relative_drop": change[index]}
                row |= {"drop_low": change_bounds[index, 0], "drop_high": change_bounds[index, 1]}
                if np.isfinite(self.f1[index]) and not self.f1_before[index] > 0:
                    row["note"] = "not recognised in the originals: no relative change"
                elif never[index]:
                    row["note"] = "recognised in no clip: no interval"
            rows.append(row)
        return rows


def scores_by_stimulus(judged: Judgements) -> pd.DataFrame:
    """Two measures of every coded stimulus in the shape of SCORES files: clip_id, condition, reference, degraded, measure, score, reason.

    ``ser_labels`` is 1 - JSD(labels, prediction) and ``ser_original`` 1 - JSD(prediction on the original, prediction), with the
    Jensen-Shannon divergence to base 2: 1 is the same distribution, 0 a disjoint one.
    """
    rows = judged.rows.assign(row=np.arange(len(judged.rows)))
    originals = rows[rows["condition"] == judged.reference].set_index("clip_id")
    coded = rows[rows["condition"] != judged.reference]
    at, base = coded["row"].to_numpy(), originals.loc[coded["clip_id"], "row"].to_numpy()
    reason = [own or before for own, before in zip(coded["problem"], originals.loc[coded["clip_id"], "problem"], strict=True)]
    tables = []
    for measure, other in (("ser_labels", judged.shares[at]), ("ser_original", judged.chances[base])):
        scores = 1 - js_divergence(judged.chances[at], other) if len(at) else np.zeros(0)
        table = coded[["clip_id", "condition"]].assign(
            reference=originals.loc[coded["clip_id"], "path"].to_numpy(), degraded=coded["path"], measure=measure, score=scores
        )
        tables.append(table.assign(reason=reason))
    return pd.concat(tables, ignore_index=True)


def _change(own: FloatArray, before: FloatArray) -> FloatArray:
    """(own - before) / before in per cent, arrays or numbers; NaN where ``before`` is 0 or undefined."""
    change: FloatArray = np.divide(
        100 * (own - before), before, out=np.full(np.shape(before), np.nan), where=np.greater(before, 0)
    )
    return change


def _too_few(n: int, cluster: str) -> str:
    if cluster == "speaker":
        return (
            "fewer than two speakers: no interval"
            if n < 2
            else f"only {n} speakers: the interval is a rough one"
            if n < 20
            else ""
        )
    reason = too_few(2, n)
    return f"{reason}: no interval" if reason else few_clusters(20, n)


def _left_out(emotions: Sequence[str], f1: FloatArray) -> list[str]:
    names = [name for name, score in zip(emotions, f1, strict=True) if np.isnan(score)]
    return [f"without {', '.join(names)}: in no label set of either side"] if names else []
