"""Alpha against published values and against an independent implementation (the `krippendorff` package)."""

from typing import Literal

import krippendorff
import numpy as np
import pytest

from analysis.ratings.reliability import distances, krippendorff_alpha

# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): four observers, twelve units.
FOUR_BY_TWELVE = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 ."""
# Wikipedia, Krippendorff's alpha: three observers, fifteen units.
THREE_BY_FIFTEEN = """
. . . . . 3 4 1 2 1 1 3 3 . 3
1 . 2 1 3 3 4 3 . . . . . . .
. . 2 1 3 4 4 . 2 1 1 3 3 . 4"""


def table(text: str) -> np.ndarray:
    return np.array([[np.nan if cell == "." else float(cell) for cell in line.split()] for line in text.split("\n") if line])


@pytest.mark.parametrize(
    ("text", "level", "published"),
    [
        (FOUR_BY_TWELVE, "nominal", 0.743),
        (FOUR_BY_TWELVE, "ordinal", 0.815),
        (FOUR_BY_TWELVE, "interval", 0.849),
        (THREE_BY_FIFTEEN, "nominal", 0.691),
        (THREE_BY_FIFTEEN, "interval", 0.811),
    ],
)
def test_alpha_of_published_tables(text: str, level: Literal["nominal", "ordinal", "interval"], published: float) -> None:
    ratings = table(text)
    values = np.unique(ratings[np.isfinite(ratings)])
    counts = (ratings[:, :, None] == values).sum(axis=0)
    pairable = counts[counts.sum(axis=1) > 1].sum(axis=0)
    alpha = krippendorff_alpha(counts, distances(values, level, pairable))
    assert alpha == pytest.approx(published, abs=5e-4)
    assert alpha == pytest.approx(krippendorff.alpha(ratings, level_of_measurement=level))
