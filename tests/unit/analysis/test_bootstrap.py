import numpy as np
import pytest

from analysis.ratings.bootstrap import BLOCK, CrossedBootstrap, centred_interval, few_clusters, percentile_interval, too_few


def test_the_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    def draws(seed: int) -> bytes:
        return b"".join(r.tobytes() + c.tobytes() for r, c in CrossedBootstrap(5, 7, 3 * BLOCK + 1, seed).blocks())

    assert draws(1) == draws(1) != draws(2)


def test_the_first_replicates_do_not_depend_on_how_many_follow() -> None:
    (short, _), (long, _) = (next(CrossedBootstrap(5, 7, n).blocks()) for n in (BLOCK, 10 * BLOCK))
    np.testing.assert_array_equal(short, long)


def test_draws_are_multinomial_with_replacement() -> None:
    raters = np.concatenate([r for r, _ in CrossedBootstrap(10, 2, 4000).blocks()], axis=1)
    assert (raters.sum(axis=0) == 10).all()
    assert raters.mean() == pytest.approx(1)
    assert raters.var() == pytest.approx(0.9, rel=0.02)  # n p (1 - p) with n = 10, p = 1/10


def test_a_study_without_raters_draws_none() -> None:
    raters, clips = next(CrossedBootstrap(0, 3, 8).blocks())
    assert raters.shape == (0, 8) and clips.shape == (3, 8)


def test_undefined_replicates_are_passed_over_and_all_undefined_is_nan() -> None:
    values = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan]])
    interval = percentile_interval(values, level=1.0)
    np.testing.assert_array_equal(interval, [[1.0, 3.0], [np.nan, np.nan]])
    assert np.isnan(centred_interval(values, np.array([2.0, 2.0]))[1]).all()


def test_a_centred_interval_stays_within_zero_and_one() -> None:
    low, high = centred_interval(np.linspace(0.5, 0.9, 50)[None], np.array([1.0]))[0]
    assert 0 < low < high == 1


def test_few_raters_or_clips_are_said() -> None:
    assert few_clusters(30, 45) == ""
    assert few_clusters(3, 4) == "only 3 raters and 4 clips: the interval is a rough one"
    assert (too_few(9, 9), too_few(1, 9), too_few(9, 1)) == ("", "one rater", "one clip")
