"""Score against bit rate: a line per family through its rates, the original as a dashed line across."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from math import isfinite, log10

from analysis.report.dots import NARROW, WIDE, Axis, Mark, spoken
from analysis.report.svg import Drawing, shortened, text_width

#: Bit rates that may carry a tick, in kbit/s.
_TICKS = (0.5, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256)


def rate_figure(
    marks: Sequence[Mark],
    rates: Mapping[str, float],
    families: Mapping[str, str],
    axis: Axis,
    title: str,
    key: str,
    *,
    narrow: bool,
    footer: str,
) -> Drawing:
    """``rates`` maps conditions to bit/s and ``families`` to the codec's name.

    The reference, which has no rate, is the dashed line.

    The rate axis is logarithmic. Families are told apart by colour and by their name at the right; points of different families
    stand a little beside one another, so that intervals at one rate do not cover each other.
    """
    width, height = (NARROW, 330.0) if narrow else (WIDE, 400.0)
    points = [mark for mark in marks if mark.slug in rates and isfinite(mark.value)]
    words = "; ".join(spoken(mark, axis.digits) for mark in marks) + "."
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    alone = {mark.colour for mark in points if sum(other.colour == mark.colour for other in points) == 1}
    names = {m.colour: m.label if m.colour in alone or not families[m.slug] else families[m.slug] for m in points}
    colours = sorted(names)
    beside = {colour: 5.0 * (index - (len(colours) - 1) / 2) for index, colour in enumerate(colours)}
    levels = [mark for mark in marks if mark.colour < 0 and mark.slug not in rates and isfinite(mark.value)]
    size = 10.5 if narrow else 12
    beside_it = [*names.values(), *(mark.label for mark in levels)]
    room = min(max(text_width(name, size) for name in beside_it) + 14, 118 if narrow else 190)
    left, right, top, bottom = 44.0, width - room, 18.0, height - 46.0 - 16 * bool(footer)
    logs = [log10(rates[mark.slug]) for mark in points]
    low, high = min(logs) - 0.08, max(logs) + 0.08

    def across(bps: float) -> float:
        return left + (log10(bps) - low) / (high - low) * (right - left)

    def up(value: float) -> float:
        return bottom - (value - axis.low) / (axis.high - axis.low) * (bottom - top)

    for value, _ in axis.ticks:
        drawing.line(left, up(value), right, up(value), "grid")
        drawing.text(left - 8, up(value) + 4, f"{value:g}", "muted", size=12, anchor="end")
    _rate_ticks(drawing, across, low, high, bottom)
    drawing.text((left + right) / 2, bottom + 38, "bit rate, kbit/s (logarithmic)", "muted", size=11, anchor="middle")
    drawing.text(12, (top + bottom) / 2, axis.name, "muted", size=11, anchor="middle", turn=-90)
    for mark in levels:
        if isfinite(mark.low):
            drawing.rect(left, up(mark.high), right - left, up(mark.low) - up(mark.high), "band")
        drawing.line(left, up(mark.value), right, up(mark.value), "reference")
        drawing.text(right + 6, up(mark.value) + 4, shortened(mark.label, room - 6, size), "muted", size=size)
    ends: list[tuple[float, str, int]] = []
    for colour, family in groupby(sorted(points, key=lambda mark: (mark.colour, rates[mark.slug])), key=lambda m: m.colour):
        line = list(family)
        style = "reference-mark" if colour < 0 else f"family-{colour % 8}"
        places = [(across(rates[mark.slug]) + beside[colour], up(mark.value)) for mark in line]
        if len(places) > 1:
            drawing.path("M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in places), f"link {style}")
        for mark, (x, y) in zip(line, places, strict=True):
            if isfinite(mark.low):
                drawing.line(x, up(mark.low), x, up(mark.high), f"whisker {style}")
            drawing.circle(x, y, 5.5, f"dot {style}")
        ends.append((places[-1][1], names[colour], colour))
    taken = [up(mark.value) for mark in levels]
    for y, name, colour in sorted(ends):
        place = y
        while any(abs(place - other) < 15 for other in taken):
            place += 2
        taken.append(place)
        drawing.text(right + 6, place + 4, shortened(name, room - 6, size), f"strong family-{colour % 8}", size=size)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def _rate_ticks(drawing: Drawing, place: Callable[[float], float], low: float, high: float, bottom: float) -> None:
    last = -1e9
    for kbps in _TICKS:
        if low <= log10(kbps * 1000) <= high:
            x = place(kbps * 1000)
            drawing.line(x, bottom, x, bottom + 4, "grid")
            if x - last >= 24:
                drawing.text(x, bottom + 17, f"{kbps:g}", "muted", size=12, anchor="middle")
                last = x
