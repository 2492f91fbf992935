"""Session plans: exactly balanced for every shape of study."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.design import DesignError, Plan, draw_plans, insert_checks
from analysis.order import carry_over, order_sessions, places


@st.composite
def shapes(draw):
    n_clips = draw(st.integers(1, 12))
    return n_clips, draw(st.integers(1, 7)), draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, n_clips))


@settings(max_examples=150, deadline=None)
@given(shapes(), st.integers(0, 2**31))
def test_every_stimulus_gets_its_votes_and_every_session_is_balanced(shape, seed):
    n_clips, n_conditions, n_strata, votes, trials = shape
    clips = [f"clip{i}" for i in range(n_clips)]
    conditions = [f"condition{i}" for i in range(n_conditions)]
    strata = [f"stratum{i}" for i in range(n_strata)]
    plans = draw_plans(clips, conditions, strata, votes, trials, np.random.default_rng(seed))
    count = Counter((plan.stratum, *trial) for plan in plans for trial in plan.trials)
    assert count == {(s, clip, condition): votes for s in strata for clip in clips for condition in conditions}
    for plan in plans:
        heard = [clip for clip, _ in plan.trials]
        assert len(set(heard)) == len(heard) <= trials
        by_condition = Counter(condition for _, condition in plan.trials)
        assert max(by_condition.values()) - min(by_condition[c] for c in conditions) <= 1
    lengths = [len(plan.trials) for plan in plans]
    assert max(lengths) - min(lengths) <= 1


def test_the_emo_codec_design_takes_seventy_raters_of_45_clips():
    clips = [str(i) for i in range(45)]
    plans = draw_plans(clips, list("OABCDEF"), ["female", "male"], 5, 45, np.random.default_rng(0))
    assert len(plans) == 70
    assert {len(plan.trials) for plan in plans} == {45}


def test_the_same_seed_draws_the_same_plans_and_another_seed_others():
    def draw(seed: int) -> list[Plan]:
        return draw_plans(list("abcdef"), list("xyz"), ["f", "m"], 2, 4, np.random.default_rng(seed))

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize(("n_clips", "conditions", "trials"), [(45, "OABCDEF", 45), (24, "OABCDEFG", 12), (40, "OABC", 4)])
def test_each_condition_follows_each_other_and_stands_at_each_place_about_equally_often(n_clips, conditions, trials):
    """Williams's two balances, within two of even; a shuffle of the Emo-Codec design is off by seventeen and seven."""
    plans = draw_plans([str(i) for i in range(n_clips)], list(conditions), ["all"], 10, trials, np.random.default_rng(0))
    sessions = [[conditions.index(condition) for _, condition in plan.trials] for plan in plans]
    orders = [range(len(session)) for session in sessions]
    follows = carry_over(sessions, orders, len(conditions))
    others = follows[~np.eye(len(conditions), dtype=bool)]
    assert np.trace(follows) == 0, "a condition follows itself"
    assert np.abs(others - others.mean()).max() <= 2
    stands = places(sessions, orders, len(conditions))[:, : min(map(len, sessions))]
    assert np.abs(stands - stands.mean(axis=0)).max() <= 2


def test_a_shuffle_would_not_pass_for_balanced():
    rng = np.random.default_rng(0)
    sessions = [[i % 7 for i in range(45)] for _ in range(70)]
    follows = carry_over(sessions, [list(rng.permutation(45)) for _ in sessions], 7)
    assert np.trace(follows) > 100 and np.ptp(follows[~np.eye(7, dtype=bool)]) > 20


def test_a_session_of_one_condition_has_an_order_too():
    assert sorted(order_sessions([[0, 0, 0], [0]], 1, np.random.default_rng(0))[0]) == [0, 1, 2]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (([], ["x"], ["f"], 1, 1), "no clip"),
        ((["a"], [], ["f"], 1, 1), "no condition"),
        ((["a"], ["x"], [], 1, 1), "no stratum"),
        ((["a", "a"], ["x"], ["f"], 1, 1), "twice"),
        ((["a"], ["x"], ["f"], 0, 1), "at least 1"),
        ((["a"], ["x"], ["f"], 1, 2), "nobody hears a clip twice"),
        ((["a"], ["x"], ["f"], 1, 0), "from 1 to 1"),
    ],
)
def test_a_design_that_cannot_be_drawn_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(DesignError, match=sentence):
        draw_plans(*arguments, np.random.default_rng(0))  # type: ignore[call-arg]


@given(n=st.integers(1, 60), k=st.integers(0, 12), seed=st.integers(0, 2**32 - 1))
def test_checks_are_spread_over_a_session_never_first_never_neighbours_and_move_no_trial(n: int, k: int, seed: int) -> None:
    trials, checks = [f"t{i}" for i in range(n)], [f"c{i}" for i in range(k)]
    if k > n:
        with pytest.raises(DesignError, match="fewer checks"):
            insert_checks(trials, checks, np.random.default_rng(seed))
        return
    placed = insert_checks(trials, checks, np.random.default_rng(seed))
    assert [name for name in placed if name[0] == "t"] == trials
    assert sorted(name for name in placed if name[0] == "c") == sorted(checks)
    assert placed[0] == "t0"
    assert not any(a[0] == b[0] == "c" for a, b in pairwise(placed))
    behind = [sum(name[0] == "t" for name in placed[:i]) for i, name in enumerate(placed) if name[0] == "c"]
    edges = [j * n // k for j in range(k + 1)] if k else []
    assert [edges[j] < place <= edges[j + 1] for j, place in enumerate(behind)] == [True] * k
    assert placed == insert_checks(trials, checks, np.random.default_rng(seed))


def test_every_place_behind_a_trial_is_drawn_about_equally_often() -> None:
    places = [insert_checks(range(10), [-1], np.random.default_rng(seed)).index(-1) for seed in range(2000)]
    counts = np.bincount(places, minlength=11)
    assert counts[0] == 0 and counts[1:].min() > 140 and counts[1:].max() < 270
