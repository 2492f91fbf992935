"""The report as it is read: whole on a phone, and without a request to anywhere."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import BrowserContext

from analysis.report import write_report


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A report with every section, whose headings are as long as they get."""
    conditions = [("original", 4.6), ("opus-6kbps", 2.4), ("mp3-24kbps", 3.4), ("aac-24kbps", 3.6)]
    rows = [
        {
            "rater_id": f"r{r}",
            "stimulus_id": c + clip,
            "clip_id": clip,
            "condition": c,
            "scale": scale,
            "value": value,
            "labels": labels,
        }
        for r in range(8)
        for clip in ("a", "b", "c", "d", "e", "f")
        for c, mean in conditions
        for scale, value, labels in (
            ("ovrl", min(5, max(1, round(mean + (r % 3 - 1) * 0.6))), ""),
            ("emotion", None, "anger" if (ord(clip) + r * (c != "original")) % 3 else "joy"),
        )
    ]
    return write_report(pd.DataFrame(rows), tmp_path, replicates=64, make_pdf=False).html.as_uri()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_report_never_scrolls_sideways_and_asks_nobody_for_anything(
    report: str, new_context: Callable[..., BrowserContext], width: int
) -> None:
    page = new_context(viewport={"width": width, "height": 844}).new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert asked == [report]
