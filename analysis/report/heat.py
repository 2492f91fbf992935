"""Heat map of F1 per condition and emotion, each cell with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from analysis.report.dots import NARROW, WIDE, Mark, spoken
from analysis.report.svg import Drawing, shortened, text_width


def heat_figure(
    rows: Sequence[tuple[Mark, Sequence[Mark]]], support: Mapping[str, int], title: str, key: str, *, narrow: bool, footer: str
) -> Drawing:
    """``rows`` pairs a condition's macro mark with its marks per emotion (labelled by emotion, the same order in every row).

    ``support`` is the number of clips in which the original carries each emotion. Undefined cells are outlined with a dash.
    """
    names = [mark.label for mark in rows[0][1]]
    width = NARROW if narrow else WIDE
    left = 4.0 if narrow else 226.0
    cell = (width - left - 4) / (len(names) + 1)
    turned = max(text_width(name, 12) for name in [*names, "all"]) > cell - 4
    top = 92.0 if turned else 46.0
    step, lift = (66.0, 22.0) if narrow else (48.0, 0.0)
    height = top + step * len(rows) + 8 + 18 * bool(footer)
    words = ". ".join(f"{head.label}: " + "; ".join(spoken(mark, 2) for mark in marks) for head, marks in rows)
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    for column, name in enumerate([*names, "all"]):
        x = left + cell * (column + 0.5)
        count = f"n={support[name]}" if name in support else "macro"
        drawing.text(x, top - 8, count, "muted", size=10 if narrow else 11, anchor="middle")
        if turned:
            drawing.text(x - 2, top - 24, name, "strong", size=12, turn=-52)
        else:
            drawing.text(x, top - 25, name, "strong", size=12, anchor="middle")
    for index, (head, marks) in enumerate(rows):
        y = top + step * index
        if narrow:
            drawing.text(left, y + 16, shortened(head.label, width - 10, 12.5), "strong", size=12.5)
        else:
            drawing.text(
                left - 12,
                y + (20 if head.detail else 28),
                shortened(head.label, left - 12, 12.5),
                "strong",
                size=12.5,
                anchor="end",
            )
            drawing.text(left - 12, y + 35, head.detail, "muted", size=11, anchor="end")
        for column, mark in enumerate([*marks, head]):
            _cell(drawing, left + cell * column, y + lift, cell, step - lift, mark)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def _cell(drawing: Drawing, x: float, y: float, width: float, height: float, mark: Mark) -> None:
    middle = x + width / 2
    if not isfinite(mark.value):
        drawing.rect(x + 1.5, y + 1.5, width - 3, height - 3, "undefined", radius=5)
        drawing.text(middle, y + height / 2 + 4, "–", "muted", size=13, anchor="middle")
        return
    drawing.rect(x + 1.5, y + 1.5, width - 3, height - 3, "heat", radius=5, opacity=0.06 + 0.9 * mark.value)
    style = "high-heat" if mark.value > 0.72 else "mid-heat" if mark.value > 0.6 else "low-heat"
    small = 10.5 if width > 56 else 8.5
    spread = f"{_short(mark.low)}–{_short(mark.high)}" if isfinite(mark.low) else ""
    shown = spread if text_width(spread, small) <= width - 2 else ""
    drawing.text(
        middle, y + height / 2 + (-1 if shown else 4), f"{mark.value:.2f}", f"{style} strong", size=13, anchor="middle"
    )
    drawing.text(middle, y + height / 2 + 13, shown, style, size=small, anchor="middle")


def _short(value: float) -> str:
    """Two decimals without the leading zero.

    >>> _short(0.613), _short(1.0)
    ('.61', '1.0')
    """
    return "1.0" if value > 0.995 else f"{value:.2f}"[1:]
