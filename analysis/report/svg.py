"""A drawing in SVG: shapes and words with style classes, so that one sheet of colours serves light, dark, page and file."""

from __future__ import annotations

import re
from html import escape

#: Width of a character relative to the size of the type, on the safe side for system sans-serif fonts.
CHARACTER = 0.62


class Drawing:
    """Collects shapes in a frame of ``width`` x ``height`` units; screen readers say ``title`` and ``description``."""

    def __init__(self, width: float, height: float, title: str, description: str, key: str) -> None:
        self.width, self.height = width, height
        self.title, self.description, self.key = title, description, key
        self._shapes: list[str] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, style: str) -> None:
        self._shapes.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{style}"/>')

    def circle(self, x: float, y: float, radius: float, style: str) -> None:
        self._shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{style}"/>')

    def rect(
        self, x: float, y: float, width: float, height: float, style: str, *, radius: float = 0, opacity: float = 1
    ) -> None:
        size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{height:.1f}"'
        shade = f' rx="{radius:g}"' * bool(radius) + f' fill-opacity="{opacity:.3f}"' * (opacity < 1)
        self._shapes.append(f'<rect {size}{shade} class="{style}"/>')

    def path(self, data: str, style: str) -> None:
        """A path from ready-made ``data``: one element for what would be thousands."""
        self._shapes.append(f'<path d="{data}" class="{style}"/>')

    def text(
        self, x: float, y: float, words: str, style: str = "", *, size: float = 13, anchor: str = "start", turn: float = 0
    ) -> None:
        around = f' transform="rotate({turn:g} {x:.1f} {y:.1f})"' * bool(turn)
        place = f'x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor="{anchor}"{around}'
        self._shapes.append(f'<text {place} class="{style}">{escape(words)}</text>')

    def svg(self, style_sheet: str = "") -> str:
        """The drawing as an ``svg`` element; with ``style_sheet`` it stands alone as a file."""
        alone = f"<style>{style_sheet}</style>" if style_sheet else ""
        ids = f'aria-labelledby="{self.key}-t {self.key}-d"'
        frame = f'viewBox="0 0 {self.width:g} {self.height:g}" width="{self.width:g}" height="{self.height:g}"'
        names = (
            f'<title id="{self.key}-t">{escape(self.title)}</title><desc id="{self.key}-d">{escape(self.description)}</desc>'
        )
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {frame} role="img" class="drawing" {ids}>'
        return "\n".join([head + names + alone, *self._shapes, "</svg>"])


def plain_styles(style_sheet: str) -> str:
    """The sheet for programs that know neither variables nor media: the first value of each variable in place, media rules gone.

    >>> plain_styles(":root { --ink: #111; } @media print { :root { --ink: #000; } } .a { fill: var(--ink); }")
    '.a { fill: #111; }'
    """
    without_media = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", style_sheet)
    roots = re.findall(r":root\s*\{([^}]*)\}", without_media)
    values = dict(re.findall(r"(--[\w-]+):\s*([^;]+);", " ".join(roots)))
    rules = re.sub(r":root\s*\{[^}]*\}", "", without_media)
    return re.sub(r"var\((--[\w-]+)\)", lambda found: values[found[1]], rules).strip()


def text_width(words: str, size: float) -> float:
    """A generous guess of how wide ``words`` are at ``size``, in drawing units."""
    return len(words) * size * CHARACTER


def shortened(words: str, width: float, size: float) -> str:
    """``words`` cut with an ellipsis to fit ``width``.

    >>> shortened("EnCodec 24 kHz at 6 kbit/s", 60, 10)
    'EnCodec…'
    """
    fits = int(width / (size * CHARACTER))
    return words if len(words) <= fits else words[: max(fits - 1, 1)].rstrip() + "…"
