"""Subjective emotion retention: how far listeners hear in coded speech the emotions that listeners hear in the original.

The votes of a clip in a condition become a label set (`analysis.labels.threshold_votes`: share > 1/n of the n emotions on
offer). The label sets of a condition are compared with those of the reference over all clips rated in both: F1 per emotion,
and their mean over emotions, macro-F1. Source: the listening test of Emo-Codec; thresholded distributions as in EMO-SUPERB
(Wu et al. 2024), computed once over all clips.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.labels import f1_scores, macro_mean
from analysis.ratings.bootstrap import CrossedBootstrap, centred_interval, few_clusters, too_few
from analysis.ratings.coding import Coded, FloatArray, joined, missing_raters
from analysis.ratings.votes import Votes, label_votes, with_unknown

COLUMNS = ("condition", "macro_f1", "ci_low", "ci_high", "n_clips", "n_ratings", "n_emotions", "bootstrap_mean", "note")
EMOTION_COLUMNS = ("condition", "emotion", "f1", "ci_low", "ci_high", "support", "predicted", "n_clips", "note")
_BOUNDS = {"ci_low": "float64", "ci_high": "float64"}
_TYPES = _BOUNDS | {"macro_f1": "float64", "bootstrap_mean": "float64", "n_emotions": "Int64"}
_EMOTION_TYPES = _BOUNDS | {"f1": "float64", "support": "Int64", "predicted": "Int64"}


@dataclass(frozen=True)
class Retention:
    """``overall``: one row per condition (`COLUMNS`). ``by_emotion``: one per condition and emotion (`EMOTION_COLUMNS`).

    ``replicates`` maps a scored condition to its macro-F1 in every bootstrap replicate. The reference is the yardstick: its
    own rows are NaN with the note 'reference'. Every other NaN has its reason in ``note``.
    """

    overall: pd.DataFrame
    by_emotion: pd.DataFrame
    replicates: Mapping[str, FloatArray]


@dataclass(frozen=True)
class _Matches:
    """Clips in both label sets, in the condition's and in the reference's, per emotion and replicate: arrays (emotions, b)."""

    both: FloatArray
    predicted: FloatArray
    support: FloatArray

    def f1(self) -> FloatArray:
        return f1_scores(self.both, self.predicted - self.both, self.support - self.both)


def emotion_retention(coded: Coded, emotions: Sequence[str], reference: str, bootstrap: CrossedBootstrap) -> Retention:
    """Macro-F1 and F1 per emotion of every condition against ``reference``, with intervals over raters and clips.

    ``emotions`` are the options that raters had; n = len(emotions) sets the threshold. Scores are in 0..1. An emotion in no
    label set of either side has no F1; macro-F1 is the mean over the others and the note names those left out. Intervals are
    bootstrap percentiles moved by the bootstrap's bias (`centred_interval`), since resampling adds vote noise, which lowers F1.
    Without ratings of the reference all scores are NaN with that reason. Raises SchemaError for a label that is no option.
    """
    votes = label_votes(coded, emotions, bootstrap.n_raters)
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    others = {code: table for code, table in votes.items() if base in votes and code != base}
    ones = np.ones((bootstrap.n_raters + 1, 1)), np.ones((len(coded.clips), 1))
    points = _compare(votes.get(base), others, [ones])
    draws = _compare(votes.get(base), others, with_unknown(bootstrap))
    overall, by_emotion = [], []
    for code in votes:
        if code in others:
            row, detail = _scored(coded, code, base, emotions, points[code], draws[code])
        else:
            reason = "reference" if code == base else f"no ratings of the reference '{reference}'"
            row, detail = _unscored(coded, code, emotions, reason)
        overall.append(row)
        by_emotion.extend(detail)
    return Retention(
        pd.DataFrame(overall, columns=list(COLUMNS)).astype(_TYPES),
        pd.DataFrame(by_emotion, columns=list(EMOTION_COLUMNS)).astype(_EMOTION_TYPES),
        {coded.conditions[code]: macro_mean(matches.f1(), axis=0) for code, matches in draws.items()},
    )


def _compare(
    truth: Votes | None, others: Mapping[int, Votes], draws: Iterable[tuple[FloatArray, FloatArray]]
) -> dict[int, _Matches]:
    """Matches of every condition with the reference under each draw of raters and clips."""
    if truth is None or not others:
        return {}
    blocks: dict[int, list[FloatArray]] = {code: [] for code in others}
    for raters, clips in draws:
        true_sets, true_voted = truth.sets(raters)
        for code, table in others.items():
            sets, voted = table.sets(raters)
            weight = clips * (voted & true_voted)
            blocks[code].append(np.stack([(part * weight).sum(axis=1) for part in (sets & true_sets, sets, true_sets)]))
    return {code: _Matches(*np.concatenate(parts, axis=-1)) for code, parts in blocks.items()}


def _scored(
    coded: Coded, code: int, base: int, emotions: Sequence[str], point: _Matches, draws: _Matches
) -> tuple[dict[str, object], list[dict[str, object]]]:
    pair = coded.rows(code) | coded.rows(base)
    clips = np.intersect1d(coded.clip[coded.rows(code)], coded.clip[coded.rows(base)])
    n_raters = len(np.unique(coded.rater[pair]))
    unknown = missing_raters(coded, pair)
    reason = (
        "no clip rated in both" if not len(clips) else (unknown and f"{unknown}: no interval") or too_few(n_raters, len(clips))
    )
    f1, replicates = point.f1()[:, 0], draws.f1()
    macro, macro_replicates = macro_mean(f1), macro_mean(replicates, axis=0)
    bounds = np.full((len(emotions) + 1, 2), np.nan)
    if not reason:
        bounds = centred_interval(np.vstack([macro_replicates, replicates]), np.append(macro, f1))
    undefined = [name for name, score in zip(emotions, f1, strict=True) if np.isnan(score)]
    said = f"without {', '.join(undefined)}: in no label set of either side" if undefined else ""
    overall = {
        "condition": coded.conditions[code],
        "macro_f1": float(macro),
        "ci_low": bounds[0, 0],
        "ci_high": bounds[0, 1],
        "n_clips": len(clips),
        "n_ratings": int(coded.rows(code).sum()),
        "n_emotions": len(emotions) - len(undefined),
        "bootstrap_mean": np.nan if reason else float(macro_mean(macro_replicates)),
        "note": joined([reason or few_clusters(n_raters, len(clips)), said]),
    }
    detail = [
        {
            "condition": coded.conditions[code],
            "emotion": name,
            "f1": f1[index],
            "ci_low": bounds[index + 1, 0],
            "ci_high": bounds[index + 1, 1],
            "support": int(point.support[index, 0]),
            "predicted": int(point.predicted[index, 0]),
            "n_clips": len(clips),
            "note": "in no label set of either side" if np.isnan(f1[index]) else reason,
        }
        for index, name in enumerate(emotions)
    ]
    return overall, detail


def _unscored(
    coded: Coded, code: int, emotions: Sequence[str], reason: str
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Rows of a condition that has no score: numbers of the frame that stay NaN are simply not given."""
    row = {"condition": coded.conditions[code], "note": reason, "n_clips": len(np.unique(coded.clip[coded.rows(code)]))}
    return row | {"n_ratings": int(coded.rows(code).sum())}, [row | {"emotion": name} for name in emotions]
