"""The figures of a report: for each the drawing for wide and for narrow screens, its caption and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import pandas as pd

from analysis.report.dots import Axis, Mark, bar_figure
from analysis.report.findings import (
    ceiling_mark,
    emotion_marks,
    leading_scale,
    mean_title,
    quality_marks,
    retention_marks,
    scale_mean,
    scale_title,
)
from analysis.report.heat import drop_cell, heat_figure
from analysis.report.plane import plane_figure
from analysis.report.rates import rate_figure
from analysis.report.study import Results
from analysis.report.svg import Drawing
from analysis.scales import SCALES

SIMULATED = "Simulated ratings"


@dataclass(frozen=True)
class Figure:
    """``key`` is its file name; ``rows`` are its numbers as printed, under ``columns``.

    A ``folded`` figure is shown when it is asked for.
    """

    key: str
    title: str
    caption: str
    wide: Drawing
    narrow: Drawing
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    folded: bool = False


def quality_figures(results: Results) -> list[Figure]:
    """One dot figure per category scale, the leading scale first."""
    first = leading_scale(results)
    return [_quality(results, key) for key in sorted(results.scales, key=lambda key: key != first)]


def retention_figures(results: Results) -> list[Figure]:
    """Retention per condition, and per emotion; none where no condition has a score."""
    marks = [mark for mark in retention_marks(results) if mark.colour >= 0]
    if not any(isfinite(mark.value) for mark in marks):
        return []
    return [_retention(results, marks), _drop(results, marks), _by_emotion(results, marks)]


def rate_figures(results: Results) -> list[Figure]:
    """Scores against bit rate: of every numeric scale and of retention; none where fewer than two rates are known."""
    rates = {info.slug: info.bps for info in results.conditions if info.bps is not None and not info.is_reference}
    if len(set(rates.values())) < 2:
        return []
    first = leading_scale(results)
    figures = []
    for scale in sorted(results.scales, key=lambda key: key != first):
        marks = quality_marks(results, scale)
        figures.append(
            _rate(results, marks, rates, quality_axis(marks, scale), f"{scale_title(scale)} against bit rate", scale)
        )
    ceiling = ceiling_mark(results)
    marks = [*([ceiling] if ceiling else []), *(mark for mark in retention_marks(results) if mark.colour >= 0)]
    if any(isfinite(mark.value) for mark in marks):
        axis = Axis(0.0, 1.0, [(v / 5, "") for v in range(6)], 2, "macro-F1")
        figures.append(_rate(results, marks, rates, axis, "Emotion retention against bit rate", "retention"))
    return [figure for figure in figures if figure is not None]


def plane_figures(results: Results) -> list[Figure]:
    """Quality against retention; none without both."""
    scale = leading_scale(results)
    if scale is None or not results.retention.replicates:
        return []
    retention = {mark.slug: mark for mark in retention_marks(results)}
    pairs = [(mark, retention[mark.slug]) for mark in quality_marks(results, scale) if mark.slug in retention]
    quality, kept = [q for q, _ in pairs], [r for _, r in pairs]
    limits = _limits(quality, scale)
    title = f"{scale_title(scale)} against emotion retention"
    return [
        make_figure(
            "plane",
            title,
            "Up is more of the emotion, right is more quality. Bars are 95 % intervals of either score, so a codec may lie "
            "anywhere in the cross they span. The dashed line is the reference's quality.",
            lambda narrow: plane_figure(
                quality, kept, limits, title, "plane", measure=mean_title(scale), narrow=narrow, footer=figure_footer(results)
            ),
            ("Condition", "Bit rate", scale_mean(scale), "Macro-F1"),
            [(q.label, q.detail, with_interval(q), with_interval(r)) for q, r in pairs],
        )
    ]


def with_interval(mark: Mark, digits: int = 2) -> str:
    """A value and its interval as printed in tables, or why there is none.

    >>> with_interval(Mark("a", "A", "", 3.5, 3.25, 3.75, 0))
    '3.50 [3.25, 3.75]'
    >>> with_interval(Mark("a", "A", "", float("nan"), float("nan"), float("nan"), 0, "reference"))
    'undefined: reference'
    """
    if not isfinite(mark.value):
        return f"undefined: {mark.note}"
    if not isfinite(mark.low):
        return f"{mark.value:.{digits}f} (no interval: {mark.note})"
    return f"{mark.value:.{digits}f} [{mark.low:.{digits}f}, {mark.high:.{digits}f}]"


def whole(count: Any) -> str:
    """A count as printed; a dash where it is not known.

    >>> whole(12345), whole(None)
    ('12,345', '–')
    """
    return "–" if pd.isna(count) else f"{int(count):,}"


def quality_axis(marks: list[Mark], scale: str) -> Axis:
    """The axis of a numeric scale: its range, with its words where it has them."""
    low, high = _limits(marks, scale)
    words = SCALES[scale].labels if scale in SCALES else {}
    ticks = (
        [(float(v), words.get(v, "")) for v in range(round(low), round(high) + 1)] if high - low <= 10 else _ticks(low, high)
    )
    return Axis(low, high, ticks, 2, mean_title(scale))


def _rate(results: Results, marks: list[Mark], rates: dict[str, float], axis: Axis, title: str, scale: str) -> Figure | None:
    shown = [mark for mark in marks if (mark.slug in rates and isfinite(mark.value)) or mark.colour < 0]
    if sum(mark.slug in rates for mark in shown) < 2:
        return None
    key = f"rate_{scale}"
    order = sorted(shown, key=lambda mark: (mark.colour, rates.get(mark.slug, 0.0)))
    families = {info.slug: info.family for info in results.conditions}
    return make_figure(
        key,
        title,
        "Points of one codec are joined; bars are 95 % intervals over raters and clips"
        + f"; the dashed line is the {'noise ceiling' if scale == 'retention' else 'original'} with its interval.",
        lambda narrow: rate_figure(shown, rates, families, axis, title, key, narrow=narrow, footer=figure_footer(results)),
        ("Condition", "Bit rate", "Score [95 %]"),
        [(mark.label, mark.detail, with_interval(mark)) for mark in order],
        folded=scale not in (leading_scale(results), "retention"),
    )


def _drop(results: Results, marks: list[Mark]) -> Figure:
    table = results.deeper["relative_drop"].set_index(["condition", "emotion"])["relative_drop"]
    bounds = results.retention.by_emotion.set_index(["condition", "emotion"])[["ci_low", "ci_high"]]
    alone = (results.deeper["relative_drop"]["baseline"] != "second panel").all()

    def lost(mark: Mark, emotion: str) -> Mark:
        low = high = float("nan")
        if alone and emotion:  # against itself the reference scores 1, so the bounds of F1 are those of the drop
            low, high = (100 * (float(bounds.at[(mark.slug, emotion), name]) - 1) for name in ("ci_low", "ci_high"))
        return replace(mark, value=float(table.get((mark.slug, emotion), float("nan"))), low=low, high=high)

    rows = [(lost(mark, ""), [lost(one, one.label) for one in emotion_marks(results, mark.slug)]) for mark in marks]
    against = "the original against itself, which is 1" if alone else "a second panel of the original"
    title = "Emotion lost, by emotion"
    return make_figure(
        "emotion_drop",
        title,
        f"Relative change of F1 in per cent; the baseline is {against}. n is the number of clips in which the original carries the "
        "emotion."
        + " Votes of two panels differ even on one recording, so some of every drop is not the codec’s."
        * bool(alone),
        lambda narrow: heat_figure(
            rows,
            _support(results),
            title,
            "drop",
            narrow=narrow,
            footer=figure_footer(results),
            cell_of=drop_cell,
            overall="mean",
        ),
        ("Condition", *results.emotions, "mean"),
        [(head.label, *(_drop_words(mark) for mark in marks), _drop_words(head)) for head, marks in rows],
    )


def _drop_words(mark: Mark) -> str:
    """A drop as printed in tables."""
    if not isfinite(mark.value):
        return "undefined"
    return f"{mark.value:.0f} [{mark.low:.0f}, {mark.high:.0f}]" if isfinite(mark.low) else f"{mark.value:.0f}"


def _support(results: Results) -> dict[str, int]:
    support = results.retention.by_emotion.groupby("emotion")["support"].max()
    return {name: int(support[name]) for name in results.emotions}


def _quality(results: Results, scale: str) -> Figure:
    marks = quality_marks(results, scale)
    axis = quality_axis(marks, scale)
    frame = results.mos.frame[results.mos.frame["scale"] == scale].set_index("condition")

    def counts(slug: str) -> list[str]:
        return [whole(frame.at[slug, name]) for name in ("n_ratings", "n_raters", "n_clips")]

    title = f"{scale_title(scale)}: {mean_title(scale)}"
    asked = f"“{SCALES[scale].prompt}” " if scale in SCALES else ""
    return make_figure(
        f"mos_{scale}",
        title,
        f"{asked}Bars end at the mean; lines are 95 % intervals over raters and clips; the band is the reference with its interval.",
        lambda narrow: bar_figure(marks, axis, title, f"mos-{scale}", narrow=narrow, footer=figure_footer(results)),
        ("Condition", "Bit rate", f"{scale_mean(scale)} [95 %]", "SD", "Ratings", "Raters", "Clips"),
        [(m.label, m.detail, with_interval(m), f"{frame.at[m.slug, 'sd']:.2f}", *counts(m.slug)) for m in marks],
    )


def _retention(results: Results, marks: list[Mark]) -> Figure:
    axis = Axis(0.0, 1.0, [(v / 5, "") for v in range(6)], 2, "macro-F1 against the reference")
    frame = results.retention.overall.set_index("condition")
    ceiling = ceiling_mark(results)
    shown = [ceiling, *marks] if ceiling else marks

    def scored(slug: str) -> str:
        return f"{frame.at[slug, 'n_emotions']} of {len(results.emotions)}"

    title = "Emotion retention"
    return make_figure(
        "retention",
        title,
        "How closely the emotions heard in coded clips match those heard in the same clips of the reference: 1 is the "
        "same emotions in every clip. Lines are 95 % intervals over raters and clips. The dashed line is the noise ceiling: what the "
        "original itself would score with another panel.",
        lambda narrow: bar_figure(shown, axis, title, "retention", narrow=narrow, footer=figure_footer(results)),
        ("Condition", "Bit rate", "Macro-F1 [95 %]", "Emotions scored", "Clips", "Note"),
        [(m.label, m.detail, with_interval(m), scored(m.slug), whole(frame.at[m.slug, "n_clips"]), m.note) for m in marks],
    )


def _by_emotion(results: Results, marks: list[Mark]) -> Figure:
    rows = [(mark, emotion_marks(results, mark.slug)) for mark in marks]
    counts = _support(results)
    title = "Emotion retention by emotion"
    return make_figure(
        "retention_by_emotion",
        title,
        "F1 of each emotion with its 95 % interval; n is the number of clips in which the reference carries the emotion. Few "
        "clips make wide intervals. A dash: the emotion is in no label set of either side, so F1 is undefined.",
        lambda narrow: heat_figure(rows, counts, title, "emotions", narrow=narrow, footer=figure_footer(results)),
        ("Condition", *results.emotions, "all"),
        [(head.label, *(with_interval(mark) for mark in marks), with_interval(head)) for head, marks in rows],
        folded=True,
    )


def make_figure(
    key: str,
    title: str,
    caption: str,
    draw: Callable[[bool], Drawing],
    columns: tuple[str, ...],
    rows: list[tuple[str, ...]],
    folded: bool = False,
) -> Figure:
    """A figure drawn at both widths; ``draw`` is told whether the narrow one is asked for."""
    return Figure(key, title, caption, draw(False), draw(True), columns, rows, folded)


def _limits(marks: list[Mark], scale: str) -> tuple[float, float]:
    """Range of a scale; of an unknown scale the range of the values, widened to whole numbers."""
    if scale in SCALES:
        return float(SCALES[scale].minimum), float(SCALES[scale].maximum)
    ends = [v for mark in marks for v in (mark.value, mark.low, mark.high) if isfinite(v)]
    low, high = float(int(min(ends) // 1)), float(-int(-max(ends) // 1))
    return low, max(high, low + 1)


def _ticks(low: float, high: float) -> list[tuple[float, str]]:
    return [(low + (high - low) * part / 5, "") for part in range(6)]


def figure_footer(results: Results) -> str:
    """What stands under every figure of simulated ratings; empty for real ones."""
    return SIMULATED if results.simulated else ""
