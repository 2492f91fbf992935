"""People against a machine: one point per condition with both intervals, or the places that each gives to the conditions."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

import numpy as np

from analysis.report.dots import NARROW, WIDE, Mark, spoken
from analysis.report.plane import Frame, draw_crosses, style_of
from analysis.report.svg import Drawing, shortened, text_width


def scatter_figure(
    pairs: Sequence[tuple[Mark, Mark]], names: tuple[str, str], title: str, key: str, *, narrow: bool, footer: str
) -> Drawing:
    """``pairs`` are a condition's machine score (across) and people's (up), each with its interval; ``names`` those of the axes."""
    width, height = (NARROW, 360.0) if narrow else (WIDE, 430.0)
    words = "; ".join(f"machine {spoken(one, 2)} - people {spoken(two, 2)}" for one, two in pairs)
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    across, up = (
        ticks([v for pair in pairs for v in (pair[i].value, pair[i].low, pair[i].high) if isfinite(v)]) for i in (0, 1)
    )
    frame = Frame((across[0], across[-1]), (up[0], up[-1]), 50, width - 18.0, 18, height - 48 - 16 * bool(footer))
    for tick in across:
        x, _ = frame.at(tick, up[0])
        drawing.line(x, frame.top, x, frame.bottom, "grid")
        drawing.text(x, frame.bottom + 17, f"{tick:g}", "muted", size=12, anchor="middle")
    for tick in up:
        _, y = frame.at(across[0], tick)
        drawing.line(frame.left, y, frame.right, y, "grid")
        drawing.text(frame.left - 8, y + 4, f"{tick:g}", "muted", size=12, anchor="end")
    drawing.text((frame.left + frame.right) / 2, frame.bottom + 37, names[0], "muted", size=12, anchor="middle")
    drawing.text(13, (frame.top + frame.bottom) / 2, names[1], "muted", size=12, anchor="middle", turn=-90)
    draw_crosses(drawing, frame, pairs, 10 if narrow else 12)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def rank_figure(
    marks: Sequence[Mark],
    heads: Sequence[str],
    places: Sequence[Sequence[float]],
    title: str,
    key: str,
    *,
    narrow: bool,
    footer: str,
) -> Drawing:
    """A line per condition through its place in every column of ``heads``, people first; ``places`` are (conditions, columns), 1 the best.

    Names stand at people's end, at the height of their place there; ties share a height.
    """
    width, step = (NARROW, 30.0) if narrow else (WIDE, 34.0)
    size = 10.5 if narrow else 12.5
    room = min(max(text_width(mark.label, size) for mark in marks) + 26, 130 if narrow else 250)
    turned = max(text_width(head, 11) for head in heads) > (width - room - 40) / max(len(heads) - 1, 1) - 6
    top = 96.0 if turned else 40.0
    height = top + step * len(marks) + 18 * bool(footer)
    words = "; ".join(
        f"{mark.label}: " + ", ".join(f"{head} {place:g}" for head, place in zip(heads, line, strict=True))
        for mark, line in zip(marks, places, strict=True)
    )
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    last = width - (62.0 if turned else max(text_width(heads[-1], 11) / 2, 14.0))

    def at(column: int, place: float) -> tuple[float, float]:
        return room + (last - room) * column / max(len(heads) - 1, 1), top + step * (place - 0.5)

    for column, head in enumerate(heads):
        x, _ = at(column, 1)
        drawing.line(x, top, x, top + step * len(marks), "grid")
        if turned:
            drawing.text(x - 2, top - 12, head, "strong", size=11, turn=-48)
        else:
            drawing.text(x, top - 14, head, "strong", size=11, anchor="middle")
    for mark, line in zip(marks, places, strict=True):
        points = [at(column, place) for column, place in enumerate(line)]
        drawing.path("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in points), f"link {style_of(mark)}")
        for (x, y), place in zip(points, line, strict=True):
            drawing.circle(x, y, 9, f"dot {style_of(mark)}")
            drawing.text(x, y + 3.5, f"{place:g}", "on-dark strong", size=9 if place % 1 == 0 else 7, anchor="middle")
        x, y = points[0]
        drawing.text(x - 16, y + 4, shortened(mark.label, room - 20, size), "strong", size=size, anchor="end")
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def ticks(values: Sequence[float], most: int = 7) -> list[float]:
    """Round numbers around ``values``, both ends included, at most ``most`` steps apart evenly by 1, 2 or 5 times a power of ten.

    >>> ticks([1.2, 3.9]), ticks([0.61, 0.83])
    ([1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0], [0.6, 0.65, 0.7, 0.75, 0.8, 0.85])
    """
    low, high = min(values, default=0.0), max(values, default=1.0)
    if high <= low:
        low, high = low - 0.5, high + 0.5
    base = 10.0 ** floor(log10((high - low) / most))
    step = next(base * factor for factor in (1, 2, 5, 10) if (high - low) / (base * factor) <= most)
    first, last = floor(low / step + 1e-9), -floor(-high / step + 1e-9)
    return [float(v) for v in np.round(np.arange(first, last + 1) * step, 10)]
