"""Ratings after screening, with all that says why some of them do not count, and the scores as they were before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.mos import mos_by_condition
from analysis.ratings.screening import (
    CHECK_COLUMNS,
    EXCLUSION_COLUMNS,
    SIDE_BY_SIDE,
    apply_exclusions,
    exclude_raters,
    rule_set,
    screen,
    side_by_side,
)
from analysis.schema import CHECK_ROLES, select_usable, split_panels

NO_RULES = "none"
#: The rule that stands for reasons that came with the ratings.
GIVEN = "given"


@dataclass(frozen=True)
class Sieve:
    """``ratings``: the frame with every reason in ``excluded``; ``before``: the frame as it came.

    ``exclusions``: one row per rater, session and reason (`EXCLUSION_COLUMNS`); ``checks``: one row per rule of the rule set
    ``name`` version ``version`` (`CHECK_COLUMNS`).
    """

    ratings: pd.DataFrame
    before: pd.DataFrame
    exclusions: pd.DataFrame
    checks: pd.DataFrame
    name: str
    version: str
    source: str

    @property
    def screened(self) -> bool:
        """Whether this sieve, beyond the reasons that came with the ratings, left any out."""
        return not self.ratings["excluded"].equals(self.before["excluded"])

    def compare(self, screened: pd.DataFrame, reference: str, replicates: int, seed: int) -> pd.DataFrame:
        """MOS without and with this screening (`screening.side_by_side`); no row where it left nothing out."""
        everybody = select_usable(split_panels(self.before, reference)).used
        if not self.screened or everybody.empty:
            return pd.DataFrame(columns=list(SIDE_BY_SIDE))
        scales = encode(everybody)
        first = next(iter(scales.values()))
        table = mos_by_condition(scales, CrossedBootstrap(len(first.raters), len(first.clips), replicates, seed)).frame
        return side_by_side(table, screened)


def sift(ratings: pd.DataFrame, screening: str, raters: Sequence[str], reference: str) -> Sieve:
    """Leave out ``raters`` by hand, then whom the rule set ``screening`` names. Raises SchemaError for unknown names of either."""
    rules = rule_set(screening)
    by_hand = exclude_raters(ratings, list(raters)) if raters else pd.DataFrame(columns=list(EXCLUSION_COLUMNS))
    sifted = apply_exclusions(ratings, by_hand) if raters else ratings
    found = screen(sifted, rules, reference)
    given = _given(ratings)
    if len(found.exclusions):
        sifted = apply_exclusions(sifted, found.exclusions)
    parts = [part for part in (given, by_hand, found.exclusions) if len(part)]
    exclusions = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(EXCLUSION_COLUMNS))
    return Sieve(sifted, ratings, exclusions, found.checks[list(CHECK_COLUMNS)], rules.name, rules.version, rules.source)


def _given(ratings: pd.DataFrame) -> pd.DataFrame:
    """Reasons that came with the ratings, counted by rater and session; check items aside."""
    out = ratings[(ratings["excluded"] != "") & ~ratings["role"].isin(CHECK_ROLES)]
    counts = out.groupby(["rater_id", "session_id", "excluded"], sort=True).size().rename("n_ratings").reset_index()
    return counts.rename(columns={"excluded": "reason"}).assign(rule=GIVEN)[list(EXCLUSION_COLUMNS)]
