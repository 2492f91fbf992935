import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.contrasts import COLUMNS, cliffs_delta, contrasts, holm, tukey
from analysis.ratings.mos import mos_by_condition


def contrasts_of(frame: pd.DataFrame, replicates: int = 256, order: tuple[str, ...] = ()) -> pd.DataFrame:
    scales = encode(frame)
    some = next(iter(scales.values()))
    return contrasts(scales, CrossedBootstrap(len(some.raters), len(some.clips), replicates), order)


def test_every_pair_of_conditions_once_in_the_order_asked_for(make_ratings) -> None:
    table = contrasts_of(make_ratings(), order=("opus-24kbps", "original"))
    pairs = list(zip(table["condition_a"], table["condition_b"], strict=True))
    assert pairs == [("opus-24kbps", "original"), ("opus-24kbps", "opus-6kbps"), ("original", "opus-6kbps")]
    assert table.columns.tolist() == list(COLUMNS)


def test_replicates_of_a_difference_are_those_of_the_two_means(make_ratings) -> None:
    frame = make_ratings()
    scales = encode(frame)
    bootstrap = CrossedBootstrap(12, 8, 200, seed=2)
    drawn = mos_by_condition(scales, bootstrap).replicates["ovrl"]
    row = contrasts(scales, bootstrap).set_index(["condition_a", "condition_b"]).loc[("opus-6kbps", "original")]
    differences = drawn["opus-6kbps"] - drawn["original"]
    votes = frame[(frame["scale"] == "ovrl") & frame["condition"].isin(["opus-6kbps", "original"])]
    means = votes.groupby("condition")["value"].mean()
    assert row["difference"] == pytest.approx(means["opus-6kbps"] - means["original"])
    # the interval has the shape of the replicates, p the standard error of the two-way clustered votes
    low, high = np.quantile(differences, [0.025, 0.975]) - row["difference"]
    assert (row["ci_low"] - row["difference"]) / (row["ci_high"] - row["difference"]) == pytest.approx(low / high)
    part = (votes["value"] - votes.groupby("condition")["value"].transform("mean")) / votes.groupby("condition")[
        "value"
    ].transform("size")
    part *= np.where(votes["condition"] == "original", -1, 1)
    sums = [
        part.groupby([votes[name] for name in names]).sum() for names in (["rater_id"], ["clip_id"], ["rater_id", "clip_id"])
    ]
    variance = [len(one) / (len(one) - 1) * (one**2).sum() for one in sums]
    error = np.sqrt(max(variance[0] + variance[1] - variance[2], *variance))
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(row["difference"]) / error, 7))
    scale = stats.t.ppf(0.975, 7) * error / (stats.norm.ppf(0.975) * differences.std(ddof=1))
    assert row["ci_low"] - row["difference"] == pytest.approx(low * scale)


def test_only_clips_rated_in_both_are_compared(make_ratings) -> None:
    frame = make_ratings(n_raters=20)
    frame = frame[frame["scale"] == "ovrl"]
    clear = frame[~((frame["condition"] == "original") & frame["clip_id"].isin(["c1", "c5"]))].reset_index(drop=True)
    row = contrasts_of(clear).set_index(["condition_a", "condition_b"]).loc[("opus-6kbps", "original")]
    both = clear[~clear["clip_id"].isin(["c1", "c5"])].groupby("condition")["value"].mean()
    assert row["difference"] == pytest.approx(both["opus-6kbps"] - both["original"])
    assert row["n_clips"] == 6


def test_cliffs_delta_equals_that_of_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.integers(1, 6, 40), rng.integers(1, 5, 31)
    assert cliffs_delta(a, b) == pytest.approx(2 * stats.mannwhitneyu(a, b).statistic / (40 * 31) - 1)


def test_holm_passes_over_what_is_undefined_and_never_exceeds_one() -> None:
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04, 0.03, 0.005]), [0.03, np.nan, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_tukey_is_that_of_independent_groups_with_one_variance() -> None:
    # Data of SciPy's page on tukey_hsd; p .0145, .9803 and .0203 there.
    groups = [[24.5, 23.5, 26.4, 27.1, 29.9], [28.4, 34.2, 29.5, 32.2, 30.1], [26.1, 28.3, 24.3, 26.2, 27.8]]
    error = np.sqrt(2 / 5 * np.mean([np.var(group, ddof=1) for group in groups]))
    pairs = [(0, 1), (0, 2), (1, 2)]
    alone = [2 * stats.t.sf(abs(np.mean(groups[a]) - np.mean(groups[b])) / error, 12) for a, b in pairs]
    theirs = stats.tukey_hsd(*groups).pvalue
    np.testing.assert_allclose(tukey(alone, 3, 12), [theirs[pair] for pair in pairs], rtol=1e-6)
    np.testing.assert_allclose(tukey(alone, 3, 12), [0.014, 0.980, 0.020], atol=5e-4)


def test_tukey_of_two_conditions_changes_nothing_and_passes_over_what_is_undefined() -> None:
    np.testing.assert_allclose(tukey([0.03, np.nan], 2, [9, np.nan]), [0.03, np.nan], rtol=1e-6)


def test_contrasts_are_corrected_over_the_conditions_of_their_scale(make_ratings) -> None:
    table = contrasts_of(make_ratings(n_raters=9))
    assert (table["p_tukey"] >= table["p"]).all()
    np.testing.assert_allclose(table["p_tukey"], tukey(table["p"], 3, 7))  # nine raters, eight clips


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.drop_duplicates("stimulus_id").assign(rater_id="r1"), "one rater"),
        (lambda f: f.assign(rater_id=""), "no rater ids: no interval"),
        (lambda f: f.assign(value=3.0), "all votes are equal"),
        (lambda f: f[(f["condition"] == "original") ^ (f["clip_id"] < "c4")], "no clip rated in both"),
    ],
)
def test_an_undefined_contrast_is_nan_with_its_reason(make_ratings, change, note: str) -> None:
    frame = make_ratings(n_raters=20)
    table = contrasts_of(change(frame[frame["scale"] == "ovrl"]).reset_index(drop=True))
    concerned = table[table["condition_b"] == "original"] if note.startswith("no clip") else table
    assert concerned[["ci_low", "ci_high", "p", "p_holm"]].isna().all().all()
    assert set(concerned["note"]) == {note}


def test_one_condition_has_no_contrast(make_ratings) -> None:
    frame = make_ratings()
    assert contrasts_of(frame[frame["condition"] == "original"].reset_index(drop=True)).empty


def test_row_order_and_names_change_nothing_else(make_ratings) -> None:
    frame = make_ratings()
    table = contrasts_of(frame)
    pd.testing.assert_frame_equal(table, contrasts_of(frame.sample(frac=1, random_state=1)))
    renamed = frame.assign(rater_id="x" + frame["rater_id"], clip_id="y" + frame["clip_id"])
    pd.testing.assert_frame_equal(table, contrasts_of(renamed))
