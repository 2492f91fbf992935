"""The whole way of a rater through the real server: link, consent, sound check, trials, completion code."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from listening.models import Rating, Session, Study, Trial
from listening.services import stimuli, studies
from listening.services.checks import right_form
from listening.services.corpora import import_corpus
from tests.browser.trial_page import TrialPage

CORPUS = Path(__file__).parents[2] / "analysis" / "corpora" / "synthetic"
LINK = f"?PROLIFIC_PID={'a' * 24}&STUDY_ID={'b' * 24}&SESSION_ID={'c' * 24}"
N_TRIALS = 2


@pytest.fixture
def study(transactional_db) -> Study:
    """An open study of two shipped clips, made by the services a researcher uses."""
    corpus = import_corpus("manifest", CORPUS, "voices", limit=N_TRIALS).corpus
    study = studies.create_study(corpus=corpus, slug="voices", conditions=["original"], n_clips=N_TRIALS, votes_per_stratum=1)
    studies.queue_stimuli(study)
    stimuli.work()
    studies.open_study(study)
    return study


@pytest.fixture
def consent_page(page: Page, live_server, study: Study) -> Page:
    page.goto(f"{live_server.url}/s/{study.slug}/{LINK}")
    return page


def consent(page: Page) -> None:
    page.get_by_label("I have read").check()
    page.locator("label").filter(has=page.get_by_text("Female", exact=True)).click()
    page.get_by_role("button", name="Agree and go on").click()
    page.wait_for_url("**/check/")


def count_tones(page: Page, offset: int = 0, play: bool = True) -> None:
    if play:
        page.get_by_role("button", name="Play the clip").click()
    right = int(right_form(Session.objects.get())["item-1"])
    page.locator("label").filter(has=page.get_by_text(str(right + offset), exact=True)).click()
    page.get_by_role("button", name="Go on").click()


def test_a_rater_goes_from_the_link_to_the_completion_code(consent_page: Page, study: Study) -> None:
    page = consent_page
    consent(page)
    count_tones(page, offset=1)
    expect(page.get_by_role("alert")).to_contain_text("not the number of tones")
    count_tones(page)
    page.wait_for_url("**/trial/")
    TrialPage(page).answer(1, N_TRIALS)
    TrialPage(page).at(2, N_TRIALS)
    page.reload()
    TrialPage(page).answer(2, N_TRIALS)
    TrialPage(page).done()

    expect(page.locator("#completion-code")).to_have_text(study.completion_code)
    assert study.completion_code in (page.get_by_role("link", name="Return to Prolific").get_attribute("href") or "")
    assert Session.objects.get().state == Session.State.COMPLETED
    assert Rating.objects.count() == N_TRIALS * 3
    listening = Trial.objects.get(position=1).listening
    assert listening["plays"] == 1 and listening["heard_share"] == 1 and listening["sha256_ok"] is True
    page.go_back()
    expect(page.locator("h1")).to_have_text("Thank you")


def test_a_phone_is_enough(new_context, live_server, study: Study) -> None:
    """Fingers alone, from the link to the code; no page is wider than the phone, and what is pressed is wide enough for a finger."""
    page = new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=3).new_page()

    def fits() -> None:
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
        targets = page.locator(":is(button, .segment, .chip, .tick):visible").evaluate_all(
            "nodes => nodes.map(node => node.getBoundingClientRect()).filter(box => Math.min(box.height, box.width) < 24).length"
        )
        assert targets == 0, page.url
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/phone-{page.url.strip('/').rsplit('/')[-1]}.png", full_page=True)

    page.goto(f"{live_server.url}/s/{study.slug}/{LINK}")
    fits()
    page.locator("label.tick").tap()
    page.locator("label").filter(has=page.get_by_text("Female", exact=True)).tap()
    page.get_by_role("button", name="Agree and go on").tap()
    page.wait_for_url("**/check/")
    fits()
    page.get_by_role("button", name="Play the clip").tap()
    right = right_form(Session.objects.get())["item-1"]
    page.locator("label").filter(has=page.get_by_text(right, exact=True)).tap()
    page.get_by_role("button", name="Go on").tap()
    page.wait_for_url("**/trial/")
    trial = TrialPage(page)
    for position in range(1, N_TRIALS + 1):
        trial.at(position, N_TRIALS).ready()
        expect(trial.dial_status).to_have_text("Press play.")
        trial.dial.locator("button").tap()
        trial.open()
        for scale in ("emotion", "ovrl", "sig"):
            page.locator(f"[data-scale={scale}] label").nth(1).tap()
        fits()
        page.locator("#submit-trial").tap()
    trial.done()
    fits()
    expect(page.locator("#completion-code")).to_have_text(study.completion_code)
    stored = Rating.objects.values_list("trial__position", "scale").order_by("trial__position", "scale")
    assert list(stored) == [(n, scale) for n in range(1, N_TRIALS + 1) for scale in ("emotion", "ovrl", "sig")]


def test_back_and_a_second_visit_by_the_link_lead_to_the_same_trial(consent_page: Page, live_server, study: Study) -> None:
    page = consent_page
    consent(page)
    count_tones(page)
    page.wait_for_url("**/trial/")
    TrialPage(page).answer(1, N_TRIALS)
    TrialPage(page).at(2, N_TRIALS)
    page.go_back()
    TrialPage(page).at(2, N_TRIALS)
    page.goto(f"{live_server.url}/s/{study.slug}/{LINK}")
    TrialPage(page).at(2, N_TRIALS)
    assert not re.search("a{24}", page.url)


def test_without_javascript_a_rater_gets_to_the_trials_and_is_told_what_is_missing(
    new_context, live_server, study: Study
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    page.goto(f"{live_server.url}/s/{study.slug}/{LINK}")
    consent(page)
    expect(page.locator("audio")).to_be_visible()
    count_tones(page, play=False)
    expect(page.locator("noscript p")).to_contain_text("JavaScript, which is switched off")


def test_no_page_has_a_barrier_that_axe_finds(consent_page: Page, live_server) -> None:
    page = consent_page
    found = {}

    def look(name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
            found[f"{name}, {scheme}"] = [(item["id"], item["nodes"][0]["html"]) for item in violations]

    look("consent")
    page.get_by_role("button", name="Agree and go on").evaluate("button => { button.form.noValidate = true; button.click(); }")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_label("I have read")).to_be_focused()
    look("consent with errors")
    consent(page)
    expect(page.locator("[data-dial]")).to_have_attribute("data-state", "ready")
    look("sound check")
    count_tones(page, offset=1)
    look("sound check with an error")
    count_tones(page)
    page.wait_for_url("**/trial/")
    trial = TrialPage(page).ready()
    look("trial, locked")
    trial.hear().rate()
    page.locator("summary").click()
    look("trial, answered")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("button", name="Continue here")).to_be_visible()
    other.close()
    trial.submit()
    trial.answer(2, N_TRIALS)
    trial.done()
    look("done")
    page.goto(f"{live_server.url}/s/voices/?PROLIFIC_PID=nobody")
    look("message")
    page.goto(live_server.url)
    look("home")
    assert {name: barriers for name, barriers in found.items() if barriers} == {}
