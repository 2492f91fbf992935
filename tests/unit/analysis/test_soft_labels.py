"""Soft measures and the permutation test against slow, independent computations."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import f1_score

from analysis.labels import js_divergence, threshold_votes, top_two_overlap
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.retention import emotion_retention
from analysis.ratings.retention_tests import retention_contrasts
from analysis.ratings.soft_labels import soft_labels
from analysis.schema import validate_ratings

EMOTIONS = ("anger", "joy", "neutral")


def votes_frame(cells: dict[tuple[str, str], str]) -> pd.DataFrame:
    rows = [
        {
            **{"rater_id": f"r{i}", "stimulus_id": clip + name, "clip_id": clip, "condition": name},
            **{"scale": "emotion", "value": "", "labels": heard},
        }
        for (clip, name), votes in cells.items()
        for i, heard in enumerate(votes.split())
    ]
    return validate_ratings(pd.DataFrame(rows))


def soft_of(frame: pd.DataFrame, replicates: int = 64) -> pd.DataFrame:
    coded = encode(frame)["emotion"]
    bootstrap = CrossedBootstrap(len(coded.raters), len(coded.clips), replicates)
    return soft_labels(coded, EMOTIONS, "original", bootstrap).set_index(["condition", "ambiguity"])


def tables(frame: pd.DataFrame) -> dict[str, pd.DataFrame]:
    mine = frame[frame["scale"] == "emotion"]
    counts = mine.groupby(["condition", "clip_id", "labels"]).size().unstack(fill_value=0).reindex(columns=list(EMOTIONS))
    return {name: counts.loc[name] for name in counts.index.get_level_values(0).unique()}


def test_js_divergence_is_the_square_of_scipys_distance() -> None:
    rng = np.random.default_rng(0)
    p, q = rng.integers(0, 6, (2, 30, 5)) + np.eye(5, dtype=int)[0]
    np.testing.assert_allclose(js_divergence(p, q), jensenshannon(p, q, base=2, axis=1) ** 2, atol=1e-12)
    assert np.isnan(js_divergence([0, 0], [1, 0]))


def test_top_two_overlap_is_the_chance_of_equal_sets_under_random_ties() -> None:
    rng = np.random.default_rng(1)

    def choices(votes: np.ndarray) -> set[frozenset[int]]:
        named = [i for i in range(len(votes)) if votes[i] > 0]
        size = min(2, len(named))
        sets = [frozenset(one) for one in combinations(named, size)]
        best = max(sum(votes[list(one)]) for one in sets)
        return {one for one in sets if sum(votes[list(one)]) == best}

    p, q = rng.integers(0, 4, (2, 300, 4)) + np.eye(4, dtype=int)[1]
    expected = [len(choices(a) & choices(b)) / (len(choices(a)) * len(choices(b))) for a, b in zip(p, q, strict=True)]
    np.testing.assert_allclose(top_two_overlap(p, q), expected)
    assert np.isnan(top_two_overlap([[0, 0]], [[1, 0]])[0])


def test_soft_measures_are_means_over_the_clips_of_a_stratum(make_ratings) -> None:
    frame = make_ratings(n_raters=15)
    by_condition, result = tables(frame), soft_of(frame)
    truth = by_condition["original"]
    low = truth.max(axis=1) * 2 > truth.sum(axis=1)
    assert low.any() and not low.all()
    for name in ("opus-6kbps", "opus-24kbps"):
        distance = jensenshannon(by_condition[name], truth.loc[by_condition[name].index], base=2, axis=1) ** 2
        for stratum, mine in {"all": low | True, "low": low, "high": ~low}.items():
            row = result.loc[(name, stratum)]
            assert row["js_divergence"] == pytest.approx(distance[mine.to_numpy()].mean())
            assert row["n_clips"] == mine.sum()
        assert result.loc[(name, "all"), "js_ci_low"] < result.loc[(name, "all"), "js_ci_high"]


def test_equal_votes_have_no_divergence_and_full_overlap() -> None:
    cells = {"a": "anger anger joy", "b": "joy joy joy"}
    frame = votes_frame({(clip, name): votes for clip, votes in cells.items() for name in ("original", "codec")})
    row = soft_of(frame).loc[("codec", "all")]
    assert (row["js_divergence"], row["top2_accuracy"]) == (0, 1)
    assert (soft_of(frame)["n_clips"] == [2, 2, 0]).all()
    assert soft_of(frame).loc[("codec", "high"), "note"] == "no clip rated in both"


def test_exactly_half_of_the_votes_is_high_ambiguity() -> None:
    cells = {("a", "original"): "anger joy", ("b", "original"): "joy joy anger"}
    frame = votes_frame(cells | {(clip, "codec"): votes for (clip, _), votes in cells.items()})
    assert soft_of(frame)["n_clips"].to_dict() == {("codec", "all"): 2, ("codec", "low"): 1, ("codec", "high"): 1}


def test_without_a_reference_or_rater_ids_the_note_says_so(make_ratings) -> None:
    frame = make_ratings()
    absent = soft_of(frame[frame["condition"] != "original"].reset_index(drop=True))
    assert set(absent["note"]) == {"no ratings of the reference 'original'"} and absent["js_divergence"].isna().all()
    nameless = soft_of(frame.assign(rater_id=""))
    assert nameless["js_divergence"].notna().any() and nameless["js_ci_low"].isna().all()


def test_the_permutation_p_counts_what_a_loop_over_scikit_learn_counts() -> None:
    rng = np.random.default_rng(5)
    clips = [f"c{i}" for i in range(6)]
    cells = {(clip, name): " ".join(rng.choice(EMOTIONS, 5)) for clip in clips for name in ("original", "codec-a", "codec-b")}
    frame = votes_frame(cells)
    coded = encode(frame)["emotion"]
    row = retention_contrasts(coded, EMOTIONS, "original", seed=1, permutations=4000).iloc[0]
    sets = {name: threshold_votes(table.to_numpy()) for name, table in tables(frame).items()}

    def macro(side: np.ndarray) -> float:
        return float(f1_score(sets["original"], side, average="macro", zero_division=np.nan))

    observed = macro(sets["codec-a"]) - macro(sets["codec-b"])
    exact = []
    for swaps in range(2**6):
        swapped = np.array([bool(swaps >> i & 1) for i in range(6)])[:, None]
        a, b = np.where(swapped, sets["codec-b"], sets["codec-a"]), np.where(swapped, sets["codec-a"], sets["codec-b"])
        exact.append(abs(macro(a) - macro(b)) >= abs(observed) - 1e-12)
    assert row["difference"] == pytest.approx(observed)
    assert row["p"] == pytest.approx(np.mean(exact), abs=4 * np.sqrt(0.25 / 4000))


def test_scores_of_a_pair_are_those_of_retention_where_all_clips_are_shared(make_ratings) -> None:
    frame = make_ratings(n_raters=15)
    coded = encode(frame)["emotion"]
    overall = emotion_retention(coded, EMOTIONS, "original", CrossedBootstrap(15, 8, 32)).overall.set_index("condition")
    row = retention_contrasts(coded, EMOTIONS, "original", permutations=50).iloc[0]
    assert row["macro_f1_a"] == pytest.approx(overall.at[row["condition_a"], "macro_f1"])
    assert 1 / 51 <= row["p"] <= row["p_holm"] <= 1


def test_the_permutation_test_keeps_its_level_when_codecs_do_the_same() -> None:
    rng = np.random.default_rng(11)
    found = []
    for _ in range(120):
        cells = {}
        for index in range(12):
            shares = rng.dirichlet(np.ones(3))
            for name in ("original", "codec-a", "codec-b"):
                cells[(f"c{index:02d}", name)] = " ".join(rng.choice(EMOTIONS, 6, p=shares))
        coded = encode(votes_frame(cells))["emotion"]
        found.append(retention_contrasts(coded, EMOTIONS, "original", permutations=199)["p"].iloc[0])
    assert (np.array(found) <= 0.05).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 120)
    assert 0.4 < np.mean(found) < 0.62
