"""Figures for judging the data itself: votes as they fell, clips, raters, agreement, what was left out, who took part."""

from __future__ import annotations

from itertools import pairwise
from math import isfinite

import numpy as np
import pandas as pd

from analysis.labels import label_matrix
from analysis.report.dots import Axis, Mark, bar_figure
from analysis.report.figures import Figure, figure_footer, quality_axis, whole, with_interval
from analysis.report.findings import leading_scale, quality_marks, scale_title
from analysis.report.flow import flow_figure
from analysis.report.heat import heat_figure, share_cell
from analysis.report.people import People
from analysis.report.stacks import stack_figure
from analysis.report.strips import strip_figure
from analysis.report.study import EMOTION_SCALE, Results
from analysis.report.svg import Drawing
from analysis.scales import SCALES

#: Scales with more categories than this are drawn in five equal parts.
MANY = 11


def vote_figures(results: Results) -> list[Figure]:
    """The votes of every numeric scale in shares per category, and the emotions chosen."""
    first = leading_scale(results)
    figures = [_votes(results, scale) for scale in sorted(results.scales, key=lambda key: key != first)]
    return [*figures, *_chosen(results)]


def clip_figures(results: Results) -> list[Figure]:
    """Every stimulus of the leading scale under its condition's mean."""
    scale = leading_scale(results)
    if scale is None:
        return []
    frame = results.by_stimulus[results.by_stimulus["scale"] == scale]
    marks = quality_marks(results, scale)
    values = {str(slug): group["mos"].tolist() for slug, group in frame.groupby("condition")}
    rows = [(mark, values[mark.slug]) for mark in marks if mark.slug in values]
    axis = quality_axis(marks, scale)
    title = f"{scale_title(scale)} of every stimulus"
    return [
        Figure(
            "clips",
            title,
            "Each tick is the mean of one stimulus, the dot that of its condition. Where ticks lie far apart, what is said decides as "
            "much as what codes it. All means are in mos_by_stimulus.csv.",
            strip_figure(rows, axis, title, "clips", narrow=False, footer=figure_footer(results)),
            strip_figure(rows, axis, title, "clips", narrow=True, footer=figure_footer(results)),
            ("Condition", "Stimuli", "Lowest", "Median", "Highest", "SD between stimuli"),
            [(mark.label, whole(len(v)), *(f"{q:.2f}" for q in np.quantile(v, [0, 0.5, 1])), _sd(v)) for mark, v in rows],
        )
    ]


def agreement_figures(results: Results) -> list[Figure]:
    """Krippendorff's alpha over all conditions."""
    table = results.agreement[results.agreement["condition"] == ""]
    marks = [
        Mark(
            f"{row['scale']}/{row['level']}/{row['label']}",
            f"{scale_title(row['scale'])}: {row['label']}" if row["label"] else scale_title(row["scale"]),
            row["level"],
            row["value"],
            row["ci_low"],
            row["ci_high"],
            number % 8,
            row["note"],
        )
        for number, row in ((results.scale_number(row["scale"]), row) for row in table.to_dict("records"))
    ]
    if not any(isfinite(mark.value) for mark in marks):
        return []
    low = min(0.0, *(mark.low for mark in marks if isfinite(mark.low)), *(m.value for m in marks if isfinite(m.value)))
    start = np.floor(low * 5) / 5
    axis = Axis(
        float(start), 1.0, [(start + 0.2 * k, "") for k in range(round((1 - start) * 5) + 1)], 2, "Krippendorff’s alpha"
    )
    counts = table[["n_units", "n_raters", "n_ratings"]].to_dict("records")
    title = "Agreement between raters"
    return [
        Figure(
            "agreement",
            title,
            "1 is full agreement, 0 is what chance gives. Lines are 95 % intervals over clips. Within one condition alpha is lower by "
            "nature, since a single condition spans less of the scale; agreement.csv has both.",
            bar_figure(marks, axis, title, "alpha", footer=figure_footer(results)),
            bar_figure(marks, axis, title, "alpha", narrow=True, footer=figure_footer(results)),
            ("What", "Level", "Alpha [95 %]", "Stimuli", "Raters", "Ratings"),
            [
                (mark.label, mark.detail, with_interval(mark), *(whole(value) for value in count.values()))
                for mark, count in zip(marks, counts, strict=True)
            ],
        )
    ]


