"""Where ratings went: from all that were read, down past every reason for leaving some out, to those that count."""

from __future__ import annotations

from collections.abc import Mapping

from analysis.report.dots import NARROW, WIDE
from analysis.report.svg import Drawing, shortened


def flow_figure(read: int, left_out: Mapping[str, int], title: str, key: str, *, narrow: bool, footer: str) -> Drawing:
    """A bar for what was read, one for each reason (what it took away, most first) and one for what is left."""
    width = NARROW if narrow else WIDE
    left, right = (8.0, width - 60.0) if narrow else (250.0, width - 86.0)
    reasons = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    rows = [("Ratings read", 0, read, "quiet")]
    rest = read
    for reason, count in reasons:
        rest -= count
        rows.append((reason, rest, count, "step-1"))
    rows.append(("Ratings used", 0, rest, "step-4"))
    step = 46.0 if narrow else 34.0
    height = 10 + step * len(rows) + 6 + 18 * bool(footer)
    said = "; ".join(f"{name}: {count:,}" for name, _, count, _ in rows)
    drawing = Drawing(width, height, title, said + ".", f"{key}-{'n' if narrow else 'w'}")
    unit = (right - left) / max(read, 1)
    for number, (name, start, count, style) in enumerate(rows):
        y = 10 + step * number
        if narrow:
            drawing.text(8, y + 12, shortened(name, width - 16, 12), "strong", size=12)
        else:
            drawing.text(236, y + 19, shortened(name, 236, 12.5), "strong", size=12.5, anchor="end")
        bar = y + (18 if narrow else 4)
        drawing.rect(left + start * unit, bar, max(count * unit, 1.5), 20, style, radius=2)
        if number:
            x = left + (rest_after(rows, number - 1)) * unit
            drawing.line(x, bar - step + 20, x, bar, "grid")
        drawing.text(right + 8, bar + 15, f"{count:,}", "number", size=12)
    if footer:
        drawing.text(width / 2, height - 4, footer, "warning", size=11, anchor="middle")
    return drawing


def rest_after(rows: list[tuple[str, int, int, str]], number: int) -> int:
    """How many ratings are left after row ``number``: its start where it takes away, its count where it counts."""
    _, start, count, style = rows[number]
    return start if style == "step-1" else count
