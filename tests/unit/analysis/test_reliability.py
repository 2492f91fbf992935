from typing import Literal

import krippendorff
import numpy as np
import pandas as pd
import pytest

from analysis.labels import label_matrix
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.reliability import agreement, masi_distances

EMOTIONS = ("anger", "joy", "neutral")


def agreement_of(frame: pd.DataFrame, replicates: int = 64) -> pd.DataFrame:
    scales = encode(frame)
    some = next(iter(scales.values()))
    table = agreement(scales, {"emotion": EMOTIONS}, CrossedBootstrap(len(some.raters), len(some.clips), replicates))
    return table.set_index(["scale", "condition", "level", "label"]).sort_index()


@pytest.mark.parametrize("condition", ["", "original", "opus-6kbps"])
@pytest.mark.parametrize("level", ["ordinal", "interval"])
def test_alpha_of_a_category_scale_equals_that_of_the_krippendorff_package(
    make_ratings, condition: str, level: Literal["ordinal", "interval"]
) -> None:
    frame = make_ratings(seed=4)
    mine = frame[(frame["scale"] == "ovrl") & ((frame["condition"] == condition) | (condition == ""))]
    wide = mine.pivot(index="rater_id", columns="stimulus_id", values="value").to_numpy()
    row = agreement_of(frame).loc[("ovrl", condition, level, "")]
    assert row["value"] == pytest.approx(krippendorff.alpha(wide, level_of_measurement=level))
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["n_ratings"] == np.isfinite(wide).sum() and row["n_units"] == wide.shape[1]


def test_alpha_of_one_label_equals_that_of_the_krippendorff_package(make_ratings) -> None:
    frame = make_ratings(seed=4)
    mine = frame[frame["scale"] == "emotion"].assign(chosen=lambda f: f["labels"] == "joy")
    wide = mine.pivot(index="rater_id", columns="stimulus_id", values="chosen").astype(float).to_numpy()
    expected = krippendorff.alpha(wide, level_of_measurement="nominal")
    assert agreement_of(frame).loc[("emotion", "", "nominal", "joy"), "value"] == pytest.approx(expected)


def test_masi_alpha_of_single_labels_is_nominal_alpha(make_ratings) -> None:
    frame = make_ratings(seed=4)
    wide = frame[frame["scale"] == "emotion"].pivot(index="rater_id", columns="stimulus_id", values="labels")
    codes = wide.apply(lambda column: column.map({name: i for i, name in enumerate(EMOTIONS)})).astype(float).to_numpy()
    expected = krippendorff.alpha(codes, level_of_measurement="nominal")
    assert agreement_of(frame).loc[("emotion", "", "masi", ""), "value"] == pytest.approx(expected)


def test_masi_distances_of_equal_nested_overlapping_disjoint_and_empty_sets() -> None:
    sets = label_matrix(["anger", "anger|joy", "joy|neutral", "neutral", "", ""], EMOTIONS)
    expected = [0, 1 - 1 / 2 * 2 / 3, 1, 1, 1, 1]
    np.testing.assert_allclose(masi_distances(sets)[0], expected)
    assert masi_distances(sets)[1, 2] == pytest.approx(1 - 1 / 3 * 1 / 3)
    assert masi_distances(sets)[4, 5] == 0


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (lambda f: f.assign(rater_id=""), "no rater ids: agreement is between known raters"),
        (lambda f: f[f["rater_id"] == "r1"], "no stimulus has two ratings"),
        (lambda f: f.assign(value=f["value"] * 0 + 3), "all ratings are equal"),
    ],
)
def test_undefined_alpha_is_nan_with_its_reason(make_ratings, change, note: str) -> None:
    frame = make_ratings()
    table = agreement_of(change(frame[frame["scale"] == "ovrl"]).reset_index(drop=True))
    assert table[["value", "ci_low", "ci_high"]].isna().all().all()
    assert set(table["note"]) == {note}


def test_one_clip_has_alpha_and_no_interval(make_ratings) -> None:
    frame = make_ratings()
    row = agreement_of(frame[frame["clip_id"] == "c1"].reset_index(drop=True)).loc[("ovrl", "", "interval", "")]
    assert np.isfinite(row["value"]) and np.isnan(row["ci_low"]) and row["note"] == "one clip: no interval"
