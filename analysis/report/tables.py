"""Tables as people print them: rows of words for the page, for Markdown and for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

from analysis.report.figures import whole, with_interval
from analysis.report.findings import quality_marks, retention_marks, scale_mean, scale_title
from analysis.report.study import Results

CONTRAST_HEADS = ("Pair", "Difference [95 %]", "p", "p (Holm)", "Cliff’s delta", "Clips")


@dataclass(frozen=True)
class Table:
    """A printed table: ``key`` is its file name."""

    key: str
    caption: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def contrast_rows(results: Results, scale: str) -> list[tuple[str, ...]]:
    """Every pair of conditions on a scale: difference with interval, p values, effect size."""
    labels = {info.slug: info.label for info in results.conditions}
    table = results.contrasts
    rows: list[tuple[str, ...]] = []
    for row in table[table["scale"] == scale].to_dict("records"):
        bounds = f" [{_number(row['ci_low'])}, {_number(row['ci_high'])}]" if isfinite(row["ci_low"]) else ""
        difference = _number(row["difference"]) + bounds if isfinite(row["difference"]) else f"undefined: {row['note']}"
        pair = f"{labels[row['condition_a']]} − {labels[row['condition_b']]}"
        rows.append((pair, difference, _p(row["p"]), _p(row["p_holm"]), _number(row["cliffs_delta"]), whole(row["n_clips"])))
    return rows


def kept_rows(results: Results) -> list[tuple[str, ...]]:
    """Every pair of conditions in emotion retention: difference in macro-F1 and permutation p."""
    labels = {info.slug: info.label for info in results.conditions}
    return [
        (
            f"{labels[row['condition_a']]} − {labels[row['condition_b']]}",
            _number(row["difference"]) if isfinite(row["difference"]) else f"undefined: {row['note']}",
            *(_p(row[name]) for name in ("p", "p_holm")),
            whole(row["n_clips"]),
        )
        for row in results.retention_contrasts.to_dict("records")
    ]


def soft_rows(results: Results) -> list[tuple[str, ...]]:
    """Soft measures of emotion retention per condition and ambiguity."""
    labels = {info.slug: info.label for info in results.conditions}
    rows = []
    for row in results.soft_labels.to_dict("records"):
        cells = [
            f"{_number(row[name])} [{_number(row[f'{short}_ci_low'])}, {_number(row[f'{short}_ci_high'])}]"
            if isfinite(row[f"{short}_ci_low"])
            else _number(row[name])
            for name, short in (("js_divergence", "js"), ("top2_accuracy", "top2"))
        ]
        rows.append((labels.get(row["condition"], row["condition"]), row["ambiguity"], *cells, whole(row["n_clips"])))
    return rows


def group_rows(results: Results) -> list[tuple[str, ...]]:
    """Emotion retention within groups of speakers and of raters."""
    labels = {info.slug: info.label for info in results.conditions if not info.is_reference}
    names = {"speaker_sex": "speakers", "stratum": "raters"}
    return [
        (
            f"{names.get(row['grouped_by'], row['grouped_by'])}: {row['group']}",
            labels[row["condition"]],
            f"{_number(row['macro_f1'])} [{_number(row['ci_low'])}, {_number(row['ci_high'])}]",
            whole(row["n_clips"]),
        )
        for row in results.deeper["retention_by_group"].to_dict("records")
        if row["condition"] in labels and isfinite(row["macro_f1"])
    ]


def icc_rows(results: Results) -> list[tuple[str, ...]]:
    """Intraclass correlations of every numeric scale."""
    return [
        (
            scale_title(row["scale"]),
            row["coefficient"],
            _number(row["value"]) if isfinite(row["value"]) else f"undefined: {row['note']}",
            f"{_number(row['ci_low'])} to {_number(row['ci_high'])}" if isfinite(row["ci_low"]) else "–",
            row["method"],
        )
        for row in results.deeper["icc"].to_dict("records")
    ]


def check_rows(results: Results) -> list[tuple[str, ...]]:
    """Every screening rule: its numbers, whom it looked at, whom it left out, why it could not look."""
    rows = results.sieve.checks.to_dict("records")
    return [(r["rule"], r["parameters"], whole(r["n_checked"]), whole(r["n_excluded"]), r["note"]) for r in rows]


def beside_rows(results: Results) -> list[tuple[str, ...]]:
    """Scores with and without screening."""
    labels = {info.slug: info.label for info in results.conditions}
    numbers = ("mos_all", "mos_screened", "change", "width_all", "width_screened")
    return [
        (
            labels.get(row["condition"], row["condition"]),
            scale_title(row["scale"]),
            *(_number(row[name]) for name in numbers),
            *(whole(row[name]) for name in ("n_all", "n_screened")),
        )
        for row in results.with_and_without.to_dict("records")
    ]


def printed_tables(results: Results) -> list[Table]:
    """The tables of a paper: scores per condition, retention per emotion, pairs, agreement, raters."""
    tables = [_scores(results)]
    if results.retention.overall["macro_f1"].notna().any():
        tables.append(_retention(results))
    for scale in results.scales:
        rows = contrast_rows(results, scale)
        if rows:
            caption = f"{scale_title(scale)}: differences between conditions with 95 % intervals"
            tables.append(Table(f"contrasts_{scale}", caption, CONTRAST_HEADS, rows))
    if not results.people.reason:
        strata = results.people.strata
        columns = ("Stratum", "Raters", "Ratings", "Median minutes", "Pay per hour")
        numbers = ("median_minutes", "median_hourly_pay")
        people = [
            (row["stratum"], whole(row["n_raters"]), whole(row["n_ratings"]), *(_number(row[name]) for name in numbers))
            for row in strata.to_dict("records")
        ]
        tables.append(Table("participants", "Raters by stratum", columns, people))
    return tables


def _scores(results: Results) -> Table:
    quality = {scale: {mark.slug: mark for mark in quality_marks(results, scale)} for scale in results.scales}
    kept = {mark.slug: mark for mark in retention_marks(results)} if results.emotions else {}
    heads = [f"{scale_title(scale)} ({scale_mean(scale)})" for scale in quality] + (["Macro-F1"] if kept else [])
    rows = []
    for info in results.conditions:
        marks = [found.get(info.slug) for found in [*quality.values(), *([kept] if kept else [])]]
        cells = ["–" if mark is None or not isfinite(mark.value) else with_interval(mark).split(" (")[0] for mark in marks]
        rows.append((info.label, info.rate or "–", *cells))
    return Table("scores", "Scores with 95 % intervals over raters and clips", ("Condition", "Bit rate", *heads), rows)


def _retention(results: Results) -> Table:
    frame = results.retention.by_emotion
    labels = {info.slug: info.label for info in results.conditions if not info.is_reference}
    rows = []
    for slug, label in labels.items():
        found = frame[frame["condition"] == slug].set_index("emotion")["f1"]
        rows.append((label, *(_number(found[name]) if name in found else "–" for name in results.emotions)))
    return Table("retention_by_emotion", "F1 of each emotion against the reference", ("Condition", *results.emotions), rows)


def _number(value: float) -> str:
    """Two decimals with a real minus sign, a dash where there is none.

    >>> _number(-0.254), _number(float("nan"))
    ('−0.25', '–')
    """
    return f"{value:.2f}".replace("-", "−") if isfinite(value) else "–"


def _p(value: float) -> str:
    """A p value to three decimals.

    >>> _p(0.0123), _p(1e-9)
    ('0.012', '< 0.001')
    """
    return "–" if not isfinite(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown; bars in cells are escaped.

    >>> print(markdown_table(("a", "b"), [("1|2", "3")]))
    | a | b |
    |---|---|
    | 1\\|2 | 3 |
    """
    lines = [columns, ["---"] * len(columns), *rows]
    cells = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    made = ["| " + " | ".join(line) + " |" for line in cells]
    made[1] = "|" + "---|" * len(columns)
    return "\n".join(made)
