"""Machines beside people: published values, real votes, and what must not change an answer."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.compare import compare
from analysis.schema import select_usable, validate_ratings


@pytest.fixture(scope="module")
def bvcc(shared: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Predicted and mean opinion scores of 1,066 clips of the BVCC test set, as ratings without raters and as scores."""
    table = pd.read_csv(shared / "data" / "metric_example_bvcc" / "predictions.csv")
    keys = {"clip_id": table["sample_id"], "condition": table["system_id"]}
    ratings = pd.DataFrame({**keys, "rater_id": "", "stimulus_id": table["sample_id"], "scale": "naturalness"})
    ratings = ratings.assign(value=table["avg_score"], labels="")
    return pd.DataFrame({**keys, "measure": "predictor", "score": table["answer"]}), validate_ratings(ratings)


def test_the_figures_published_with_the_bvcc_example_come_out(bvcc: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table = compare(*bvcc, reference="original", replicates=60).overall.set_index("level")
    stimulus, system = table.loc["stimulus"], table.loc["condition"]
    published = {"mse": 0.2710, "pearson": 0.8672, "spearman": 0.8698, "kendall": 0.6932}
    assert {name: round(stimulus[name], 4) for name in published} == published
    assert round(system["pearson"], 4) == 0.9299
    for row in (stimulus, system):
        for name in ("pearson", "spearman", "kendall"):
            assert row[f"{name}_ci_low"] < row[name] < row[f"{name}_ci_high"]
    assert stimulus["n"] == 1066
    assert (stimulus["pearson_ci_high"] - stimulus["pearson_ci_low"]) < (system["pearson_ci_high"] - system["pearson_ci_low"])


@pytest.mark.slow
def test_the_interval_of_a_stimulus_correlation_is_that_of_fisher(bvcc: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Every clip is its own cluster here, so Fisher's z interval is near; BVCC is not normal, so not closer than that."""
    row = compare(*bvcc, reference="original", replicates=500).overall.iloc[0]
    half = stats.norm.ppf(0.975) / np.sqrt(row["n"] - 3)
    low, high = np.tanh(np.arctanh(row["pearson"]) + np.array([-half, half]))
    assert row["pearson_ci_low"] == pytest.approx(low, abs=0.02) and row["pearson_ci_high"] == pytest.approx(high, abs=0.02)


def test_order_of_rows_and_names_of_measures_change_nothing(bvcc: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    scores, ratings = bvcc
    one = compare(scores, ratings, reference="original", replicates=20).overall
    shuffled = scores.sample(frac=1, random_state=1), ratings.sample(frac=1, random_state=2)
    other = compare(shuffled[0].assign(measure="renamed"), shuffled[1], reference="original", replicates=20).overall
    pd.testing.assert_frame_equal(one.drop(columns="measure"), other.drop(columns="measure"))


def test_a_measure_of_people_s_own_votes_has_no_error(shared: Path) -> None:
    votes = pd.read_csv(shared / "data" / "vcc2020_en_listeners" / "votes.csv.gz")
    votes = votes[(votes["question"] == "quality") & (votes["state"] == "Valid")].drop_duplicates(
        ["listener", "system", "sample"]
    )
    keys = {"clip_id": votes["sample"].str.split("-").str[-1], "condition": votes["system"]}
    ratings = pd.DataFrame({**keys, "rater_id": votes["listener"], "scale": "quality", "value": votes["score"], "labels": ""})
    ratings["stimulus_id"] = ratings["condition"] + "/" + ratings["clip_id"]
    # the files name sentences by speaker pair; a sentence rated twice by a listener through two pairs is one stimulus here
    ratings = ratings.drop_duplicates(["rater_id", "stimulus_id"])
    used = select_usable(validate_ratings(ratings)).used
    mean = used.groupby(["clip_id", "condition"], as_index=False)["value"].mean()
    scores = pd.concat(
        [mean.assign(measure="oracle", score=3 - 2 * mean["value"]), mean.assign(measure="bare", score=mean["value"])]
    )
    table = compare(scores, used, reference="original", replicates=20).overall.set_index(["measure", "level"])
    assert table.loc[("oracle", "stimulus"), ["pearson", "spearman", "kendall"]].tolist() == pytest.approx([-1, -1, -1])
    assert table.loc[("oracle", "stimulus"), ["rmse", "rmse_star", "outlier_ratio", "rmse_third"]].tolist() == pytest.approx(
        [0] * 4, abs=1e-9
    )
    assert table.loc[("bare", "condition"), "kendall"] > 0.9
