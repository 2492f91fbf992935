"""Quality against emotion retention: one point per condition with both intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite

from analysis.report.dots import NARROW, WIDE, Mark, spoken
from analysis.report.svg import Drawing, shortened, text_width

Box = tuple[float, float, float, float]

#: What the place of a name costs, in units of covered area: each step away from its point, and sticking out of the frame.
_FARTHER, _OUTSIDE = 25.0, 1e6


@dataclass(frozen=True)
class Frame:
    """Where values lie in the drawing."""

    x: tuple[float, float]
    y: tuple[float, float]
    left: float
    right: float
    top: float
    bottom: float

    def at(self, x: float, y: float) -> tuple[float, float]:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top)


def plane_figure(
    quality: Sequence[Mark],
    retention: Sequence[Mark],
    scale: tuple[float, float],
    title: str,
    key: str,
    *,
    measure: str,
    narrow: bool,
    footer: str,
) -> Drawing:
    """The figure; ``quality`` and ``retention`` list the same conditions in the same order, and the reference among them.

    Points need both values. The reference has no retention of its own; its quality is the dashed line.
    """
    width, height = (NARROW, 380.0) if narrow else (WIDE, 470.0)
    pairs = [(q, r) for q, r in zip(quality, retention, strict=True) if isfinite(q.value) and isfinite(r.value)]
    words = "; ".join(f"quality {spoken(q, 2)} - retention {spoken(r, 2)}" for q, r in pairs)
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    ends = [v for q, _ in pairs for v in (q.value, q.low, q.high) if isfinite(v)]
    ends += [q.value for q in quality if q.colour < 0 and isfinite(q.value)]
    floor_y = min((v for _, r in pairs for v in (r.value, r.low) if isfinite(v)), default=0.0)
    x_range = max(scale[0], floor(min(ends, default=scale[0]))), min(scale[1], ceil(max(ends, default=scale[1])))
    x_range = x_range if x_range[1] > x_range[0] else scale
    y_range = max(0.0, min(floor(floor_y * 5) / 5, 0.8)), 1.0  # where everything was kept, there is still an axis to see it on
    frame = Frame(x_range, y_range, 46, width - 16.0, 20, height - 48 - 16 * bool(footer))
    _axes(drawing, frame, measure)
    for mark in quality:
        if mark.colour < 0 and isfinite(mark.value):
            x, _ = frame.at(mark.value, 0)
            drawing.line(x, frame.top, x, frame.bottom, "reference")
            drawing.text(x - 5, frame.bottom - 7, shortened(mark.label, 90, 11), "muted", size=11, anchor="end")
    draw_crosses(drawing, frame, pairs, 10 if narrow else 12)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def draw_crosses(drawing: Drawing, frame: Frame, pairs: Sequence[tuple[Mark, Mark]], size: float) -> None:
    """A point for every pair (across, up) with the intervals of both as a cross, and its name where it covers least."""
    taken: list[Box] = []
    for across, up in pairs:
        x, y = frame.at(across.value, up.value)
        style = style_of(across)
        if isfinite(across.low):
            low, high = frame.at(across.low, 0)[0], frame.at(across.high, 0)[0]
            drawing.line(low, y, high, y, f"whisker {style}")
            taken.append((low, y - 2, high, y + 2))
        if isfinite(up.low):
            low, high = frame.at(0, up.low)[1], frame.at(0, up.high)[1]
            drawing.line(x, low, x, high, f"whisker {style}")
            taken.append((x - 2, high, x + 2, low))
        drawing.circle(x, y, 6, f"dot {style}")
        taken.append((x - 7, y - 7, x + 7, y + 7))
    for across, up in pairs:
        _name(drawing, frame, frame.at(across.value, up.value), across, size, taken)


def style_of(mark: Mark) -> str:
    """The colour of a mark's family, or the reference's."""
    return "reference-mark" if mark.colour < 0 else f"family-{mark.colour % 8}"


def _axes(drawing: Drawing, frame: Frame, measure: str) -> None:
    steps = round((frame.x[1] - frame.x[0]) * 2)
    for tick in (frame.x[0] + i / 2 for i in range(steps + 1)):
        x, _ = frame.at(tick, 0)
        drawing.line(x, frame.top, x, frame.bottom, "grid")
        drawing.text(x, frame.bottom + 17, f"{tick:g}", "muted", size=12, anchor="middle")
    for tick in (i / 5 for i in range(round(frame.y[0] * 5), 6)):
        _, y = frame.at(frame.x[0], tick)
        drawing.line(frame.left, y, frame.right, y, "grid")
        drawing.text(frame.left - 8, y + 4, f"{tick:.1f}", "muted", size=12, anchor="end")
    middle = (frame.left + frame.right) / 2
    drawing.text(middle, frame.bottom + 37, measure, "muted", size=12, anchor="middle")
    drawing.text(13, (frame.top + frame.bottom) / 2, "macro-F1", "muted", size=12, anchor="middle", turn=-90)


def _name(drawing: Drawing, frame: Frame, point: tuple[float, float], mark: Mark, size: float, taken: list[Box]) -> None:
    """Write a name near its point, where it covers least of points, bars and names; distance counts a little."""
    x, y = point
    width = text_width(mark.label, size)
    choices: list[tuple[float, Box]] = []
    for ring, far in enumerate((10, 20, 32)):
        for left, base in (
            (x + far, y - far / 2),
            (x - far - width, y - far / 2),
            (x + far, y + far / 2 + 7),
            (x - far - width, y + far / 2 + 7),
            (x - width / 2, y - far),
            (x - width / 2, y + far + 8),
        ):
            box = (left, base - size, left + width, base + 3)
            covered = sum(_overlap(box, other) for other in taken)
            choices.append((covered + _FARTHER * ring + _OUTSIDE * _sticks_out(box, frame), box))
    box = min(choices)[1]
    taken.append(box)
    colour = f"family-{mark.colour % 8}" * (mark.colour >= 0)
    drawing.text(box[0], box[3] - 3, mark.label, f"halo strong {colour}".strip(), size=size)


def _sticks_out(box: Box, frame: Frame) -> bool:
    return box[0] < frame.left or box[2] > frame.right or box[1] < frame.top - 8 or box[3] > frame.bottom


def _overlap(a: Box, b: Box) -> float:
    """Area that two boxes share."""
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
