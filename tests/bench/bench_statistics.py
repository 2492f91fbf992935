"""How much faster the statistics are than the slow way, with the same answers: prints ratios, passes no judgement on them.

1e6 ratings, 20 conditions, 20,000 raters, 10,000 replicates, in CPU seconds of one thread. The bootstraps over raters run in full. The
crossed one is extrapolated from two lengths, which tells its cost per replicate from what is done once; the slow ways from a few
replicates, whose cost is constant. Every line says from how many. Answers are compared on the replicates run.
"""

from collections.abc import Callable, Mapping
from functools import partial
from time import process_time

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded
from analysis.ratings.mos import mos_by_condition
from analysis.ratings.rater_bootstrap import draw_weights, rater_means
from analysis.ratings.recognition import recognition_replicates

RATINGS, RATERS, CLIPS, CONDITIONS, REPLICATES = 1_000_000, 20_000, 2_500, 20, 10_000
SHORT, LONG, THEIRS = 64, 576, 3
EMOTIONS = tuple("abcdefghi")


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
    heard = np.where(rng.random(RATINGS) < 0.7 - 0.01 * condition, clip % 9, rng.integers(0, 9, RATINGS))
    labels = np.array(EMOTIONS, dtype=object)[heard]
    return Coded("plain", raters, clips, conditions, stimuli, rater, clip, condition, stimulus, value, labels)


def seconds(job: Callable[[], object]) -> float:
    start = process_time()
    job()
    return process_time() - start


def said(what: str, ours: float, how: str, theirs: dict[str, tuple[float, int]]) -> None:
    """Ours in seconds; theirs in seconds per replicate, with the number of replicates measured."""
    slow = ", ".join(
        f"{name} {per * REPLICATES:,.0f} s (from {n}, {per * REPLICATES / ours:,.1f} x)" for name, (per, n) in theirs.items()
    )
    print(f"\n{what}, {REPLICATES:,} replicates: ours {ours:.1f} s ({how}), {slow}")


def test_crossed_bootstrap_against_numpy_and_pandas(votes: Coded) -> None:
    def run(replicates: int) -> Mapping[str, np.ndarray]:
        bootstrap = CrossedBootstrap(RATERS, CLIPS, replicates, 1)
        return mos_by_condition({"plain": votes}, bootstrap, interval="percentile").replicates["plain"]

    ours = run(SHORT)  # warms up
    short, long = (seconds(partial(run, n)) for n in (SHORT, LONG))
    each = (long - short) / (LONG - SHORT)
    raters, clips = next(CrossedBootstrap(RATERS, CLIPS, SHORT, 1).blocks())
    slow = []

    def numpy_way() -> None:
        for column in range(THEIRS):
            weight = raters[votes.rater, column] * clips[votes.clip, column]
            slow.append(np.bincount(votes.condition, weight * votes.value) / np.bincount(votes.condition, weight))

    by_numpy = seconds(numpy_way) / THEIRS
    np.testing.assert_allclose(np.array([ours[name][:THEIRS] for name in votes.conditions]).T, slow)
    frame = pd.DataFrame({"rater": votes.rater, "clip": votes.clip, "condition": votes.condition, "value": votes.value})
    start = process_time()
    weight = frame["rater"].map(pd.Series(raters[:, 0])) * frame["clip"].map(pd.Series(clips[:, 0]))
    sums = frame.assign(weight=weight, weighted=weight * frame["value"]).groupby("condition")[["weighted", "weight"]].sum()
    by_pandas = process_time() - start
    np.testing.assert_allclose(sums["weighted"] / sums["weight"], slow[0])
    total = short - each * SHORT + each * REPLICATES
    how = f"from {SHORT} and {LONG}, of which {short - each * SHORT:.1f} s once"
    said("crossed bootstrap of 20 means", total, how, {"NumPy": (by_numpy, THEIRS), "pandas": (by_pandas, 1)})


def test_rater_bootstrap_against_a_pandas_loop(votes: Coded) -> None:
    rater_means(votes, 8, 1)
    start = process_time()
    ours = rater_means(votes, REPLICATES, 1)
    total = process_time() - start
    frame = pd.DataFrame({"condition": votes.condition, "value": votes.value})
    by_rater = list(frame.groupby(votes.rater).indices.values())
    weights = next(draw_weights(RATERS, REPLICATES, 1))

    def replicate(weight: np.ndarray) -> pd.Series:
        """A study again: the rows of every rater drawn, as often as drawn, put together and averaged by condition."""
        rows = np.concatenate([by_rater[rater] for rater in np.repeat(np.arange(RATERS), weight.astype(int))])
        return frame.iloc[rows].groupby("condition")["value"].mean()

    start = process_time()
    slow = np.array([replicate(weights[number]) for number in range(THEIRS)]).T
    by_pandas = (process_time() - start) / THEIRS
    np.testing.assert_allclose(ours[:, :THEIRS], slow)
    said("rater bootstrap of 20 means", total, "in full", {"pandas": (by_pandas, THEIRS)})


def test_macro_f1_bootstrap_against_a_scikit_learn_loop(votes: Coded) -> None:
    recognition_replicates(votes, EMOTIONS, votes.conditions[0], 8, 1)
    start = process_time()
    ours = recognition_replicates(votes, EMOTIONS, votes.conditions[0], REPLICATES, 1)
    total = process_time() - start
    counts = np.zeros((CLIPS, 9))
    original = votes.rows(0)
    answer = votes.labels.astype("U1").view(np.int32) - ord("a")
    np.add.at(counts, (votes.clip[original], answer[original]), 1)
    best = np.sort(counts, axis=1)
    truth, clear = counts.argmax(axis=1), best[:, -1] > best[:, -2]
    weights = next(draw_weights(RATERS, REPLICATES, 1))
    start = process_time()
    for code in range(1, CONDITIONS):
        rows = votes.rows(code) & clear[votes.clip]
        weight = weights[0][votes.rater[rows]]
        score = f1_score(truth[votes.clip[rows]], answer[rows], average="macro", sample_weight=weight)
        np.testing.assert_allclose(ours[code, 0], score)
    by_sklearn = process_time() - start
    said("macro-F1 of 19 conditions by rater", total, "in full, tables included", {"scikit-learn": (by_sklearn, 1)})
