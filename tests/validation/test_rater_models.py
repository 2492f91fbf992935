"""Rater models against the published values of P.913's demonstration and of sureal's own tests, on their data.

`sureal` is dormant and does not install beside the NumPy of today, so its values stand here: those of P.913 are printed in its
README to all digits, the others are results of its tests of MosModel, SubjrejMosModel and BiasremvMosModel on the NFLX votes.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.ratings.coding import encode
from analysis.ratings.rater_models import (
    bias_and_inconsistency,
    reject_bt500,
    reject_uncorrelated,
    remove_bias,
    vote_matrix,
)
from analysis.schema import validate_ratings


@pytest.fixture(scope="module")
def demo(shared: Path) -> np.ndarray:
    """P.913's sample data: 79 stimuli, 26 raters of whom the first five were corrupted, one vote missing."""
    return np.genfromtxt(shared / "data" / "acr_sureal" / "p913_demo_sample_data.csv", delimiter=",")


@pytest.fixture(scope="module")
def nflx(shared: Path) -> np.ndarray:
    votes = pd.read_csv(shared / "data" / "acr_sureal" / "NFLX_dataset_public_raw_votes.csv")
    names = {"rater_id": votes["rater_index"].map("{:02d}".format), "stimulus_id": votes["item_index"].map("{:03d}".format)}
    tidy = pd.DataFrame({**names, "condition": "video", "scale": "quality", "value": votes["score"], "labels": ""})
    return vote_matrix(encode(validate_ratings(tidy.assign(clip_id=tidy["stimulus_id"])))["quality"]).to_numpy()


def test_the_demonstration_of_p913_to_all_its_digits(demo: np.ndarray) -> None:
    model = bias_and_inconsistency(demo)
    found = [*model.mos[:2], model.sos[0], model.bias[0], model.inconsistency[0]]
    published = [4.926232195563247, 4.871884030934237, 0.1548785178603921, -0.189852445792812, 1.8339364220090855]
    np.testing.assert_allclose(found, published, rtol=1e-12)


def test_bias_removal_keeps_the_means_of_a_complete_table_and_narrows_their_errors(demo: np.ndarray, nflx: np.ndarray) -> None:
    assert remove_bias(demo).sos.mean() == pytest.approx(0.1770, abs=5e-5)
    complete = remove_bias(nflx)
    np.testing.assert_allclose(complete.mos, nflx.mean(axis=1))
    assert complete.sos.mean() < (nflx.std(axis=1, ddof=1) / np.sqrt(26)).mean()


def test_rejection_of_the_demonstration(demo: np.ndarray) -> None:
    assert np.flatnonzero(reject_bt500(demo)).tolist() == [0, 1]
    out, threshold = reject_uncorrelated(demo)
    assert np.flatnonzero(out).tolist() == [0, 1, 2, 3, 4] and threshold == pytest.approx(0.4314, abs=5e-5)


def test_the_public_nflx_votes_as_sureal_scores_them(nflx: np.ndarray) -> None:
    assert nflx.shape == (79, 26)
    assert nflx.mean(axis=1).mean() == pytest.approx(3.544790652, abs=1e-9)
    assert (nflx.std(axis=1, ddof=1) / np.sqrt(26)).mean() == pytest.approx(0.129866, abs=1e-6)
    out = reject_bt500(nflx)
    assert np.flatnonzero(out).tolist() == [2] and nflx[:, ~out].mean(axis=1).mean() == pytest.approx(3.535190, abs=1e-6)
    model = bias_and_inconsistency(nflx)
    found = [model.mos.var(), model.bias.var(), model.inconsistency.sum()]
    np.testing.assert_allclose(found, [1.435549, 0.0890326, 15.68177], rtol=1e-6)


@pytest.mark.parametrize("change", ["rows", "raters"])
def test_the_order_of_stimuli_and_raters_changes_nothing(demo: np.ndarray, change: str) -> None:
    order = np.random.default_rng(0).permutation(len(demo) if change == "rows" else demo.shape[1])
    shuffled = demo[order] if change == "rows" else demo[:, order]
    whole, other = bias_and_inconsistency(demo), bias_and_inconsistency(shuffled)
    np.testing.assert_allclose(other.mos, whole.mos[order] if change == "rows" else whole.mos, rtol=1e-9)
    np.testing.assert_array_equal(reject_bt500(shuffled), reject_bt500(demo) if change == "rows" else reject_bt500(demo)[order])


def test_tables_without_spread_or_votes_are_nan_and_no_crash() -> None:
    equal, missing = np.full((4, 3), 3.0), np.full((4, 3), np.nan)
    assert bias_and_inconsistency(equal).mos.tolist() == [3, 3, 3, 3] and not reject_bt500(equal).any()
    assert np.isnan(bias_and_inconsistency(missing).mos).all() and not reject_bt500(missing).any()
    assert not reject_uncorrelated(equal)[0].any() and np.isnan(reject_uncorrelated(missing)[1])
    assert np.isnan(remove_bias(np.array([[4.0]])).sos).all()
