import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from analysis.labels import (
    EXCITED_AS_HAPPY,
    f1_scores,
    label_matrix,
    leading_label,
    macro_mean,
    merge_labels,
    smooth_shares,
    threshold_votes,
    unsmooth_shares,
    vote_shares,
)


def test_a_share_of_exactly_one_nth_is_out_whatever_the_rounding_of_floats() -> None:
    for n in range(2, 12):
        assert not threshold_votes(np.full(n, 3)).any()
        assert threshold_votes([3] * (n - 1) + [4]).tolist() == [False] * (n - 1) + [True]


def test_a_name_that_is_no_option_is_refused() -> None:
    with pytest.raises(ValueError, match="'joy' is not among the options anger, fear"):
        label_matrix(["anger|joy"], ["anger", "fear"])


@given(arrays(bool, (2, 8, 4)))
def test_macro_f1_equals_scikit_learn_with_undefined_classes_left_out(sets: np.ndarray) -> None:
    truth, other = sets
    scores = f1_scores((truth & other).sum(0), (~truth & other).sum(0), (truth & ~other).sum(0))
    expected = f1_score(truth, other, average=None, zero_division=np.nan)
    np.testing.assert_allclose(scores, expected)
    if np.isfinite(expected).any():
        assert macro_mean(scores) == pytest.approx(f1_score(truth, other, average="macro", zero_division=np.nan))
    else:
        assert np.isnan(macro_mean(scores))


@given(st.integers(2, 12), st.floats(0, 0.4), st.integers(0, 2**32 - 1))
def test_smoothing_keeps_the_sum_and_the_label_set_and_can_be_undone(k: int, epsilon: float, seed: int) -> None:
    votes = np.random.default_rng(seed).integers(0, 6, k)
    shares = vote_shares(votes + (votes.sum() == 0))
    smooth = smooth_shares(shares, epsilon)
    assert smooth.sum() == pytest.approx(1)
    np.testing.assert_allclose(unsmooth_shares(smooth, epsilon), shares, atol=1e-12)
    away = np.abs(shares - 1 / k) > 1e-9
    np.testing.assert_array_equal((smooth > 1 / k)[away], (shares > 1 / k)[away])


@pytest.mark.parametrize(("shares", "epsilon"), [([1.0], 0.05), ([0.5, 0.5], 0.5), ([0.5, 0.5], -0.1)])
def test_smoothing_to_nothing_is_refused(shares: list[float], epsilon: float) -> None:
    with pytest.raises(ValueError, match="at least two labels and an epsilon"):
        smooth_shares(shares, epsilon)


def test_excited_votes_go_to_happy_and_the_sum_stays() -> None:
    merged = merge_labels({"excitement": 2, "happiness": 1, "sadness": 2}, EXCITED_AS_HAPPY)
    assert merged == {"happiness": 3, "sadness": 2} and leading_label(merged) == "happiness"