def rater_figures(results: Results) -> list[Figure]:
    """How far each rater goes with all the others, in bands of the correlation; none where it is undefined."""
    table = results.deeper["rater_agreement"]
    table = table[table["r"].notna()]
    if table.empty:
        return []
    names = ["below 0", "0 to 0.25", "0.25 to 0.5", "0.5 to 0.75", "above 0.75"]
    nan = float("nan")
    rows: list[tuple[Mark, list[float]]] = []
    printed: list[tuple[str, ...]] = []
    for number, (scale, group) in enumerate(table.groupby("scale", sort=False)):
        counts = np.bincount(np.searchsorted([0, 0.25, 0.5, 0.75], group["r"], side="right"), minlength=5)
        rows.append((Mark(str(scale), scale_title(str(scale)), "", nan, nan, nan, number), (counts / counts.sum()).tolist()))
        printed.append((scale_title(str(scale)), *map(whole, counts), f"{group['r'].median():.2f}", whole(len(group))))
    title = "Each rater against the rest"
    said = (
        "Share of raters in per cent by their correlation with the mean of all others, never of themselves. Who goes against the rest "
        "is in rater_agreement.csv; bias and inconsistency of every rater (ITU-T P.913) are in rater_model.csv."
    )

    def draw(narrow: bool) -> Drawing:
        return stack_figure(rows, names, title, "raters", narrow=narrow, footer=figure_footer(results))

    return [Figure("raters", title, said, draw(False), draw(True), ("Scale", *names, "Median", "Raters"), printed)]


def confusion_figures(results: Results) -> list[Figure]:
    """Where the votes for each emotion of the original go in the condition that keeps least emotion."""
    flow, overall = results.deeper["confusion"], results.retention.overall.dropna(subset=["macro_f1"])
    codecs = {info.slug: info for info in results.conditions if not info.is_reference}
    overall = overall[overall["condition"].isin(codecs)]
    if flow.empty or overall.empty:
        return []
    info = codecs[str(overall.loc[overall["macro_f1"].idxmin(), "condition"])]
    nan = float("nan")
    share = flow[flow["condition"] == info.slug].set_index(["emotion_original", "emotion_heard"])
    rows = [
        (
            Mark(one, one, "in the original", nan, nan, nan, 0),
            [Mark(one, other, "", float(share.at[(one, other), "share"]), nan, nan, 0) for other in results.emotions],
        )
        for one in results.emotions
    ]
    title = f"What is heard as what: {info.label}"
    said = (
        "The condition that keeps least emotion. Of the votes that an emotion has in the original, the share in per cent that each emotion "
        "has in the coded clip. Raters are divided on the original too; confusion.csv has that beside it, and every other condition."
    )

    def draw(narrow: bool) -> Drawing:
        return heat_figure(
            rows, {}, title, "flow-of", narrow=narrow, footer=figure_footer(results), cell_of=share_cell, overall=""
        )

    def beside(one: str, other: str) -> str:
        found = share.loc[(one, other)]
        if not isfinite(found["share"]):
            return "–"
        return f"{100 * found['share']:.0f} (original {100 * found['share_in_original']:.0f})"

    printed = [(one, *(beside(one, other) for other in results.emotions)) for one in results.emotions]
    return [Figure("confusion", title, said, draw(False), draw(True), ("Original", *results.emotions), printed, folded=True)]


def flow_figures(results: Results) -> list[Figure]:
    """What was read, left out and used."""
    read, title = results.counts["ratings_read"], "From ratings read to ratings used"
    reasons = sorted(results.left_out.items(), key=lambda item: (-item[1], item[0]))
    return [
        Figure(
            "screening",
            title,
            "Each step takes away the ratings that were left out for one reason; nothing is deleted, and every reason is in the file.",
            flow_figure(read, results.left_out, title, "flow", narrow=False, footer=figure_footer(results)),
            flow_figure(read, results.left_out, title, "flow", narrow=True, footer=figure_footer(results)),
            ("Step", "Ratings", "Share"),
            [
                ("Read", whole(read), "100 %"),
                *((f"Left out: {reason}", whole(n), f"{100 * n / read:.1f} %") for reason, n in reasons),
                ("Used", whole(results.counts["ratings_used"]), f"{100 * results.counts['ratings_used'] / read:.1f} %"),
            ],
        )
    ]


