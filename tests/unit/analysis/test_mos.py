import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded, encode
from analysis.ratings.mos import MosTable, mos_by_condition, mos_by_stimulus


def mos_of(frame: pd.DataFrame, replicates: int = 64) -> MosTable:
    scales = encode(frame)
    some = next(iter(scales.values()))
    return mos_by_condition(scales, CrossedBootstrap(len(some.raters), len(some.clips), replicates))


def naive_replicates(coded: Coded, condition: str, bootstrap: CrossedBootstrap) -> np.ndarray:
    """Every vote repeated as often as its rater times as often as its clip was drawn, then averaged."""
    mine = np.flatnonzero(coded.rows(coded.conditions.index(condition)))
    means = []
    for raters, clips in bootstrap.blocks():
        for column in range(raters.shape[1]):
            times = (raters[coded.rater[mine], column] * clips[coded.clip[mine], column]).astype(int)
            votes = np.repeat(coded.value[mine], times)
            means.append(votes.mean() if len(votes) else np.nan)
    return np.array(means)


def test_replicates_equal_those_of_a_naive_resampling(make_ratings) -> None:
    frame = make_ratings()
    coded = encode(frame)["ovrl"]
    bootstrap = CrossedBootstrap(len(coded.raters), len(coded.clips), 70, seed=3)
    table = mos_by_condition({"ovrl": coded}, bootstrap)
    for name in coded.conditions:
        np.testing.assert_allclose(table.replicates["ovrl"][name], naive_replicates(coded, name, bootstrap))


def test_means_counts_and_spread_equal_those_of_pandas(make_ratings) -> None:
    frame = make_ratings()
    expected = (
        frame[frame["scale"] == "ovrl"]
        .groupby("condition")
        .agg(
            mos=("value", "mean"),
            sd=("value", "std"),
            n=("value", "size"),
            raters=("rater_id", "nunique"),
            clips=("clip_id", "nunique"),
        )
    )
    table = mos_of(frame).frame.set_index("condition")
    np.testing.assert_allclose(table["mos"], expected["mos"])
    np.testing.assert_allclose(table["sd"], expected["sd"])
    assert (
        table[["n_ratings", "n_raters", "n_clips"]].to_numpy().tolist()
        == expected[["n", "raters", "clips"]].to_numpy().tolist()
    )
    assert (table["ci_low"] < table["mos"]).all() and (table["mos"] < table["ci_high"]).all()


def test_the_order_of_rows_changes_nothing(make_ratings) -> None:
    frame = make_ratings()
    shuffled = frame.sample(frac=1, random_state=5)
    pd.testing.assert_frame_equal(mos_of(frame).frame, mos_of(shuffled).frame)


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f[f["rater_id"] == "r1"], "one rater"),
        (lambda f: f[f["clip_id"] == "c1"], "one clip"),
        (lambda f: f.assign(rater_id=""), "no rater ids: no interval"),
        (lambda f: f.assign(rater_id=f["rater_id"].replace("r3", "")), "ratings have no rater id: no interval"),
        (lambda f: f.assign(value=f["value"] * 0 + 4), "all votes are equal"),
    ],
)
def test_an_undefined_interval_is_nan_with_its_reason(make_ratings, change, note: str) -> None:
    frame = make_ratings()
    table = mos_of(change(frame[frame["scale"] == "ovrl"]).reset_index(drop=True)).frame
    assert np.isfinite(table["mos"]).all()
    assert table[["ci_low", "ci_high"]].isna().all().all()
    assert table["note"].str.endswith(note).all()


def test_a_single_vote_has_a_mean_and_no_spread(make_ratings) -> None:
    row = mos_of(make_ratings().iloc[:1]).frame.iloc[0]
    assert row["mos"] >= 1 and np.isnan(row["sd"]) and row["note"] == "no SOS a: no stimulus has two votes; one rater"


def test_intervals_of_stimuli_equal_those_of_scipy(make_ratings) -> None:
    frame = make_ratings()
    table = mos_by_stimulus(encode(frame)).set_index("stimulus_id")
    for stimulus, votes in frame[frame["scale"] == "ovrl"].groupby("stimulus_id")["value"]:
        row = table.loc[stimulus]
        assert row["mos"] == pytest.approx(votes.mean())
        if votes.nunique() > 1:
            expected = stats.t.interval(0.95, len(votes) - 1, votes.mean(), stats.sem(votes))
            assert (row["ci_low"], row["ci_high"]) == pytest.approx(expected)
        else:
            assert row["note"] == "all votes are equal" and np.isnan(row["ci_low"])
