"""The mixed model against mean squares, against a dense likelihood written down straight, and against its own simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from analysis.ratings.coding import encode
from analysis.ratings.mixed import COMPONENT_COLUMNS, MEAN_COLUMNS, crossed_components, mixed_model, moment_components
from analysis.ratings.rater_agreement import two_way
from analysis.schema import validate_ratings

Study = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def study(seed: int, n_raters: int, n_clips: int, rater_sd: float, clip_sd: float, share: float = 0.5) -> Study:
    """Votes (value, condition, rater, clip) on two conditions, each pair of rater and clip there with a chance of ``share``."""
    rng = np.random.default_rng(seed)
    rater, clip = np.nonzero(rng.random((n_raters, n_clips)) < share)
    condition = rng.integers(0, 2, len(rater))
    effects = rng.normal(0, rater_sd, n_raters)[rater] + rng.normal(0, clip_sd, n_clips)[clip]
    return 3 - condition + effects + rng.normal(0, 0.8, len(rater)), condition, rater, clip


def dense_criterion(variances: np.ndarray, votes: Study) -> float:
    """-2 log restricted likelihood from the full covariance of the votes."""
    value, condition, rater, clip = votes
    raters, clips = (codes[:, None] == codes[None, :] for codes in (rater, clip))
    cov = variances[0] * raters + variances[1] * clips + variances[2] * np.eye(len(value))
    x = np.eye(condition.max() + 1)[condition]
    inverse = np.linalg.inv(cov)
    information = x.T @ inverse @ x
    residual = value - x @ np.linalg.solve(information, x.T @ inverse @ value)
    determinants = np.linalg.slogdet(cov)[1] + np.linalg.slogdet(information)[1]
    return float(determinants + residual @ inverse @ residual + (len(value) - x.shape[1]) * np.log(2 * np.pi))


@pytest.mark.parametrize("sizes", [(9, 14), (14, 9)], ids=["fewer raters", "fewer clips"])
def test_the_fit_is_the_maximum_of_the_likelihood_written_down_straight(sizes: tuple[int, int]) -> None:
    votes = study(3, *sizes, 0.5, 0.4)
    fit = crossed_components(*votes)
    found = np.array([fit.rater_variance, fit.clip_variance, fit.residual_variance])
    assert fit.criterion == pytest.approx(dense_criterion(found, votes), abs=1e-6)
    slow = optimize.minimize(lambda v: dense_criterion(np.exp(v), votes), np.log(found) + 0.3, method="Nelder-Mead")
    np.testing.assert_allclose(found, np.exp(slow.x), rtol=5e-3)
    assert fit.criterion <= slow.fun + 1e-6
    assert fit.converged and fit.boundary == () and fit.agreed >= 2


def test_a_complete_table_gives_the_variances_of_its_mean_squares() -> None:
    rng = np.random.default_rng(8)
    table = 3 + rng.normal(0, 0.5, (30, 1)) + rng.normal(0, 0.4, (1, 12)) + rng.normal(0, 0.7, (30, 12))
    clip, rater = np.indices(table.shape)
    squares = two_way(table)
    fit = crossed_components(table.ravel(), np.zeros(table.size, dtype=int), rater.ravel(), clip.ravel())
    assert fit.rater_variance == pytest.approx((squares.judges - squares.error) / 30, rel=1e-3)
    assert fit.clip_variance == pytest.approx((squares.between - squares.error) / 12, rel=1e-3)
    assert fit.residual_variance == pytest.approx(squares.error, rel=1e-4)
    expected = fit.rater_variance / 12 + fit.clip_variance / 30 + fit.residual_variance / 360
    assert fit.covariance[0, 0] == pytest.approx(expected, rel=1e-6)
    moments = moment_components(table.ravel() - table.mean(), rater.ravel(), clip.ravel())
    np.testing.assert_allclose(moments, [fit.rater_variance, fit.clip_variance, fit.residual_variance], rtol=1e-2)


def test_a_variance_of_zero_is_said_to_be_one_and_only_where_the_likelihood_falls_from_it() -> None:
    zero = next(fit for seed in range(40) if (fit := crossed_components(*study(seed, 12, 12, 0.0, 0.5))).boundary)
    assert zero.boundary == ("rater",) and zero.rater_variance == 0 and zero.converged
    assert zero.note == "no variance between raters"


def test_no_start_ends_at_a_false_zero() -> None:
    for seed in range(6):
        votes = study(seed, 30, 20, 0.35, 0.2, share=0.3)
        fit = crossed_components(*votes)
        assert fit.converged
        grid = [(r, c, fit.residual_variance) for r in (0.03, 0.12, 0.3) for c in (0.01, 0.04, 0.1)]
        assert fit.criterion <= min(dense_criterion(np.array(one), votes) for one in grid) + 1e-6


def test_estimates_centre_on_the_truth() -> None:
    fits = [crossed_components(*study(seed, 20, 15, 0.5, 0.3)) for seed in range(24)]
    found = np.array([(f.rater_variance, f.clip_variance, f.residual_variance) for f in fits])
    np.testing.assert_array_less(np.abs(found.mean(0) - [0.25, 0.09, 0.64]), 4 * found.std(0) / np.sqrt(24))


def test_tables_of_a_study_have_means_and_components(make_ratings) -> None:
    frame = make_ratings(n_raters=30, n_clips=24)
    means, components = mixed_model(encode(frame))
    assert means.columns.tolist() == list(MEAN_COLUMNS) and components.columns.tolist() == list(COMPONENT_COLUMNS)
    mos = frame[frame["scale"] == "ovrl"].groupby("condition")["value"].mean()
    np.testing.assert_allclose(means.set_index("condition")["mean"], mos, atol=0.1)
    assert (means["ci_low"] < means["mean"]).all() and (means["mean"] < means["ci_high"]).all()
    assert components.at[0, "converged"] and components.at[0, "method"] == "REML"
    shuffled, _ = mixed_model(encode(frame.sample(frac=1, random_state=1)))
    pd.testing.assert_frame_equal(means, shuffled)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.assign(rater_id=""), "no rater ids"),
        (lambda f: f[f["rater_id"] == "r1"], "fewer than two raters or clips"),
        (lambda f: f.assign(value=3.0), "all votes are equal"),
        (lambda f: f.iloc[:1], "fewer than two raters or clips"),
    ],
)
def test_what_cannot_be_modelled_is_nan_with_its_reason(make_ratings, change, note: str) -> None:
    frame = make_ratings()
    means, components = mixed_model(encode(validate_ratings(change(frame[frame["scale"] == "ovrl"]))))
    assert means[["mean", "ci_low", "ci_high"]].isna().all().all() and set(means["note"]) == {note}
    assert not components.at[0, "converged"] and components.at[0, "note"] == note


def test_shares_of_no_variance_are_undefined(make_ratings) -> None:
    """Every vote is its condition's number, so that nothing is left over to share out."""
    frame = make_ratings()
    frame = frame[frame["scale"] == "ovrl"]
    same = frame.assign(value=frame["condition"].astype("category").cat.codes + 1.0)
    _, components = mixed_model(encode(validate_ratings(same)))
    assert components.at[0, "residual_variance"] == pytest.approx(0, abs=1e-9)
    assert components[["icc_rater", "icc_clip"]].isna().all().all()


FEW_VOTES = {
    "one rater is one vote": ([3, 3, 3, 3, 3, 4], [0] * 6, [1, 3, 1, 0, 1, 2], [1, 1, 1, 0, 1, 0]),
    "a rater always votes alike": (
        [5, 5, 1, 1, 5, 5, 1, 5, 5, 1, 5, 5, 5],
        [0, 1, 2, 0, 1, 1, 2, 0, 1, 0, 0, 2, 0],
        [0, 0, 2, 2, 0, 0, 2, 1, 0, 2, 0, 1, 1],
        [1, 0, 0, 2, 2, 2, 1, 2, 0, 1, 2, 0, 0],
    ),
}


@pytest.mark.parametrize("votes", FEW_VOTES.values(), ids=FEW_VOTES)
def test_votes_that_leave_no_residual_give_a_note_and_no_crash(votes: tuple[list[int], ...]) -> None:
    value, condition, rater, clip = (np.array(column) for column in votes)
    fit = crossed_components(value.astype(float), condition, rater, clip)
    assert np.isfinite(fit.means).all()
    assert fit.note and min(fit.rater_variance, fit.clip_variance, fit.residual_variance) >= 0
