"""Bars with intervals: one row per condition, a bar to the value, a line for its interval, the numbers beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from analysis.report.svg import Drawing, shortened, text_width

WIDE, NARROW = 760, 350


@dataclass(frozen=True)
class Mark:
    """One row: a value with its interval (NaN where undefined, ``note`` says why)."""

    slug: str
    label: str
    detail: str
    value: float
    low: float
    high: float
    colour: int
    note: str = ""


@dataclass(frozen=True)
class Axis:
    """The range of the values and its ticks, each with an optional word under the number."""

    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    digits: int
    name: str


def bar_figure(
    marks: Sequence[Mark], axis: Axis, title: str, key: str, *, narrow: bool = False, footer: str = "", bare: bool = False
) -> Drawing:
    """The figure at one of two widths; ``narrow`` puts labels above the bars. A dashed line marks the reference's value.

    ``bare`` figures show counts, which have no interval to miss.
    """
    width, step = (NARROW, 62.0) if narrow else (WIDE, 38.0)
    left, right = (8.0, width - 12.0) if narrow else (250.0, width - 138.0)
    top = 14.0
    bottom = top + step * len(marks)
    height = bottom + 50 + 18 * bool(footer)
    drawing = Drawing(width, height, title, _description(marks, axis), f"{key}-{'n' if narrow else 'w'}")

    def place(value: float) -> float:
        return left + (value - axis.low) / (axis.high - axis.low) * (right - left)

    spacing = (right - left) / (len(axis.ticks) - 1)
    crowded = narrow or any(text_width(word, 11) > spacing for _, word in axis.ticks)
    for value, word in axis.ticks:
        x = place(value)
        drawing.line(x, top, x, bottom, "grid")
        anchor = "middle" if left < x < right or not narrow else "start" if x == left else "end"
        drawing.text(x, bottom + 17, f"{value:g}", "muted", size=12, anchor=anchor)
        if word and (not crowded or value in (axis.low, axis.high)):
            drawing.text(x, bottom + 32, word, "muted", size=11, anchor=anchor)
    drawing.text((left + right) / 2, bottom + 46, axis.name, "muted", size=11, anchor="middle")
    for mark in marks:
        if mark.colour < 0 and isfinite(mark.value):
            if isfinite(mark.low):
                drawing.rect(place(mark.low), top, place(mark.high) - place(mark.low), bottom - top, "band")
            # on narrow screens the numbers stand between the bars: the line keeps out of their lines
            for row in range(len(marks)) if narrow else (0,):
                start, end = (top + step * row + 38, top + step * row + 58) if narrow else (top, bottom)
                drawing.line(place(mark.value), start, place(mark.value), end, "reference")
    for row, mark in enumerate(marks):
        y = top + step * row
        _label(drawing, mark, axis, y, narrow, width, "" if bare else "no interval")
        _bar(drawing, mark, place, max(axis.low, min(0.0, axis.high)), y + (48 if narrow else step / 2))
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def spoken(mark: Mark, digits: int) -> str:
    """A mark in words.

    >>> spoken(Mark("opus-6kbps", "Opus", "6 kbit/s nominal", 3.512, 3.3, 3.7, 0), 2)
    'Opus 6 kbit/s nominal: 3.51, 95 % interval 3.30 to 3.70'
    """
    name = f"{mark.label} {mark.detail}".strip()
    if not isfinite(mark.value):
        return f"{name}: undefined ({mark.note})"
    if not isfinite(mark.low):
        return f"{name}: {mark.value:.{digits}f}, no interval ({mark.note})"
    return f"{name}: {mark.value:.{digits}f}, 95 % interval {mark.low:.{digits}f} to {mark.high:.{digits}f}"


def _description(marks: Sequence[Mark], axis: Axis) -> str:
    return "; ".join(spoken(mark, axis.digits) for mark in marks) + "."


def _label(drawing: Drawing, mark: Mark, axis: Axis, y: float, narrow: bool, width: float, unknown: str) -> None:
    value = f"{mark.value:.{axis.digits}f}" if isfinite(mark.value) else "undefined"
    spread = f"{mark.low:.{axis.digits}f} – {mark.high:.{axis.digits}f}" if isfinite(mark.low) else unknown
    if narrow:
        drawing.text(8, y + 18, shortened(mark.label, width - 70.0, 13), "halo strong", size=13)
        drawing.text(8, y + 34, mark.detail, "halo muted", size=11)
        drawing.text(width - 12, y + 18, value, "halo strong number", size=13, anchor="end")
        drawing.text(width - 12, y + 34, spread, "halo muted number", size=12, anchor="end")
        return
    drawing.text(236, y + (17 if mark.detail else 24), shortened(mark.label, 236, 13), "strong", size=13, anchor="end")
    drawing.text(236, y + 32, mark.detail, "muted", size=11, anchor="end")
    drawing.text(width - 90, y + 24, value, "strong number", size=13, anchor="end")
    drawing.text(width - 4, y + 24, spread, "muted number", size=12, anchor="end")


def _bar(drawing: Drawing, mark: Mark, place: Callable[[float], float], base: float, y: float) -> None:
    """The bar from ``base`` (zero where the axis has it, else its low end), the interval over it and a dot at the value."""
    if not isfinite(mark.value):
        return
    style = "reference-mark" if mark.colour < 0 else f"family-{mark.colour % 8}"
    left, right = sorted((place(base), place(mark.value)))
    drawing.rect(left, y - 8, right - left, 16, f"bar {style}", radius=2)
    if isfinite(mark.low):
        low, high = place(mark.low), place(mark.high)
        drawing.line(low, y, high, y, f"interval {style}")
        drawing.line(low, y - 4, low, y + 4, f"cap {style}")
        drawing.line(high, y - 4, high, y + 4, f"cap {style}")
    drawing.circle(place(mark.value), y, 5, f"dot {style}")
