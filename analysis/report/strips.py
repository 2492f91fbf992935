"""Every stimulus as a tick under its condition's mean: how much clips differ, and which are unlike the others."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from analysis.report.dots import NARROW, WIDE, Axis, Mark
from analysis.report.svg import Drawing, shortened


def strip_figure(
    rows: Sequence[tuple[Mark, Sequence[float]]], axis: Axis, title: str, key: str, *, narrow: bool, footer: str
) -> Drawing:
    """``rows`` pairs a condition's mark with the scores of its stimuli. One path holds all ticks of a condition."""
    width, step = (NARROW, 54.0) if narrow else (WIDE, 36.0)
    left, right = (8.0, width - 12.0) if narrow else (250.0, width - 24.0)
    top = 12.0
    bottom = top + step * len(rows)
    height = bottom + 42 + 18 * bool(footer)
    said = "; ".join(
        f"{mark.label}: {len(values)} stimuli from {min(values):.2f} to {max(values):.2f}" for mark, values in rows if values
    )
    drawing = Drawing(width, height, title, said + ".", f"{key}-{'n' if narrow else 'w'}")

    def place(value: float) -> float:
        return left + (value - axis.low) / (axis.high - axis.low) * (right - left)

    for value, _ in axis.ticks:
        drawing.line(place(value), top, place(value), bottom, "grid")
        anchor = "middle" if left < place(value) < right or not narrow else "start" if value == axis.low else "end"
        drawing.text(place(value), bottom + 17, f"{value:g}", "muted", size=12, anchor=anchor)
    drawing.text((left + right) / 2, bottom + 35, axis.name, "muted", size=11, anchor="middle")
    for number, (mark, values) in enumerate(rows):
        y = top + step * number
        if narrow:
            drawing.text(8, y + 16, shortened(mark.label, width - 20, 12.5), "halo strong", size=12.5)
        else:
            drawing.text(236, y + 23, shortened(mark.label, 236, 13), "strong", size=13, anchor="end")
        style = "reference-mark" if mark.colour < 0 else f"family-{mark.colour % 8}"
        line = y + (25 if narrow else 8)
        drawing.path("".join(f"M{place(value):.1f} {line:.1f}v20" for value in sorted(values)), f"strip {style}")
        if isfinite(mark.value):
            drawing.circle(place(mark.value), line + 10, 5.5, f"dot {style}")
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing
