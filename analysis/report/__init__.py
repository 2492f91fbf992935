"""From ratings to a report: tables, figures, a page, and a record of how they came about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from analysis.compare import Comparison, Recogniser, compare, is_falling
from analysis.files import write_whole
from analysis.report.documents import latex_tables, markdown, pdf
from analysis.report.figures import figure_footer
from analysis.report.findings import Finding, find
from analysis.report.gaps import find_gaps
from analysis.report.machines import machines
from analysis.report.methods import methods_paragraph
from analysis.report.page import Contents, all_figures, file_styles, render_page
from analysis.report.provenance import as_json, describe_origin
from analysis.report.sieve import NO_RULES, sift
from analysis.report.study import REPLICATES, Results, analyse
from analysis.schema import select_usable, split_panels, validate_ratings

#: More replicates than these are not worth their time in correlations, which are made anew from all stimuli in each.
MOST_COMPARED = 1000
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Report:
    """What was written, the tables in it, and sentences on what could not be computed."""

    out: Path
    html: Path
    files: tuple[Path, ...]
    finding: Finding
    results: Results
    gaps: tuple[str, ...] = ()

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
    participants: pd.DataFrame | None = None,
    notes: Sequence[str] = (),
    make_pdf: bool = True,
    screening: str = NO_RULES,
    exclude: Sequence[str] = (),
    scores: pd.DataFrame | None = None,
    recogniser: Recogniser | None = None,
    questions: Mapping[str, str] = _NOTHING,
) -> Report:
    """Analyse ``ratings`` (see `analysis.schema`) and write the report into the folder ``out``, made if needed.

    Files: ``mos.csv``, ``mos_by_stimulus.csv``, ``contrasts.csv``, ``retention.csv``, ``retention_by_emotion.csv``,
    ``retention_contrasts.csv``, ``soft_labels.csv``, ``agreement.csv``, ``exclusions.csv``, ``screening.csv``,
    ``with_and_without_screening.csv``, the tables of `deeper.deeper_tables`, and each of them as ``tables/*.parquet``;
    ``tables/*.tex`` (booktabs); ``report.json``, ``report.md``, ``report.html``, ``figures/*.svg``; and ``report.pdf`` unless
    ``make_pdf`` is False or WeasyPrint is absent, which ``Report.gaps`` then says. The same ratings, in any order, with the same
    seed give the same bytes.

    ``conditions`` (condition, label, family, nominal_bps, measured_bps, weights) names the conditions for readers; ``emotions``
    are the options that raters had; ``participants`` (rater_id, minutes, pay, currency) tells about raters; ``notes`` are
    sentences on what the ratings' file could not tell; ``screening`` names a rule set and ``exclude`` raters to leave out;
    ``questions`` are the words that raters saw, by scale, for the methods paragraph; ``provenance`` is added to the record;
    ``progress`` is told (done, to do) in replicates.
    ``scores`` (clip_id, condition, measure, score) and ``recogniser`` add the section on machines and ``comparison.csv``,
    ``comparison_by_emotion.csv``, ``comparison_ranks.csv``.
    A reference without ratings makes retention undefined, with that reason. Raises SchemaError when the frame breaks a rule
    or nothing can be analysed, and OSError when the folder cannot be written.
    """
    ratings = validate_ratings(ratings)
    results = analyse(
        sift(ratings, screening, exclude, reference),
        reference=reference,
        seed=seed,
        replicates=replicates,
        conditions=conditions,
        emotions=emotions,
        participants=participants,
        progress=progress,
    )
    title = title or "Listening test"
    finding, figures = find(results), all_figures(results)
    compared = _compare(results, scores, recogniser, notes := list(notes))
    beside = machines(results.conditions, compared, figure_footer(results)) if compared else None
    figures["machines"] = beside.figures if beside else []
    origin = describe_origin(results, ratings, provenance or _NOTHING)
    methods, gaps = methods_paragraph(results, origin, questions), find_gaps(results, notes)
    tables = {
        "mos": results.mos.frame,
        "mos_by_stimulus": results.by_stimulus,
        "contrasts": results.contrasts,
        "retention": results.retention.overall,
        "retention_by_emotion": results.retention.by_emotion,
        "agreement": results.agreement,
        "soft_labels": results.soft_labels,
        "retention_contrasts": results.retention_contrasts,
        "exclusions": results.sieve.exclusions,
        "screening": results.sieve.checks,
        "with_and_without_screening": results.with_and_without,
        **results.deeper,
    }
    if compared:
        tables |= {
            "comparison": compared.overall,
            "comparison_by_emotion": compared.by_emotion,
            "comparison_ranks": compared.ranks,
        }
    drawings = {f"figures/{one.key}.svg": one for group in figures.values() for one in group}
    contents = Contents(results, finding, figures, origin, title, methods, gaps, [], beside)
    styles = file_styles()
    texts = {f"{name}.csv": _csv(table) for name, table in tables.items()}
    texts["report.json"] = (
        json.dumps(as_json(results, finding, origin, title, gaps, methods), indent=1, ensure_ascii=False, allow_nan=False)
        + "\n"
    )
    texts |= {name: one.wide.svg(styles) for name, one in drawings.items()}
    texts |= latex_tables(contents)
    texts["report.md"] = markdown(contents)
    written, without_pdf = pdf(contents) if make_pdf else (None, "")
    gaps += [without_pdf] * bool(without_pdf)
    parquet = [f"tables/{name}.parquet" for name in tables]
    contents.files[:] = [*texts, *parquet, *(["report.pdf"] if written else [])]
    texts["report.html"] = render_page(contents)
    content = {name: text.encode() for name, text in texts.items()}
    content |= {f"tables/{name}.parquet": table.to_parquet(index=False) for name, table in tables.items()}
    if written:
        content["report.pdf"] = written
    # Last, so that the page never names a file that is not there; and each whole, so that a full disk leaves the earlier report readable.
    content["report.html"] = content.pop("report.html")
    for name, data in content.items():
        write_whole(out / name, data)
    files = tuple(out / name for name in (*contents.files, "report.html"))
    return Report(out, out / "report.html", files, finding, results, tuple(gaps))


def _compare(
    results: Results, scores: pd.DataFrame | None, recogniser: Recogniser | None, notes: list[str]
) -> Comparison | None:
    """The comparison with measures, if any scores were given; what it could not compare goes into ``notes``."""
    if scores is None:
        return None
    used = select_usable(split_panels(results.sieve.ratings, results.reference)).used
    found = compare(
        scores,
        used,
        reference=results.reference,
        emotions=results.emotions or None,
        recogniser=recogniser,
        falling=is_falling,
        replicates=min(results.replicates, MOST_COMPARED),
        seed=results.seed,
    )
    notes += found.notes
    return found


def _csv(table: pd.DataFrame) -> str:
    text: str = table.to_csv(index=False, float_format="%.6f", lineterminator="\n")
    return text
