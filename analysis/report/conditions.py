"""What a report calls a condition: its label, family and bit rate; and the order in which conditions stand everywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from analysis.schema import panel_slug


@dataclass(frozen=True)
class ConditionInfo:
    """One condition as readers see it. ``colour`` is the number of its family, one colour for each; -1 is the reference."""

    slug: str
    label: str
    family: str
    bps: float | None
    measured: bool
    colour: int
    nominal_bps: float | None = None
    weights: str = ""

    @property
    def is_reference(self) -> bool:
        return self.colour < 0

    @property
    def rate(self) -> str:
        """The bit rate in words, told apart by whether it was measured; empty when none is known.

        >>> ConditionInfo("opus-6kbps", "Opus", "opus", 6040.0, True, 0).rate
        '6.04 kbit/s measured'
        """
        if self.bps is None:
            return "reference" if self.is_reference else ""
        return f"{self.bps / 1000:.3g} kbit/s {'measured' if self.measured else 'nominal'}"


def describe_conditions(slugs: Iterable[str], reference: str, table: pd.DataFrame | None) -> list[ConditionInfo]:
    """The conditions in ``slugs``, reference first, then by family and bit rate (names with numbers in numeric order).

    ``table`` has the columns condition, label, family, nominal_bps, measured_bps and, where known, weights; conditions without a
    row, or all of them without a table, are called by their slug.

    >>> [info.slug for info in describe_conditions(["opus-24kbps", "opus-6kbps", "original"], "original", None)]
    ['original', 'opus-6kbps', 'opus-24kbps']
    """
    known = {} if table is None else {str(row["condition"]): row for row in table.to_dict("records")}
    drafts = [(slug, known.get(slug, {})) for slug in slugs]
    drafts.sort(key=lambda draft: _order(draft[0], draft[1], reference))
    references = (reference, panel_slug(reference))
    families = list(dict.fromkeys(_word(row, "family") for slug, row in drafts if slug not in references))
    infos = []
    for slug, row in drafts:
        bps, measured = _rate(row)
        second = slug == panel_slug(reference)
        colour = -1 if slug == reference or second else families.index(_word(row, "family"))
        nominal, weights = _number(row, "nominal_bps"), _word(row, "weights")
        label = _word(row, "label") or (f"{reference}, second panel" if second else slug)
        infos.append(ConditionInfo(slug, label, _word(row, "family"), bps, measured, colour, nominal, weights))
    return infos


def _order(slug: str, row: dict[str, object], reference: str) -> tuple[object, ...]:
    bps, _ = _rate(row)
    natural = [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", slug)]
    return slug != reference, slug != panel_slug(reference), _word(row, "family"), bps or 0.0, natural


def _rate(row: dict[str, object]) -> tuple[float | None, bool]:
    for name, measured in (("measured_bps", True), ("nominal_bps", False)):
        value = _number(row, name)
        if value is not None:
            return value, measured
    return None, False


def _number(row: dict[str, object], name: str) -> float | None:
    value = pd.to_numeric(row.get(name), errors="coerce")
    return None if value is None or pd.isna(value) else float(value)


def _word(row: dict[str, object], name: str) -> str:
    value = row.get(name)
    return "" if value is None or pd.isna(value) else str(value).strip()
