"""Machines beside people: what a report shows and says of measures whose scores were given with the ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from analysis.compare import RECOGNISER, Comparison, Recogniser
from analysis.correlation import COEFFICIENTS, least_telling
from analysis.labels import macro_mean
from analysis.objective import MEASURES, get_measure
from analysis.opinions import RETENTION
from analysis.report.conditions import ConditionInfo
from analysis.report.dots import Mark
from analysis.report.figures import Figure, make_figure, with_interval
from analysis.report.findings import leading, scale_mean, scale_title
from analysis.report.heat import Cell, heat_figure
from analysis.report.scatter import rank_figure, scatter_figure

#: Measures that are drawn; all are in the tables.
SHOWN = 3
MOST_COLUMNS = 6
TABLE_HEADS = (
    "Measure",
    "Scale",
    "Over",
    "n",
    "Pearson [95 %]",
    "Spearman [95 %]",
    "Kendall [95 %]",
    "RMSE",
    "RMSE*",
    "Outliers",
)


@dataclass(frozen=True)
class Machines:
    """The section of a report on machines: its sentences, its figures and its table."""

    sentences: list[str]
    figures: list[Figure]
    rows: list[tuple[str, ...]]


def machines(conditions: Sequence[ConditionInfo], comparison: Comparison, footer: str = "") -> Machines:
    """Sentences, figures and table of a comparison, for the conditions in the order of the report."""
    lead = leading([str(scale) for scale in comparison.overall["scale"].unique() if scale != RETENTION])
    scales = [scale for scale in (lead, RETENTION) if scale and scale in set(comparison.overall["scale"])]
    shown = {scale: closest(comparison, scale) for scale in scales}
    figures = []
    for scale in scales:
        figures += [
            _scatter(conditions, comparison, measure, scale, place > 0, footer)
            for place, measure in enumerate(shown[scale][:SHOWN])
        ]
        if shown[scale]:
            figures.append(_places(conditions, comparison, shown[scale][:MOST_COLUMNS], scale, footer))
    measures = list(dict.fromkeys(measure for scale in scales for measure in shown[scale]))
    figures += _beside(conditions, comparison, measures[:MOST_COLUMNS], footer)
    if len(comparison.emotions):
        figures.append(_emotions(conditions, comparison, footer))
    sentences = [sentence for scale in scales for sentence in _said(conditions, comparison, scale, shown[scale])]
    sentences += [*_of_emotions(comparison), *_recognition(conditions, comparison.recogniser), *_few(comparison)]
    return Machines(sentences, figures, table_rows(comparison))


def closest(comparison: Comparison, scale: str) -> list[str]:
    """Measures of quality with places for conditions on a scale, the one that goes closest with people over stimuli first.

    Those that only describe (a delay, a loudness) are in the table alone.
    """
    table = comparison.overall
    mine = table[(table["scale"] == scale) & (table["level"] == "stimulus") & table["spearman"].notna()]
    ranked = mine.assign(size=mine["spearman"].abs()).sort_values(["size", "measure"], ascending=[False, True])["measure"]
    there = set(comparison.ranks.loc[comparison.ranks["scale"] == scale, "measure"])
    there -= {key for key in there if key in MEASURES and get_measure(key).best == "neither"}
    return [str(measure) for measure in ranked if measure in there]


def table_rows(comparison: Comparison) -> list[tuple[str, ...]]:
    """Every measure on every scale and level: coefficients with intervals, errors after a straight line."""
    rows = []
    for row in comparison.overall.to_dict("records"):
        cells = [_coefficient(row, name) for name in COEFFICIENTS]
        if not isfinite(row["pearson"]):
            cells = [row["note"] or "undefined", "–", "–"]
        numbers = [f"{row[name]:.3g}" if isfinite(row[name]) else "–" for name in ("rmse", "rmse_star", "outlier_ratio")]
        rows.append((row["measure"], _scale(row["scale"]), f"{row['level']}s", f"{row['n']:,}", *cells, *numbers))
    return rows


def _said(conditions: Sequence[ConditionInfo], comparison: Comparison, scale: str, measures: Sequence[str]) -> list[str]:
    if not measures:
        return []
    table = comparison.overall[comparison.overall["scale"] == scale].set_index(["measure", "level"])
    best = table.loc[(measures[0], "stimulus")]
    said = f"Of {len(measures)} measures {measures[0]} goes closest" if len(measures) > 1 else f"{measures[0]} goes"
    over = f"Spearman {_coefficient(best, 'spearman')} over {best['n']:,} stimuli"
    group = table.loc[(measures[0], "condition")]
    if isfinite(group["spearman"]):
        over += f", {_coefficient(group, 'spearman')} over {group['n']} conditions"
    return [f"{said} with {_scale(scale).lower()}: {over}.", _disagreement(conditions, comparison, scale, measures[0])]


def _disagreement(conditions: Sequence[ConditionInfo], comparison: Comparison, scale: str, measure: str) -> str:
    ranks = comparison.ranks
    mine = ranks[(ranks["scale"] == scale) & (ranks["measure"] == measure)]
    sure = mine[(mine["ci_low"] > 0) | (mine["ci_high"] < 0)]
    if sure.empty:
        return f"No condition has a place by {measure} that these votes and clips prove to be another than people give it."
    labels = {info.slug: info.label for info in conditions}
    row = sure.loc[sure["difference"].abs().idxmax()]
    kinder = "below" if row["difference"] > 0 else "above"
    low, high = sorted(abs(row[name]) for name in ("ci_low", "ci_high"))  # both on the side of the difference
    return (
        f"People and {measure} disagree most about {labels.get(row['condition'], row['condition'])}: place {row['rank_people']:g} of "
        f"{len(mine)} by people, {row['rank_machine']:g} by the measure, {abs(row['difference']):g} {kinder} people’s (95 % interval "
        f"{low:g} to {high:g})."
    )


def _of_emotions(comparison: Comparison) -> list[str]:
    """Which emotion people and machine lose together: by the recogniser where there is one, else by the closest measure."""
    table = (
        comparison.by_emotion[comparison.by_emotion["spearman"].notna()]
        if len(comparison.by_emotion)
        else comparison.by_emotion
    )
    order = [RECOGNISER, *closest(comparison, RETENTION)]
    measure = next((name for name in order if (table["measure"] == name).sum() > 1), None)
    if measure is None:
        return []
    mine = table[table["measure"] == measure].assign(size=lambda t: t["spearman"].abs()).sort_values("size")
    least, most = mine.iloc[0], mine.iloc[-1]
    return [
        f"By emotion, {measure} moves with people most in {most['emotion']} (Spearman {_coefficient(most, 'spearman')}) and least in "
        f"{least['emotion']} ({_coefficient(least, 'spearman')})."
    ]


def _recognition(conditions: Sequence[ConditionInfo], recogniser: Recogniser | None) -> list[str]:
    """In which conditions the recogniser hears less than in the originals, the most lost first."""
    drop = ["relative_drop", "drop_low", "drop_high"]
    if recogniser is None or not set(drop) <= set(recogniser.overall.columns):
        return []
    table = recogniser.overall.set_index("condition")[drop].astype(float).dropna().sort_values("relative_drop")
    labels = {info.slug: info.label for info in conditions}
    lost = [
        f"{labels.get(name, name)} {change:.0f} % [{low:.0f}, {high:.0f}]".replace(" -", " −").replace("[-", "[−")
        for name, change, low, high in table[table["drop_high"] < 0].itertuples()
    ]
    if not lost:
        return [f"In none of {len(table)} conditions does the recogniser certainly hear less emotion than in the originals."]
    return [
        f"In {len(lost)} of {len(table)} conditions the recogniser hears less emotion than in the originals (change of its macro-F1 with "
        f"95 % interval): {', '.join(lost)}."
    ]


def _few(comparison: Comparison) -> list[str]:
    counts = comparison.overall.loc[comparison.overall["level"] == "condition", "n"]
    n = int(counts.max()) if len(counts) else 0
    if n < 3:
        return ["Too few conditions are both rated and scored to say anything over conditions."]
    return [
        f"Over {n} conditions little can be shown: even scores that have nothing to do with people’s reach a correlation beyond "
        f"±{least_telling(n):.2f} one time in twenty, and intervals are as wide as they are printed. No order of measures follows from it."
    ]


def _scatter(
    conditions: Sequence[ConditionInfo], comparison: Comparison, measure: str, scale: str, folded: bool, footer: str
) -> Figure:
    ranks = comparison.ranks
    mine = ranks[(ranks["scale"] == scale) & (ranks["measure"] == measure)].set_index("condition")

    def mark(info: ConditionInfo, name: str) -> Mark:
        row = mine.loc[info.slug]
        return Mark(info.slug, info.label, info.rate, row[name], row[f"{name}_ci_low"], row[f"{name}_ci_high"], info.colour)

    pairs = [(mark(info, "score"), mark(info, "people")) for info in conditions if info.slug in mine.index]
    table = comparison.overall.set_index(["measure", "scale", "level"]).loc[(measure, scale, "condition")]
    said = (
        f"Pearson {_coefficient(table, 'pearson')}. "
        if isfinite(table["pearson"])
        else f"No correlation is given: {table['note']}. "
    )
    title = f"{measure} against {_scale(scale).lower()}"
    names = (measure, scale_mean(scale) if scale != RETENTION else "macro-F1")
    return make_figure(
        f"scatter_{measure}_{scale}",
        title,
        f"One point per condition. {said}Bars are 95 % intervals: over raters and clips for people, over clips for the measure.",
        lambda narrow: scatter_figure(pairs, names, title, f"scatter-{measure}-{scale}", narrow=narrow, footer=footer),
        ("Condition", measure, names[1]),
        [(one.label, with_interval(one, 3), with_interval(two)) for one, two in pairs],
        folded=folded,
    )


def _places(
    conditions: Sequence[ConditionInfo], comparison: Comparison, measures: Sequence[str], scale: str, footer: str
) -> Figure:
    ranks = comparison.ranks[comparison.ranks["scale"] == scale]
    wide = ranks.pivot(index="condition", columns="measure", values="rank_machine")[list(measures)].dropna()
    people = ranks.drop_duplicates("condition").set_index("condition")
    wide.insert(0, "people", people["rank_people"])
    marks = [Mark(i.slug, i.label, i.rate, 0, 0, 0, i.colour) for i in conditions if i.slug in wide.index]
    places = wide.loc[[mark.slug for mark in marks]].rank().to_numpy().tolist()
    title = f"Places by people and by machines: {_scale(scale).lower()}"
    return make_figure(
        f"ranks_{scale}",
        title,
        "1 is the best place. Lines that cross are conditions that people and a measure put in another order; how sure a difference "
        "is stands in comparison_ranks.csv.",
        lambda narrow: rank_figure(marks, list(wide.columns), places, title, f"ranks-{scale}", narrow=narrow, footer=footer),
        ("Condition", *wide.columns),
        [(mark.label, *(f"{place:g}" for place in line)) for mark, line in zip(marks, places, strict=True)],
    )


def _beside(conditions: Sequence[ConditionInfo], comparison: Comparison, measures: Sequence[str], footer: str) -> list[Figure]:
    """Values of every condition by people and by machines, each column shaded from its worst to its best condition."""
    ranks = comparison.ranks
    scales = list(dict.fromkeys(ranks["scale"]))
    columns: dict[str, Mapping[str, tuple[float, float, float]]] = {}
    shade: dict[tuple[str, str], float] = {}
    sources = [(_scale(scale), ranks[ranks["scale"] == scale], "people") for scale in scales]
    sources += [(measure, ranks[ranks["measure"] == measure], "score") for measure in measures]
    for head, table, kind in sources:
        table = table.drop_duplicates("condition").set_index("condition")
        place = table["rank_people" if kind == "people" else "rank_machine"].rank()
        columns[head] = {str(c): (r[kind], r[f"{kind}_ci_low"], r[f"{kind}_ci_high"]) for c, r in table.iterrows()}
        shade |= {(str(c), head): 1 - (float(place[c]) - 1) / max(len(place) - 1, 1) for c in table.index}
    shown = [info for info in conditions if any(info.slug in column for column in columns.values())]
    if len(shown) < 2 or not measures:
        return []
    nothing = (float("nan"),) * 3
    rows = [
        (
            Mark(info.slug, info.label, info.rate, float("nan"), 0, 0, info.colour),
            [Mark(info.slug, head, "", *column.get(info.slug, nothing), 0, "not scored") for head, column in columns.items()],
        )
        for info in shown
    ]

    def cell(mark: Mark) -> Cell:
        strength = shade[(mark.slug, mark.label)]
        ink = "high-heat" if strength > 0.72 else "mid-heat" if strength > 0.6 else "low-heat"
        return Cell(f"{mark.value:.3g}", "", "heat", 0.04 + 0.9 * strength, ink)

    title = "People beside machines"
    return [
        make_figure(
            "people_and_machines",
            title,
            "Each column runs from its worst condition (pale) to its best (dark), by place. Intervals are in the table.",
            lambda narrow: heat_figure(rows, {}, title, "beside", narrow=narrow, footer=footer, cell_of=cell, overall=""),
            ("Condition", *columns),
            [(head.label, *(with_interval(mark) for mark in marks)) for head, marks in rows],
        )
    ]


def _emotions(conditions: Sequence[ConditionInfo], comparison: Comparison, footer: str) -> Figure:
    """F1 of each emotion by people and by the recogniser, side by side."""
    table = comparison.emotions.set_index(["condition", "emotion"])
    emotions = list(dict.fromkeys(comparison.emotions["emotion"]))
    nothing = float("nan")
    rows = []
    for info in conditions:
        if info.slug not in set(comparison.emotions["condition"]):
            continue
        for who in ("people", "machine"):
            scores = [float(table[f"f1_{who}"].get((info.slug, emotion), nothing)) for emotion in emotions]
            marks = [
                Mark(info.slug, emotion, "", f1, nothing, nothing, 0) for emotion, f1 in zip(emotions, scores, strict=True)
            ]
            label = f"{info.label}, {who}"
            rows.append((Mark(info.slug, label, "", float(macro_mean(scores)), nothing, nothing, info.colour), marks))
    title = "Emotions kept, by people and by machine"
    return make_figure(
        "emotions_people_and_machine",
        title,
        "F1 of each emotion: people’s label sets against those of the original, and the recogniser’s answers against the labels.",
        lambda narrow: heat_figure(rows, {}, title, "emotions-beside", narrow=narrow, footer=footer, overall="mean"),
        ("Condition", *emotions, "mean"),
        [
            (head.label, *(f"{mark.value:.2f}" if isfinite(mark.value) else "undefined" for mark in (*marks, head)))
            for head, marks in rows
        ],
    )


def _coefficient(row: Mapping[str, float] | pd.Series, name: str) -> str:
    return f"{_signed(row[name])} [{_signed(row[f'{name}_ci_low'])}, {_signed(row[f'{name}_ci_high'])}]"


def _scale(key: str) -> str:
    return "Emotion retention" if key == RETENTION else scale_title(key)


def _signed(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")
