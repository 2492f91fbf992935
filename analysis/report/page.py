"""The report as one HTML page that needs nothing but itself, and the same page laid out for paper."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from analysis.ratings.bootstrap import FEW
from analysis.report.diagnostics import (
    agreement_figures,
    clip_figures,
    confusion_figures,
    flow_figures,
    people_figures,
    rater_figures,
    vote_figures,
)
from analysis.report.figures import (
    Figure,
    plane_figures,
    quality_figures,
    rate_figures,
    retention_figures,
    whole,
)
from analysis.report.findings import Finding, scale_title
from analysis.report.machines import TABLE_HEADS as MACHINE_HEADS
from analysis.report.machines import Machines
from analysis.report.study import Results
from analysis.report.svg import Drawing, plain_styles
from analysis.report.tables import beside_rows, check_rows, contrast_rows, group_rows, icc_rows, kept_rows, soft_rows

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "report"


@dataclass(frozen=True)
class Contents:
    """All that a page shows beside the numbers in ``results``."""

    results: Results
    finding: Finding
    figures: Mapping[str, list[Figure]]
    origin: Mapping[str, str]
    title: str
    methods: str
    gaps: list[str]
    files: list[str]
    machines: Machines | None = None


def all_figures(results: Results) -> dict[str, list[Figure]]:
    """Figures by the section of the page in which they stand."""
    return {
        "quality": quality_figures(results),
        "emotion": [*retention_figures(results), *confusion_figures(results)],
        "rate": rate_figures(results),
        "plane": plane_figures(results),
        "votes": vote_figures(results),
        "clips": clip_figures(results),
        "agreement": [*agreement_figures(results), *rater_figures(results)],
        "screening": flow_figures(results),
        "people": people_figures(results),
    }


def figure_styles() -> str:
    """The style sheet that figures share with the page."""
    return (TEMPLATES / "figure.css").read_text(encoding="utf-8")


def file_styles() -> str:
    """The style sheet of figures that stand alone: colours written out, since editors of drawings know no variables."""
    return plain_styles(figure_styles())


def render_page(contents: Contents) -> str:
    """The page for screens."""
    # A drawing escapes the words in it itself.
    return _render(contents, lambda drawing: Markup(drawing.svg()), figure_styles(), paper=False)  # nosec B704


def render_paper(contents: Contents) -> str:
    """The page for paper: details open, wide figures only, each a picture of its own with its colours written out."""
    # Halos are drawn under words by browsers alone; elsewhere they would be drawn over them.
    styles = "\n".join(line for line in file_styles().splitlines() if ".halo" not in line)

    def picture(drawing: Drawing) -> Markup:
        data = base64.b64encode(drawing.svg(styles).encode()).decode()
        return Markup('<img alt="" src="data:image/svg+xml;base64,{}">').format(data)

    return _render(contents, picture, "", paper=True)


def _render(contents: Contents, drawing: Callable[[Drawing], Markup], styles: str, *, paper: bool) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    results = contents.results
    page = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    context = {
        "results": results,
        "finding": contents.finding,
        "figures": contents.figures,
        "origin": contents.origin,
        "title": contents.title,
        "methods": contents.methods,
        "gaps": contents.gaps,
        "files": contents.files,
        "contrasts": {scale_title(scale): contrast_rows(results, scale) for scale in results.scales},
        "checks": check_rows(results),
        "beside": beside_rows(results),
        "soft": soft_rows(results),
        "groups": group_rows(results),
        "icc": icc_rows(results),
        "kept_pairs": kept_rows(results),
        "machines": contents.machines,
        "machine_heads": MACHINE_HEADS,
        "sections": _sections(contents),
        "few": FEW,
        "whole": whole,
        "paper": paper,
        "styles": Markup((styles or plain_variables()) + page),  # our own style sheets  # nosec B704
        "drawing": drawing,
        "families": _families(results),
    }
    return environment.get_template("report.html").render(context)


def plain_variables() -> str:
    """The colours alone, for a page whose figures are pictures."""
    styles = figure_styles()
    return styles[: styles.index("@media")]


def _sections(contents: Contents) -> list[tuple[str, str]]:
    """The table of contents: id and title of every section that there is."""
    figures, results = contents.figures, contents.results
    sections = [
        ("quality", "Quality", bool(figures["quality"])),
        ("emotion", "Emotion", True),
        ("rate", "Bit rate", bool(figures["rate"])),
        ("both", "Quality and emotion", bool(figures["plane"])),
        ("contrasts", "Pairs of conditions", len(results.contrasts) > 0),
        ("machines", "Machines", contents.machines is not None),
        ("data", "The ratings themselves", True),
        ("counts", "Screening", True),
        ("people", "Raters", True),
        ("gaps", "Not computed", bool(contents.gaps)),
        ("methods", "Methods", True),
        ("provenance", "Provenance", True),
    ]
    return [(key, title) for key, title, there in sections if there]


def _families(results: Results) -> list[tuple[str, int]]:
    """Names of families with their colour, where the conditions have families."""
    return list({info.family: info.colour for info in results.conditions if info.family and info.colour >= 0}.items())
