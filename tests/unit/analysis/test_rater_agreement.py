import numpy as np
import pandas as pd
import pytest

from analysis.ratings.coding import encode
from analysis.ratings.rater_agreement import ICC_COLUMNS, REST_COLUMNS, intraclass, rater_rest, two_way
from analysis.schema import validate_ratings

# Shrout and Fleiss, Intraclass correlations, Psychological Bulletin 86 (1979), table 2: six targets, four judges.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)


def long(table: np.ndarray, scale: str = "plain") -> pd.DataFrame:
    clip, rater = np.nonzero(np.isfinite(table))
    names = {"rater_id": [f"r{r}" for r in rater], "stimulus_id": [f"c{c}" for c in clip], "clip_id": [f"c{c}" for c in clip]}
    return validate_ratings(
        pd.DataFrame({**names, "condition": "codec", "scale": scale, "value": table[clip, rater], "labels": ""})
    )


def test_mean_squares_and_correlations_of_shrout_and_fleiss() -> None:
    result = two_way(SHROUT_FLEISS)
    found = [result.between, result.judges, result.error, result.single, result.average]
    np.testing.assert_allclose(found, [11.2417, 32.4861, 1.0194, 0.2898, 0.6201], atol=5e-5)
    # published rounded: ICC(2,1) within .02 and .76, ICC(2,k) within .07 and .93
    np.testing.assert_allclose([*result.single_interval(), *result.average_interval()], [0.02, 0.76, 0.07, 0.93], atol=5e-3)


def test_the_table_of_a_complete_study_is_that_of_the_mean_squares() -> None:
    table = intraclass(encode(long(SHROUT_FLEISS))).set_index("coefficient")
    assert list(table.reset_index()[list(ICC_COLUMNS)]) == list(ICC_COLUMNS)
    np.testing.assert_allclose(table["value"], [0.2898, 0.6201], atol=5e-5)
    assert set(table["method"]) == {"mean squares"} and table.at["icc_2_k", "ci_high"] == pytest.approx(0.93, abs=5e-3)


def test_with_votes_missing_the_variance_components_take_over() -> None:
    rng = np.random.default_rng(4)
    table = 3 + rng.normal(0, 0.6, (60, 1)) + rng.normal(0, 0.4, (1, 40)) + rng.normal(0, 0.7, (60, 40))
    whole = two_way(table).single
    table[rng.random(table.shape) < 0.6] = np.nan
    result = intraclass(encode(long(table))).set_index("coefficient")
    assert set(result["method"]) == {"variance components"} and result["ci_low"].isna().all()
    assert result.at["icc_2_1", "value"] == pytest.approx(whole, abs=0.05)
    single, k = result.at["icc_2_1", "value"], 60 / (1 / np.isfinite(table).sum(axis=1)).sum()
    assert result.at["icc_2_k", "value"] == pytest.approx(k * single / (1 + (k - 1) * single), abs=1e-6)
    assert "not every rater rated all" in result.at["icc_2_1", "note"]


def test_each_rater_is_compared_with_the_mean_of_the_others() -> None:
    table = SHROUT_FLEISS
    result = rater_rest(encode(long(table))).set_index("rater_id")
    assert result.reset_index().columns.tolist() == list(REST_COLUMNS)
    for rater in range(4):
        expected = np.corrcoef(table[:, rater], np.delete(table, rater, axis=1).mean(axis=1))[0, 1]
        assert result.at[f"r{rater}", "r"] == pytest.approx(expected)


def test_why_a_rater_has_no_correlation_is_said() -> None:
    table = SHROUT_FLEISS.copy()
    table[:, 0] = 5
    table[2:, 1] = np.nan
    notes = rater_rest(encode(long(table))).set_index("rater_id")["note"]
    assert notes.to_dict() == {
        "r0": "the rater gave one answer throughout",
        "r1": "fewer than 3 stimuli shared with others",
        "r2": "",
        "r3": "",
    }


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.assign(rater_id=""), "no rater ids"),
        (lambda f: f.assign(value=3.0), "all votes are equal"),
        (lambda f: f.iloc[:1], "fewer than two stimuli or raters"),
        (lambda f: f.drop_duplicates("stimulus_id").assign(rater_id=lambda g: g["stimulus_id"]), "no stimulus has two votes"),
    ],
)
def test_an_undefined_correlation_is_nan_with_its_reason(change, note: str) -> None:
    table = intraclass(encode(validate_ratings(change(long(SHROUT_FLEISS)))))
    assert table["value"].isna().all() and set(table["note"]) == {note}
