"""Votes as they fell: one stacked bar per condition, a part for each category of the scale."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.report.dots import NARROW, WIDE, Mark
from analysis.report.svg import Drawing, shortened, text_width


def stack_figure(
    rows: Sequence[tuple[Mark, Sequence[float]]], names: Sequence[str], title: str, key: str, *, narrow: bool, footer: str
) -> Drawing:
    """``rows`` pairs a condition with the shares of its votes per category, lowest first; ``names`` are those categories.

    Five shades run from the lowest category to the highest; more categories share them.
    """
    width, step = (NARROW, 50.0) if narrow else (WIDE, 34.0)
    left, right = (8.0, width - 12.0) if narrow else (250.0, width - 16.0)
    top = 40.0
    height = top + step * len(rows) + 6 + 18 * bool(footer)
    said = "; ".join(
        f"{mark.label}: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in zip(names, shares, strict=True))
        for mark, shares in rows
    )
    drawing = Drawing(width, height, title, said + ".", f"{key}-{'n' if narrow else 'w'}")
    shades = [round(index * 4 / max(len(names) - 1, 1)) for index in range(len(names))]
    slot = (width - 20) / len(names)
    fits = all(text_width(name, 11) + 18 <= slot for name in names)
    for index, name in enumerate(names):
        shown = name if fits else name.split()[0]
        drawing.rect(8 + slot * index, 8, 11, 11, f"step-{shades[index]}", radius=2)
        drawing.text(8 + slot * index + 16, 18, shortened(shown, slot - 18, 11), "muted", size=11)
    for number, (mark, shares) in enumerate(rows):
        y = top + step * number
        if narrow:
            drawing.text(left, y + 12, shortened(mark.label, width - 20, 12.5), "strong", size=12.5)
        else:
            drawing.text(236, y + 20, shortened(mark.label, 236, 13), "strong", size=13, anchor="end")
        x, bar = left, y + (18 if narrow else 4)
        for index, share in enumerate(shares):
            part = share * (right - left)
            if part <= 0:
                continue
            drawing.rect(x, bar, part, 24, f"step-{shades[index]}")
            label = f"{100 * share:.0f}"
            if text_width(label, 11) + 4 < part:
                drawing.text(x + part / 2, bar + 16, label, f"on-{shades[index]}", size=11, anchor="middle")
            x += part
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing
