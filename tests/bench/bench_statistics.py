"""How much faster the statistics are than the slow way, with the same answers: prints ratios, passes no judgement on them.

1e6 ratings, 20 conditions, 20,000 raters, 10,000 replicates. Ours and theirs are both extrapolated from a few replicates, in CPU
seconds of one thread, because cost per replicate is constant; every line says from how many. Answers are compared on the replicates run.
"""

from time import process_time

import numpy as np
import pandas as pd
import pytest

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded
from analysis.ratings.mos import mos_by_condition

RATINGS, RATERS, CLIPS, CONDITIONS, REPLICATES = 1_000_000, 20_000, 2_500, 20, 10_000
OURS, THEIRS = 256, 3


@pytest.fixture(scope="module")
def votes() -> Coded:
    rng = np.random.default_rng(0)
    rater = np.repeat(np.arange(RATERS), RATINGS // RATERS)
    clip, condition = rng.integers(0, CLIPS, RATINGS), rng.integers(0, CONDITIONS, RATINGS)
    value = np.clip(np.rint(3 + rng.normal(0, 0.4, RATERS)[rater] + rng.normal(0, 0.8, RATINGS)), 1, 5)
    raters, clips, conditions = (
        tuple(f"{letter}{i:05d}" for i in range(n)) for letter, n in (("r", RATERS), ("c", CLIPS), ("k", CONDITIONS))
    )
    stimulus = condition * CLIPS + clip
    stimuli = tuple(map(str, range(CLIPS * CONDITIONS)))
    labels = np.full(RATINGS, "", dtype=object)
    return Coded("plain", raters, clips, conditions, stimuli, rater, clip, condition, stimulus, value, labels)


def test_crossed_bootstrap_against_numpy_and_pandas(votes: Coded) -> None:
    bootstrap = CrossedBootstrap(RATERS, CLIPS, OURS, 1)
    mos_by_condition({"plain": votes}, CrossedBootstrap(RATERS, CLIPS, 32, 1), interval="percentile")  # warms up
    start = process_time()
    ours = mos_by_condition({"plain": votes}, bootstrap, interval="percentile").replicates["plain"]
    per_replicate = (process_time() - start) / OURS
    raters, clips = next(bootstrap.blocks())
    start = process_time()
    slow = []
    for column in range(THEIRS):
        weight = raters[votes.rater, column] * clips[votes.clip, column]
        slow.append(np.bincount(votes.condition, weight * votes.value) / np.bincount(votes.condition, weight))
    numpy_way = (process_time() - start) / THEIRS
    np.testing.assert_allclose(np.array([ours[name][:THEIRS] for name in votes.conditions]).T, slow)
    frame = pd.DataFrame({"rater": votes.rater, "clip": votes.clip, "condition": votes.condition, "value": votes.value})
    start = process_time()
    weight = frame["rater"].map(pd.Series(raters[:, 0])) * frame["clip"].map(pd.Series(clips[:, 0]))
    sums = frame.assign(weight=weight, weighted=weight * frame["value"]).groupby("condition")[["weighted", "weight"]].sum()
    pandas_way = process_time() - start
    np.testing.assert_allclose(sums["weighted"] / sums["weight"], slow[0])
    print(
        f"\ncrossed bootstrap, {REPLICATES:,} replicates: ours {per_replicate * REPLICATES:.0f} s (from {OURS}, tables included), "
        f"NumPy {numpy_way * REPLICATES:.0f} s (from {THEIRS}, {numpy_way / per_replicate:.1f} x), "
        f"pandas {pandas_way * REPLICATES:.0f} s (from 1, {pandas_way / per_replicate:.0f} x)"
    )
