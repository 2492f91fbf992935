"""Two figures of an evaluation, drawn by the report's own: recognition against bit rate, and what each emotion loses."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import pandas as pd

from analysis.report.conditions import ConditionInfo
from analysis.report.dots import Axis, Mark
from analysis.report.heat import drop_cell, heat_figure
from analysis.report.rates import rate_figure
from analysis.report.svg import Drawing
from analysis.ser.objective_retention import ObjectiveRetention

RATE_TITLE, DROP_TITLE = "Emotion recognition against bit rate", "Emotion recognition lost, by emotion"


def evaluation_figures(scores: ObjectiveRetention, infos: Sequence[ConditionInfo]) -> dict[str, Drawing]:
    """File name -> drawing, each wide and narrow. A figure without anything to show is left out: the first takes two bit rates."""
    drawings = {}
    for narrow in (False, True):
        size = "narrow" if narrow else "wide"
        drawings[f"ser_rate_{size}.svg"] = _rate(scores.overall, infos, narrow)
        drawings[f"ser_drop_{size}.svg"] = _drop(scores, infos, narrow)
    return {name: drawing for name, drawing in drawings.items() if drawing is not None}


def _rate(overall: pd.DataFrame, infos: Sequence[ConditionInfo], narrow: bool) -> Drawing | None:
    rates = {info.slug: info.bps for info in infos if info.bps is not None and not info.is_reference}
    table = overall.set_index("condition")
    marks = [
        _mark(info, table.loc[info.slug], "macro_f1", "ci_low", "ci_high")
        for info in infos
        if info.is_reference or info.slug in rates
    ]
    if len(set(rates.values())) < 2:
        return None
    axis = Axis(0.0, 1.0, [(tick / 5, "") for tick in range(6)], 2, "macro-F1 of the machine")
    families = {info.slug: info.family for info in infos}
    return rate_figure(marks, rates, families, axis, RATE_TITLE, "ser-rate", narrow=narrow, footer="")


def _drop(scores: ObjectiveRetention, infos: Sequence[ConditionInfo], narrow: bool) -> Drawing | None:
    overall = scores.overall.set_index("condition")
    rows = []
    for info in infos:
        if info.is_reference:
            continue
        mine = scores.by_emotion[scores.by_emotion["condition"] == info.slug]
        cells = [
            Mark(
                info.slug, row["emotion"], "", row["relative_drop"], row["drop_low"], row["drop_high"], info.colour, row["note"]
            )
            for _, row in mine.iterrows()
        ]
        rows.append((_mark(info, overall.loc[info.slug], "relative_drop", "drop_low", "drop_high"), cells))
    if not any(isfinite(head.value) for head, _ in rows):
        return None
    support = scores.by_emotion.groupby("emotion")["support"].max()
    counts = {str(name): int(count) for name, count in support.items()}
    return heat_figure(rows, counts, DROP_TITLE, "ser-drop", narrow=narrow, footer="", cell_of=drop_cell)


def _mark(info: ConditionInfo, row: pd.Series, value: str, low: str, high: str) -> Mark:
    return Mark(
        info.slug, info.label, info.rate, float(row[value]), float(row[low]), float(row[high]), info.colour, str(row["note"])
    )
