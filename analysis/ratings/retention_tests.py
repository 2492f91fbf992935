"""Whether two conditions differ in emotion retention: a permutation test within clips."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.labels import BoolArray, f1_scores, macro_mean, threshold_votes
from analysis.ratings.coding import Coded, FloatArray
from analysis.ratings.contrasts import holm
from analysis.ratings.votes import label_votes

COLUMNS = ("condition_a", "condition_b", "macro_f1_a", "macro_f1_b", "difference", "p", "p_holm", "n_clips", "note")
PERMUTATIONS = 9999
_TYPES = dict.fromkeys(COLUMNS[2:7], "float64")
_BLOCK = 1000


def retention_contrasts(
    coded: Coded, emotions: Sequence[str], reference: str, seed: int = 0, permutations: int = PERMUTATIONS
) -> pd.DataFrame:
    """Every pair of conditions but the reference: difference in macro-F1 and its permutation p, frame with `COLUMNS`.

    Over the clips rated in both and in the reference: if the two conditions did the same to every clip, their votes for a clip
    could be swapped. Each permutation swaps them with probability 1/2, clip by clip; p = (1 + number of permutations whose
    difference is at least as large in size) / (1 + permutations). ``p_holm`` corrects over the pairs. Each pair's stream comes
    from ``seed`` and its own place among the conditions present. No rater ids are needed. NaN without a clip in common.
    """
    sets, voted = _label_sets(coded, emotions)
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    rows = []
    others = [code for code in sets if code != base]
    for number, (first, second) in enumerate(combinations(others, 2)):
        row: dict[str, object] = {
            "condition_a": coded.conditions[first],
            "condition_b": coded.conditions[second],
            "n_clips": 0,
        }
        clips = voted[first] & voted[second] & voted[base] if base in sets else np.zeros(len(coded.clips), dtype=bool)
        if not clips.any():
            why = "no clip rated in both and in the reference" if base in sets else f"no ratings of the reference '{reference}'"
            rows.append(row | {"note": why})
            continue
        a, b, truth = (sets[code][:, clips] for code in (first, second, base))
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        rows.append(row | {"n_clips": int(clips.sum()), "note": ""} | compare_label_sets(a, b, truth, permutations, rng))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)
    return table.assign(p_holm=holm(table["p"]))


def _label_sets(coded: Coded, emotions: Sequence[str]) -> tuple[dict[int, BoolArray], dict[int, BoolArray]]:
    totals = {code: votes.totals() for code, votes in label_votes(coded, emotions, len(coded.raters)).items()}
    sets = {code: threshold_votes(votes, axis=0) for code, votes in totals.items()}
    return sets, {code: votes.sum(axis=0) > 0 for code, votes in totals.items()}


def compare_label_sets(
    a: BoolArray,
    b: BoolArray,
    truth: BoolArray,
    permutations: int,
    rng: np.random.Generator,
    cluster: npt.NDArray[np.intp] | None = None,
) -> dict[str, Any]:
    """Macro-F1 of two lists of label sets for the same clips against the true ones, their difference and its permutation p.

    Arrays are (emotions, clips). A swap moves a clip's counts from one side to the other; clips with one number in ``cluster`` are
    swapped together.
    """
    support = truth.sum(axis=1, dtype=np.float64)[:, None]
    hits = [(side & truth).astype(np.float64) for side in (a, b)]
    made = [side.astype(np.float64) for side in (a, b)]
    # Whole numbers of clips are exact in single precision; one product for both kinds of counts.
    moved = np.concatenate([hits[1] - hits[0], made[1] - made[0]]).astype(np.float32)
    if cluster is not None:
        numbers, member = np.unique(cluster, return_inverse=True)
        moved = moved @ (member[:, None] == np.arange(len(numbers))).astype(np.float32)

    def macro(swapped: npt.NDArray[np.float32]) -> tuple[FloatArray, FloatArray]:
        """Macro-F1 of both sides for swaps (clips, b) of 0 and 1."""
        flow = np.split((moved @ swapped).astype(np.float64), 2)
        scores = []
        for side, sign in ((0, 1), (1, -1)):
            both = hits[side].sum(axis=1)[:, None] + sign * flow[0]
            predicted = made[side].sum(axis=1)[:, None] + sign * flow[1]
            scores.append(macro_mean(f1_scores(both, predicted - both, support - both), axis=0))
        return scores[0], scores[1]

    score_a, score_b = (float(score[0]) for score in macro(np.zeros((moved.shape[1], 1), dtype=np.float32)))
    difference = score_a - score_b
    if np.isnan(difference):
        return {"macro_f1_a": score_a, "macro_f1_b": score_b, "note": "no emotion in any label set"}
    extreme = 0
    for start in range(0, permutations, _BLOCK):
        first, second = macro(_swaps(moved.shape[1], min(_BLOCK, permutations - start), rng))
        extreme += int((np.abs(first - second) >= abs(difference) - 1e-12).sum())
    p = (1 + extreme) / (1 + permutations)
    return {"macro_f1_a": score_a, "macro_f1_b": score_b, "difference": difference, "p": p}


def _swaps(n_clips: int, size: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Which clips are swapped, 0 or 1 with equal chance: array (n_clips, size)."""
    return rng.integers(0, 2, size=(n_clips, size), dtype=np.uint8).astype(np.float32)
