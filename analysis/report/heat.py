"""Heat maps: a row per condition, a column per emotion, each cell with its number and, where there is room, its interval."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from analysis.report.dots import NARROW, WIDE, Mark, spoken
from analysis.report.svg import Drawing, shortened, text_width


@dataclass(frozen=True)
class Cell:
    """How a value looks: its number, its interval in small, the style and strength of its ground, the style of its ink."""

    number: str
    spread: str
    ground: str
    strength: float
    ink: str


def f1_cell(mark: Mark) -> Cell:
    """A score in 0..1, stronger where it is higher."""
    ink = "high-heat" if mark.value > 0.72 else "mid-heat" if mark.value > 0.6 else "low-heat"
    spread = f"{_short(mark.low)}–{_short(mark.high)}" if isfinite(mark.low) else ""
    return Cell(f"{mark.value:.2f}", spread, "heat", 0.06 + 0.9 * min(max(mark.value, 0.0), 1.0), ink)


def drop_cell(mark: Mark) -> Cell:
    """A relative change in per cent, stronger the further it falls."""
    spread = f"{_percent(mark.low)} … {_percent(mark.high)}" if isfinite(mark.low) else ""
    strength = min(max(-mark.value, 0.0) / 100, 1.0)
    ink = "on-fall" if strength > 0.6 else "low-heat"
    return Cell(_percent(mark.value), spread, "fall", 0.05 + 0.85 * strength, ink)


def share_cell(mark: Mark) -> Cell:
    """A share in per cent, stronger where it is higher."""
    ink = "high-heat" if mark.value > 0.72 else "mid-heat" if mark.value > 0.6 else "low-heat"
    return Cell(f"{100 * mark.value:.0f}", "", "heat", 0.03 + 0.93 * mark.value, ink)


def heat_figure(
    rows: Sequence[tuple[Mark, Sequence[Mark]]],
    support: Mapping[str, int],
    title: str,
    key: str,
    *,
    narrow: bool,
    footer: str,
    cell_of: Callable[[Mark], Cell] = f1_cell,
    overall: str = "all",
) -> Drawing:
    """``rows`` pairs a condition's mark for all emotions with its marks per emotion (labelled by emotion, the same order in each).

    ``support`` stands under the names of the emotions. Undefined cells are outlined with a dash. ``overall`` heads the last
    column; where it is empty there is none.
    """
    names = [mark.label for mark in rows[0][1]]
    heads = [*names, overall] if overall else names
    width = NARROW if narrow else WIDE
    left = 4.0 if narrow else 226.0
    cell = (width - left - 4) / len(heads)
    turned = max(text_width(name, 12) for name in heads) > cell - 4
    longest = max(text_width(name, 12) for name in heads)
    if turned:
        cell = (width - left - max(34.0, 0.45 * longest)) / len(heads)  # the last name leans over the edge
    top = max(92.0, 34 + 0.7 * longest) if turned else 46.0
    step, lift = (66.0, 22.0) if narrow else (48.0, 0.0)
    height = top + step * len(rows) + 8 + 18 * bool(footer)
    words = ". ".join(f"{head.label}: " + "; ".join(spoken(mark, 2) for mark in marks) for head, marks in rows)
    drawing = Drawing(width, height, title, words, f"{key}-{'n' if narrow else 'w'}")
    for column, name in enumerate(heads):
        x = left + cell * (column + 0.5)
        count = f"n={support[name]}" if name in support else "macro" if name == overall else ""
        drawing.text(x, top - 8, count, "muted", size=10 if narrow else 11, anchor="middle")
        if turned:
            drawing.text(x - 2, top - 24, name, "strong", size=12, turn=-52)
        else:
            drawing.text(x, top - 25, name, "strong", size=12, anchor="middle")
    cells = [[cell_of(m) if isfinite(m.value) else None for m in [*marks, head][: len(heads)]] for head, marks in rows]
    small = 10.0 if cell > 56 else 8.5
    roomy = all(text_width(one.spread, small) <= cell for line in cells for one in line if one)
    for index, (head, _) in enumerate(rows):
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
        for column, one in enumerate(cells[index]):
            _cell(drawing, left + cell * column, y + lift, cell, step - lift, one, small if roomy else 0.0)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def _cell(drawing: Drawing, x: float, y: float, width: float, height: float, cell: Cell | None, small: float) -> None:
    """One cell; ``small`` is the type size of intervals, 0 where they have no room."""
    middle = x + width / 2
    if cell is None:
        drawing.rect(x + 1.5, y + 1.5, width - 3, height - 3, "undefined", radius=5)
        drawing.text(middle, y + height / 2 + 4, "–", "muted", size=13, anchor="middle")
        return
    drawing.rect(x + 1.5, y + 1.5, width - 3, height - 3, cell.ground, radius=5, opacity=cell.strength)
    shown = cell.spread if small else ""
    drawing.text(middle, y + height / 2 + (-1 if shown else 4), cell.number, f"{cell.ink} strong", size=13, anchor="middle")
    if shown:
        drawing.text(middle, y + height / 2 + 13, shown, cell.ink, size=small, anchor="middle")


def _percent(value: float) -> str:
    """A whole number with a real minus sign, and none before zero.

    >>> _percent(-12.4), _percent(-0.2)
    ('−12', '0')
    """
    return f"{round(value)}".replace("-", "−")


def _short(value: float) -> str:
    """Two decimals without the leading zero.

    >>> _short(0.613), _short(1.0)
    ('.61', '1.0')
    """
    return "1.0" if value > 0.995 else f"{value:.2f}"[1:]
