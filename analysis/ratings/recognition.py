"""How often single raters name the emotion that the original carries: recognition, rating by rater and without a threshold.

Emotion retention compares label sets, and a label set takes many votes. This compares every single rating with one emotion, the one
that most votes for the original name. It answers how sure one listener can be, and its bootstrap has no bias to take back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.labels import BoolArray, f1_scores, label_matrix, macro_mean
from analysis.ratings.bootstrap import FEW, percentile_interval
from analysis.ratings.coding import Coded, FloatArray, IntArray, count_matrix, missing_raters
from analysis.ratings.rater_bootstrap import rater_macro_f1

COLUMNS = ("condition", "macro_f1", "ci_low", "ci_high", "accuracy", "n_ratings", "n_raters", "n_clips", "note")
_TYPES = dict.fromkeys(COLUMNS[1:5], "float64")


@dataclass(frozen=True)
class _Judged:
    """Which ratings are judged, which of them name the emotion of the original, and both by rater, condition and emotion."""

    rows: BoolArray
    right: BoolArray
    hits: FloatArray
    named: FloatArray
    support: FloatArray

    def replicates(self, replicates: int, seed: int) -> FloatArray:
        return rater_macro_f1(self.hits[:-1], self.named[:-1], self.support[:-1], replicates, seed)


def recognition(coded: Coded, emotions: Sequence[str], reference: str, replicates: int, seed: int) -> pd.DataFrame:
    """Every condition's ratings against the emotion of the original: frame with `COLUMNS`.

    The emotion of a clip is the one with most votes in ``reference``; a clip whose first place is shared is left out. The reference's own
    ratings are judged by the votes of the others, never by their own. ``macro_f1`` is over emotions, with a rating's labels as its
    answer; ``accuracy`` the share of ratings that name the emotion, perhaps among others. Intervals: percentiles over resampled raters,
    about these clips. NaN with a note where undefined.
    """
    judged = _judge(coded, emotions, reference)
    both, made, true = (table.sum(axis=0) for table in (judged.hits, judged.named, judged.support))
    scores = macro_mean(f1_scores(both, made - both, true - both))
    bounds, rows = percentile_interval(judged.replicates(replicates, seed)), []
    for place, code in enumerate(coded.present()):
        mine = coded.rows(code) & judged.rows
        n, raters = int(mine.sum()), len(np.unique(coded.rater[mine & (coded.rater >= 0)]))
        row: dict[str, object] = {"condition": coded.conditions[code], "n_ratings": n, "n_raters": raters}
        row["n_clips"] = len(np.unique(coded.clip[mine]))
        unknown = missing_raters(coded, mine) if n else ""
        if not n:
            there = reference in coded.conditions
            row["note"] = "no clip with one emotion in first place" if there else f"no ratings of the reference '{reference}'"
        else:
            row |= {"macro_f1": scores[place], "accuracy": judged.right[mine].mean()}
            row["note"] = f"{unknown}: no interval" if unknown else "one rater" if raters < 2 else ""
            if not row["note"]:
                row |= {"ci_low": bounds[place, 0], "ci_high": bounds[place, 1]}
                row["note"] = f"only {raters} raters: the interval is a rough one" if raters < FEW else ""
        rows.append(row)
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)


def recognition_replicates(coded: Coded, emotions: Sequence[str], reference: str, replicates: int, seed: int) -> FloatArray:
    """Macro-F1 of `recognition` in every replicate, conditions in the order of ``coded.present()``: array (conditions, replicates)."""
    return _judge(coded, emotions, reference).replicates(replicates, seed)


def _judge(coded: Coded, emotions: Sequence[str], reference: str) -> _Judged:
    cells, names = pd.factorize(coded.labels)
    chosen = label_matrix(list(names), emotions)[cells]
    original = coded.rows(coded.conditions.index(reference) if reference in coded.conditions else -1)
    votes = np.zeros((len(coded.clips), len(emotions)))
    np.add.at(votes, coded.clip[original], chosen[original].astype(np.float64))
    truth = _first(votes[coded.clip] - chosen * original[:, None])
    judged = truth >= 0
    true = np.zeros_like(chosen)
    true[judged, truth[judged]] = True
    answers = chosen & judged[:, None]
    hits, named, support = (_by_rater(coded, table) for table in (answers & true, answers, true))
    return _Judged(judged, (answers & true).any(axis=1), hits, named, support)


def _by_rater(coded: Coded, marks: BoolArray) -> FloatArray:
    """Sums of marks (n, labels) by rater, condition present and label: array (raters + 1, conditions, labels), unknown raters last."""
    present = coded.present()
    rater = np.where(coded.rater < 0, len(coded.raters), coded.rater)
    row, label = np.nonzero(marks)
    cell = np.searchsorted(present, coded.condition[row]) * marks.shape[1] + label
    shape = (len(coded.raters) + 1, len(present) * marks.shape[1])
    table: FloatArray = count_matrix(rater[row], cell, shape).toarray().reshape(shape[0], len(present), -1)
    return table


def _first(votes: FloatArray) -> IntArray:
    """The label with most votes, row by row: (n, labels) -> (n,); -1 where nobody voted or the first place is shared."""
    most = votes.max(axis=1)
    alone = (votes == most[:, None]).sum(axis=1) == 1
    result: IntArray = np.where(alone & (most > 0), votes.argmax(axis=1), -1)
    return result
