"""The leaderboard as everybody sees it: no barrier, and on a phone only the table scrolls sideways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from listening.models import ConditionResult, StimulusScore

VALUES = {"original": 4.4, "opus-6kbps": 2.9, "mp3-24kbps": 3.7}


@pytest.fixture
def public(transactional_db, study):
    """A public study with results of simulated raters and a score for every stimulus and several measures."""
    study.results_public = True
    study.save(update_fields=["results_public"])
    for condition, value in VALUES.items():
        for scale in ("ovrl", "sig", "bak"):
            ConditionResult.objects.create(
                study=study,
                condition=condition,
                scale=scale,
                value=value,
                ci_low=value - 0.3,
                ci_high=value + 0.3,
                n=40,
                simulated=True,
            )
        for row in study.study_stimuli.filter(stimulus__condition=condition):
            for number, measure in enumerate(("pesq_wb", "stoi", "mel_distance", "codec_superb_overall", "dnsmos_ovrl")):
                score = value / 5 + number / 10 + row.pk % 7 / 50
                StimulusScore.objects.create(stimulus=row.stimulus, measure=measure, value=score, version="1", key="k")
    return study


def test_everybody_reads_it_without_a_barrier_and_a_phone_scrolls_the_table_alone(public, live_server, page: Page) -> None:
    page.goto(f"{live_server.url}/leaderboard/")
    expect(page.get_by_role("row", name="Opus 6")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == []
    page.emulate_media(color_scheme="light")
    shots = os.environ.get("SCREENSHOTS")
    if shots:
        page.screenshot(path=Path(shots) / "leaderboard.png", full_page=True)
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    if shots:
        page.screenshot(path=Path(shots) / "leaderboard-phone.png", full_page=True)
    page.get_by_label("Family").select_option(index=1)
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Download as CSV")).to_have_attribute(
        "href", "/leaderboard.csv?corpus=&study=&family=MP3"
    )
