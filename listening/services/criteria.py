"""Whom Prolific lets in: criteria in words, turned into Prolific's filters by the labels that it offers today."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from listening.prolific import Filter
from listening.prolific.types import select_range
from listening.services.errors import ServiceError

COUNTRY = "current-country-of-residence"
LANGUAGE = "fluent-languages"
HEARING = "hearing-difficulties"
SEX = "sex"
APPROVAL = "approval_rate"
EARLIER = "previous_studies_blocklist"


@dataclass(frozen=True)
class Criteria:
    """Who may take part. exclude_studies: Prolific's ids of studies whose participants are kept out."""

    countries: Sequence[str] = ()
    languages: Sequence[str] = ()
    least_approval: int = 90
    normal_hearing: bool = True
    balance_sexes: bool = True
    exclude_studies: Sequence[str] = ()


def choices_of(filters: Sequence[Filter], filter_id: str) -> list[str]:
    """The labels that a filter offers, empty where Prolific has no such filter."""
    return next((list(one.choices.values()) for one in filters if one.id == filter_id), [])


def build_filters(criteria: Criteria, offered: Sequence[Filter]) -> tuple[list[dict[str, Any]], list[str]]:
    """Prolific's filters for the criteria, and the criteria in words. Raises ServiceError for what Prolific does not offer."""
    by_id = {one.id: one for one in offered}
    built: list[dict[str, Any]] = []
    words: list[str] = []

    def named(filter_id: str) -> Filter:
        if filter_id not in by_id:
            raise ServiceError(
                f"Prolific offers no filter {filter_id} any more; leave that criterion out or set it on Prolific."
            )
        return by_id[filter_id]

    def select(filter_id: str, labels: Sequence[str], sentence: str, weights: dict[str, int] | None = None) -> None:
        try:
            built.append(named(filter_id).select(*labels, weights=weights))
        except ValueError as error:
            raise ServiceError(str(error)) from error
        words.append(sentence)

    if criteria.countries:
        select(COUNTRY, criteria.countries, f"lives in {_or(criteria.countries)}")
    if criteria.languages:
        select(LANGUAGE, criteria.languages, f"fluent in {_or(criteria.languages)}")
    if criteria.normal_hearing:
        select(HEARING, ["No"], "no hearing difficulties")
    if criteria.least_approval:
        named(APPROVAL)
        built.append(select_range(APPROVAL, criteria.least_approval, 100))
        words.append(f"approval rate of {criteria.least_approval} % or more")
    if criteria.balance_sexes:
        select(SEX, ["Female", "Male"], "women and men 1 : 1", {"Female": 1, "Male": 1})
    if criteria.exclude_studies:
        named(EARLIER)
        built.append({"filter_id": EARLIER, "selected_values": list(criteria.exclude_studies)})
        words.append(f"took part in none of {len(criteria.exclude_studies)} earlier studies")
    return built, words


def _or(labels: Sequence[str]) -> str:
    return ", ".join(labels[:-1]) + f" or {labels[-1]}" if len(labels) > 1 else labels[0]
