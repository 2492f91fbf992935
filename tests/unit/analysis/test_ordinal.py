"""The ordinal model on the wine data against R's `ordinal` and against straight numerical integration.

Randall, The analysis of sensory data by generalised linear model, Biometrical Journal 31 (1989): nine judges rate the bitterness
of eight bottles, two for each combination of temperature (cold, warm) and contact (no, yes).
"""

import numpy as np
import pytest
from scipy import integrate, special, stats

from analysis.ratings.coding import encode
from analysis.ratings.ordinal import COLUMNS, cumulative_logit, ordinal_model

WINE = np.array(
    [
        # cold no, cold no, cold yes, cold yes, warm no, warm no, warm yes, warm yes
        [2, 3, 3, 4, 4, 4, 5, 5],
        [1, 2, 1, 3, 2, 3, 5, 4],
        [2, 3, 3, 2, 5, 5, 4, 4],
        [3, 2, 3, 2, 3, 2, 5, 3],
        [2, 3, 4, 3, 3, 3, 3, 3],
        [3, 2, 3, 2, 2, 4, 5, 4],
        [1, 1, 2, 2, 2, 3, 2, 3],
        [2, 2, 2, 3, 3, 3, 3, 4],
        [1, 2, 3, 2, 3, 2, 4, 4],
    ]
)
VOTES = WINE.ravel()
JUDGE = np.repeat(np.arange(9), 8)
X = np.tile(np.column_stack([[0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1]]), (9, 1))


def test_the_model_without_judges_is_the_published_one() -> None:
    fit = cumulative_logit(VOTES, X)
    np.testing.assert_allclose(fit.effects, [2.5031, 1.5278], atol=1e-3)
    np.testing.assert_allclose(fit.thresholds, [-1.3444, 1.2508, 3.4669, 5.0064], atol=1e-3)
    assert fit.log_likelihood == pytest.approx(-86.492, abs=1e-3) and fit.converged
    # published standard errors of the vignette of R's ordinal: 0.5287 and 0.4766
    np.testing.assert_allclose(fit.standard_errors, [0.5287, 0.4766], atol=2e-3)


def test_the_model_with_judges_by_quadrature_and_by_laplace() -> None:
    fit = cumulative_logit(VOTES, X, JUDGE)
    np.testing.assert_allclose(fit.effects, [3.062, 1.833], atol=2e-3)
    np.testing.assert_allclose(fit.thresholds, [-1.6235, 1.5128, 4.2271, 6.0862], atol=3e-3)
    assert fit.rater_sd**2 == pytest.approx(1.288, abs=3e-3) and fit.log_likelihood == pytest.approx(-81.533, abs=2e-3)
    laplace = cumulative_logit(VOTES, X, JUDGE, nodes=1)
    np.testing.assert_allclose([*laplace.effects, laplace.rater_sd**2], [3.063, 1.835, 1.279], atol=3e-3)
    assert laplace.log_likelihood == pytest.approx(-81.57, abs=5e-3)


def test_the_likelihood_is_the_integral_over_each_judge() -> None:
    fit = cumulative_logit(VOTES, X, JUDGE)
    edges = np.concatenate([[-np.inf], fit.thresholds, [np.inf]])
    total = 0.0
    for judge in range(9):
        mine = judge == JUDGE
        upper, lower = (edges[VOTES[mine] - 1 + one] - X[mine] @ fit.effects for one in (1, 0))

        def given(u: float, upper: np.ndarray = upper, lower: np.ndarray = lower) -> float:
            return float(np.prod(special.expit(upper - u) - special.expit(lower - u)) * stats.norm.pdf(u, scale=fit.rater_sd))

        total += np.log(integrate.quad(given, -12, 12, epsabs=1e-14)[0])
    assert fit.log_likelihood == pytest.approx(total, abs=1e-5)


def test_conditions_of_a_study_have_log_odds_against_the_reference(make_ratings) -> None:
    coded = encode(make_ratings(n_raters=20, n_clips=12))["ovrl"]
    table = ordinal_model(coded, "original").set_index("condition")
    assert table.reset_index().columns.difference(list(COLUMNS)).empty
    assert (table["log_odds"] < 0).all() and (table["ci_high"] < 0).all() and (table["rater_sd"] > 0).all()
    assert set(ordinal_model(coded, "absent")["note"]) == {"no ratings of the reference 'absent'"}


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.assign(rater_id=""), "no rater ids"),
        (lambda f: f.assign(value=3.0), "all votes are equal"),
        (lambda f: f[f["rater_id"] == "r1"], "one rater"),
    ],
)
def test_an_undefined_model_is_nan_with_its_reason(make_ratings, change, note: str) -> None:
    frame = make_ratings()
    coded = encode(change(frame[frame["scale"] == "ovrl"]).reset_index(drop=True))["ovrl"]
    table = ordinal_model(coded, "original")
    assert table["log_odds"].isna().all() and set(table["note"]) == {note}


def test_one_category_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="one category alone"):
        cumulative_logit([3, 3], [[0], [1]])
