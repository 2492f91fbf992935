"""What every table of statistics in a report keeps to, whoever wrote it."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis.report.sieve import sift
from analysis.report.study import Results, analyse
from tests.unit.analysis.conftest import make_study

STUDIES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "whole": lambda ratings: ratings,
    "another order": lambda ratings: ratings.sample(frac=1, random_state=3),
    "no emotions": lambda ratings: ratings[ratings["scale"] == "ovrl"],
    "no quality": lambda ratings: ratings[ratings["scale"] == "emotion"],
    "one rater": lambda ratings: ratings[ratings["rater_id"] == "r0"],
    "nobody named": lambda ratings: ratings.assign(rater_id=""),
    "one clip": lambda ratings: ratings[ratings["clip_id"] == "c0"],
    "reference alone": lambda ratings: ratings[ratings["condition"] == "original"],
}


@cache
def results(study: str) -> Results:
    ratings = STUDIES[study](make_study())
    return analyse(
        sift(ratings, "none", (), "original"),
        reference="original",
        seed=1,
        replicates=100,
        conditions=None,
        emotions=None,
        participants=None,
        progress=None,
    )


@pytest.mark.parametrize("study", STUDIES)
def test_the_columns_are_the_same_whatever_there_is_to_compute(study: str) -> None:
    whole = {name: list(table.columns) for name, table in results("whole").deeper.items()}
    assert {name: list(table.columns) for name, table in results(study).deeper.items()} == whole


@pytest.mark.parametrize("study", STUDIES)
def test_what_is_undefined_is_nan_with_a_note(study: str) -> None:
    unsaid = {}
    for name, table in results(study).deeper.items():
        numbers = table.select_dtypes("number")
        assert not np.isinf(numbers.to_numpy(float)).any(), name
        note = table["note"].fillna("") if "note" in table else pd.Series("", index=table.index)
        unsaid[name] = table[numbers.isna().any(axis=1) & (note == "")].to_dict("records")
    assert {name: rows[:2] for name, rows in unsaid.items() if rows} == {}


def test_the_order_of_ratings_does_not_matter() -> None:
    for name, table in results("whole").deeper.items():
        pd.testing.assert_frame_equal(table, results("another order").deeper[name])
