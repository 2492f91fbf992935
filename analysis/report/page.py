"""The report as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.ratings.bootstrap import FEW
from analysis.report.dots import Mark
from analysis.report.figures import Figure, plane_figures, quality_figures, retention_figures, whole, with_interval
from analysis.report.findings import Finding, scale_title
from analysis.report.study import Results

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "report"


def all_figures(results: Results) -> dict[str, list[Figure]]:
    """Figures by the section of the page in which they stand."""
    return {
        "quality": quality_figures(results),
        "emotion": retention_figures(results),
        "plane": plane_figures(results),
    }


def figure_styles() -> str:
    """The style sheet that figures share with the page."""
    return (TEMPLATES / "figure.css").read_text(encoding="utf-8")


def render_page(
    results: Results,
    finding: Finding,
    figures: Mapping[str, list[Figure]],
    origin: Mapping[str, str],
    title: str,
    files: list[str],
) -> str:
    """The page as HTML."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    context = {
        "results": results,
        "finding": finding,
        "figures": figures,
        "origin": origin,
        "title": title,
        "files": files,
        "agreement": _agreement_rows(results),
        "few": FEW,
        "styles": Markup(figure_styles() + (TEMPLATES / "page.css").read_text(encoding="utf-8")),
        "drawing": lambda drawing: Markup(drawing.svg()),
        "families": _families(results),
    }
    return environment.get_template("report.html").render(context)


def _agreement_rows(results: Results) -> list[tuple[str, ...]]:
    """Agreement over all conditions, as printed."""
    table = results.agreement[results.agreement["condition"] == ""]
    rows: list[tuple[str, ...]] = []
    for row in table.to_dict("records"):
        mark = Mark("", "", "", row["value"], row["ci_low"], row["ci_high"], 0, row["note"])
        what = f"{scale_title(row['scale'])}: {row['label']}" if row["label"] else scale_title(row["scale"])
        counts = [whole(row[name]) for name in ("n_units", "n_raters", "n_ratings")]
        rows.append((what, row["level"], with_interval(mark), *counts))
    return rows


def _families(results: Results) -> list[tuple[str, int]]:
    """Names of families with their colour, where the conditions have families."""
    return list({info.family: info.colour for info in results.conditions if info.family and info.colour >= 0}.items())
