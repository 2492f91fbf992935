"""From ratings to a report: tables, figures, a page, and a record of how they came about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from analysis.report.findings import Finding, find
from analysis.report.page import all_figures, figure_styles, render_page
from analysis.report.provenance import as_json, describe_origin
from analysis.report.study import REPLICATES, Results, analyse
from analysis.schema import validate_ratings

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Report:
    """What was written, and the tables in it."""

    out: Path
    html: Path
    files: tuple[Path, ...]
    finding: Finding
    results: Results

    @property
    def mos(self) -> pd.DataFrame:
        return self.results.mos.frame

    @property
    def retention(self) -> pd.DataFrame:
        return self.results.retention.overall

    @property
    def retention_by_emotion(self) -> pd.DataFrame:
        return self.results.retention.by_emotion

    @property
    def agreement(self) -> pd.DataFrame:
        return self.results.agreement


def write_report(
    ratings: pd.DataFrame,
    out: Path,
    *,
    reference: str = "original",
    seed: int = 0,
    title: str = "",
    conditions: pd.DataFrame | None = None,
    emotions: Sequence[str] | None = None,
    provenance: Mapping[str, str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    replicates: int = REPLICATES,
) -> Report:
    """Analyse ``ratings`` (see `analysis.schema`) and write the report into the folder ``out``, made if needed.

    Files: ``mos.csv``, ``mos_by_stimulus.csv``, ``retention.csv``, ``retention_by_emotion.csv``, ``agreement.csv``,
    ``report.json``, ``report.html`` and ``figures/*.svg``. The same ratings, in any order, with the same seed give the same
    bytes.

    ``conditions`` (condition, label, family, nominal_bps, measured_bps) names the conditions for readers; ``emotions`` are
    the options that raters had; ``provenance`` is added to the record; ``progress`` is told (done, to do) in replicates.
    A reference without ratings makes retention undefined, with that reason. Raises SchemaError when the frame breaks a rule
    or nothing can be analysed, and OSError when the folder cannot be written.
    """
    ratings = validate_ratings(ratings)
    results = analyse(
        ratings,
        reference=reference,
        seed=seed,
        replicates=replicates,
        conditions=conditions,
        emotions=emotions,
        progress=progress,
    )
    title = title or "Listening test"
    finding, figures = find(results), all_figures(results)
    origin = describe_origin(results, ratings, provenance or _NOTHING)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    tables = {
        "mos.csv": results.mos.frame,
        "mos_by_stimulus.csv": results.by_stimulus,
        "retention.csv": results.retention.overall,
        "retention_by_emotion.csv": results.retention.by_emotion,
        "agreement.csv": results.agreement,
    }
    texts = {name: table.to_csv(index=False, float_format="%.6f", lineterminator="\n") for name, table in tables.items()}
    texts["report.json"] = (
        json.dumps(as_json(results, finding, origin, title), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    )
    styles = figure_styles()
    texts |= {f"figures/{one.key}.svg": one.wide.svg(styles) for group in figures.values() for one in group}
    texts["report.html"] = render_page(results, finding, figures, origin, title, [*texts])
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    return Report(out, out / "report.html", tuple(out / name for name in texts), finding, results)