def people_figures(results: Results) -> list[Figure]:
    """Raters by stratum, with median time and hourly pay; none where nothing names raters."""
    people = results.people
    if people.reason:
        return []
    n = len(people.raters)
    top = max(int(people.strata["n_raters"].max()), 1)
    marks = [
        Mark(row["stratum"], row["stratum"], _median(people, row), row["n_raters"], float("nan"), float("nan"), number)
        for number, row in enumerate(people.strata.to_dict("records"))
    ]
    step = max(1, -(-top // 5))
    axis = Axis(
        0.0, float(step * -(-top // step)), [(float(v), "") for v in range(0, step * -(-top // step) + 1, step)], 0, "raters"
    )
    title = f"{n:,} raters by stratum"
    said = f" Minutes are {people.timing}." if people.timing else " No times are known."
    pay = (
        f" Pay is in {people.currency or 'the unit of the file'}."
        if people.raters["pay"].notna().any()
        else " Pay is not known."
    )
    return [
        Figure(
            "participants",
            title,
            "Strata are the groups of which each gives every stimulus the same number of votes." + said + pay,
            bar_figure(marks, axis, title, "people", footer=figure_footer(results), bare=True),
            bar_figure(marks, axis, title, "people", narrow=True, footer=figure_footer(results), bare=True),
            ("Stratum", "Raters", "Ratings", "Ratings per rater", "Median minutes", "Median pay", "Pay per hour"),
            [
                (
                    row["stratum"],
                    whole(row["n_raters"]),
                    whole(row["n_ratings"]),
                    f"{row['n_ratings'] / row['n_raters']:.1f}",
                    *(_number(row[name]) for name in ("median_minutes", "median_pay", "median_hourly_pay")),
                )
                for row in people.strata.to_dict("records")
            ],
        )
    ]


def _votes(results: Results, scale: str) -> Figure:
    coded = results.scales_coded[scale]
    known = SCALES.get(scale)
    values = np.array(sorted(known.labels)) if known is not None and known.labels else np.unique(coded.value)
    if len(values) <= MANY:
        names = [f"{value:g} {known.labels.get(value, '')}".strip() if known else f"{value:g}" for value in values]
        part = np.searchsorted(values, coded.value)
    else:
        ends = np.linspace(values.min(), values.max(), 6)
        names = [f"{low:g} to {high:g}" for low, high in pairwise(ends)]
        part = np.clip(np.searchsorted(ends, coded.value, side="right") - 1, 0, 4)
    marks = {mark.slug: mark for mark in quality_marks(results, scale)}
    counts = {coded.conditions[code]: np.bincount(part[coded.rows(code)], minlength=len(names)) for code in coded.present()}
    rows = [(mark, (counts[slug] / counts[slug].sum()).tolist()) for slug, mark in marks.items()]
    title = f"{scale_title(scale)}: the votes"
    key = f"votes_{scale}"
    return Figure(
        key,
        title,
        "Share of the votes for each condition in per cent, from the lowest category on the left to the highest on the right.",
        stack_figure(rows, names, title, key, narrow=False, footer=figure_footer(results)),
        stack_figure(rows, names, title, key, narrow=True, footer=figure_footer(results)),
        ("Condition", *names, "Votes"),
        [(mark.label, *map(whole, counts[mark.slug]), whole(counts[mark.slug].sum())) for mark, _ in rows],
        folded=scale != leading_scale(results),
    )


def _chosen(results: Results) -> list[Figure]:
    coded = results.scales_coded.get(EMOTION_SCALE)
    if coded is None or not coded.has_labels:
        return []
    cells, names = pd.factorize(coded.labels)
    chosen = label_matrix(list(names), results.emotions)[cells]
    infos = {info.slug: info for info in results.conditions}
    rows: list[tuple[Mark, list[Mark]]] = []
    table: list[tuple[str, ...]] = []
    by_slug = {coded.conditions[code]: chosen[coded.rows(code)].sum(axis=0) for code in coded.present()}
    for slug, info in infos.items():
        if slug not in by_slug:
            continue
        votes = by_slug[slug]
        shares = votes / votes.sum()
        nan = float("nan")
        head = Mark(slug, info.label, info.rate, nan, nan, nan, info.colour)
        rows.append(
            (
                head,
                [
                    Mark(slug, name, "", share, nan, nan, 0)
                    for name, share in zip(results.emotions, shares.tolist(), strict=True)
                ],
            )
        )
        table.append((info.label, *map(whole, votes), whole(votes.sum())))
    title = "Emotions heard"

    def draw(narrow: bool) -> Drawing:
        return heat_figure(
            rows, {}, title, "heard", narrow=narrow, footer=figure_footer(results), cell_of=share_cell, overall=""
        )

    said = "Share of all emotion votes for a condition in per cent, over all its clips."
    columns = ("Condition", *results.emotions, "Votes")
    return [Figure("votes_emotion", title, said, draw(False), draw(True), columns, table)]


def _median(people: People, row: dict[str, float]) -> str:
    minutes = f"median {row['median_minutes']:.0f} min" if isfinite(row["median_minutes"]) else ""
    wage = f"{row['median_hourly_pay']:.2f} {people.currency} per hour" if isfinite(row["median_hourly_pay"]) else ""
    return ", ".join(part for part in (minutes, wage) if part)


def _sd(values: list[float]) -> str:
    return f"{np.std(values, ddof=1):.2f}" if len(values) > 1 else "–"


def _number(value: float) -> str:
    return f"{value:.1f}" if isfinite(value) else "–"
