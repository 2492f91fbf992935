import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from analysis.labels import f1_scores, label_matrix, macro_mean, threshold_votes


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
