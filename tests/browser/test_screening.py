"""Every step of the screening in a real browser, passed and failed; practice, a trap, and breaks; axe; on a desk and on a phone."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from listening.models import Exclusion, ScreeningResult, Session, Study
from listening.screening.registry import SCREENING_STEPS, get_step
from listening.services import stimuli, studies
from listening.services.checks import right_form
from listening.services.corpora import import_corpus
from tests.browser.trial_page import TrialPage

CORPUS = Path(__file__).parents[2] / "analysis" / "corpora" / "synthetic"
LINK = f"?PROLIFIC_PID={'a' * 24}&STUDY_ID={'b' * 24}&SESSION_ID={'c' * 24}"
QUESTIONS = [
    {"text": "Which language did you speak as a child?", "accepted": ["English"], "options": ["English", "German", "Another"]},
    {"text": "In which year was this study made?", "accepted": ["2026"], "options": []},
]
SIZES: dict[str, ViewportSize] = {
    "desk": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
    "small": {"width": 320, "height": 568},
}


@pytest.fixture
def make_study(transactional_db) -> Callable[..., Study]:
    """An open study of two shipped clips with these steps and changes."""

    def make(*steps: str, **changes) -> Study:
        corpus = import_corpus("manifest", CORPUS, "voices", limit=8).corpus
        study = studies.create_study(
            corpus=corpus,
            slug="voices",
            conditions=["original"],
            n_clips=2,
            votes_per_stratum=1,
            trials_per_session=2,
            strata=["all"],
            screening=[{"step": step} for step in steps],
            screening_questions=QUESTIONS,
            comprehension_questions=QUESTIONS,
            **changes,
        )
        studies.queue_stimuli(study)
        stimuli.work()
        studies.open_study(study)
        return study

    return make


def begin(page: Page, url: str) -> None:
    page.goto(f"{url}/s/voices/{LINK}")
    page.get_by_label("I have read").check()
    page.get_by_role("button", name="Agree and go on").click()


def look(page: Page, name: str) -> None:
    """No barrier that axe finds, no sideways scrolling, light and dark; a picture of each size where SCREENSHOTS names a folder."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(item["id"], item["nodes"][0]["html"]) for item in violations] == [], f"{name}, {scheme}"
    page.emulate_media(color_scheme="light")
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} scrolls sideways, {size}"
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=f"{folder}/{name}-{size}.png", full_page=True)
    page.set_viewport_size(SIZES["desk"])


def fill(page: Page, answers: dict[str, str]) -> None:
    """Answer the items of a step as a rater does: by pressing options and typing."""
    for name, value in answers.items():
        if not name.startswith("item-"):
            continue
        inputs = page.locator(f"[name={name}]")
        if inputs.first.get_attribute("type") == "radio":
            page.locator(f"[name={name}][value='{value}']").check()
        elif inputs.first.get_attribute("type") == "text":
            inputs.fill(value)


def wrong(answers: dict[str, str], page: Page) -> dict[str, str]:
    """Another option for every item, or another word."""
    found = {}
    for name, right in answers.items():
        options = page.locator(f"[name={name}][type=radio]").evaluate_all("inputs => inputs.map(input => input.value)")
        found[name] = next((value for value in options if value != right), "7")
    return found


def settled(page: Page) -> None:
    """Every sound is loaded, or the browser has been looked at."""
    expect(page.locator("[data-dial][data-state=loading]")).to_have_count(0, timeout=30_000)
    for root in page.locator("[data-capability]").all():
        expect(root).to_have_attribute("data-state", "done")


@pytest.mark.parametrize("key", SCREENING_STEPS)
def test_a_step_is_heard_failed_and_passed(page: Page, live_server, make_study, key: str) -> None:
    make_study(key)
    begin(page, live_server.url)
    page.wait_for_url("**/check/")
    session, step = Session.objects.get(), get_step(key)
    expect(page.locator("h1")).to_have_text(str(step.heading))
    settled(page)
    look(page, key)
    if key == "capability":
        page.locator("[data-report]").evaluate("input => { input.value = '{}'; }")
    else:
        if step.listens:
            first = page.locator("[data-check]").first
            first.get_by_role("button", name="Play the clip").click()
            expect(first.locator("[data-dial]")).to_have_attribute("data-state", "playing")
        page.get_by_role("button", name="Go on").click()
        expect(page.get_by_role("alert").first).to_contain_text("answer every question")
        expect(page.get_by_role("alert").first).to_be_focused()
        settled(page)
        fill(page, wrong(right_form(session), page))
    page.get_by_role("button", name="Go on").click()
    if step.tries == 1:
        expect(page.locator("h1")).to_have_text("You cannot take part this time")
        expect(page.locator(".lead")).to_have_text(str(step.failure))
        look(page, f"{key}-failed")
        return
    expect(page.get_by_role("alert")).to_have_text(str(step.again))
    expect(page.get_by_role("alert")).to_be_focused()
    settled(page)
    look(page, f"{key}-again")
    fill(page, right_form(session))
    page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/trial/")
    assert list(ScreeningResult.objects.values_list("step", "attempt", "passed")) == [(key, 1, False), (key, 2, True)]


def test_a_rater_who_uses_up_the_tries_is_told_why_and_gets_the_code(page: Page, live_server, make_study) -> None:
    study = make_study("antiphase")
    begin(page, live_server.url)
    tried = ""
    for _ in range(2):
        page.wait_for_url("**/check/")
        expect(page.locator("[name=try]")).not_to_have_value(tried)
        tried = page.locator("[name=try]").input_value()
        fill(page, wrong(right_form(Session.objects.get()), page))
        page.get_by_role("button", name="Go on").click()
    expect(page.locator("h1")).to_have_text("You cannot take part this time")
    expect(page.locator(".lead")).to_contain_text("did not reach your two ears")
    expect(page.locator("#completion-code")).to_have_text(study.failed_check_code)


def test_a_rater_whose_place_is_not_quiet_goes_on_and_is_marked(page: Page, live_server, make_study) -> None:
    make_study("environment")
    begin(page, live_server.url)
    tried = ""
    for _ in range(2):
        page.wait_for_url("**/check/")
        expect(page.locator("[name=try]")).not_to_have_value(tried)
        tried = page.locator("[name=try]").input_value()
        fill(page, {f"item-{n}": "0" for n in range(1, 5)})
        page.get_by_role("button", name="Go on").click()
    page.wait_for_url("**/trial/")
    assert Exclusion.objects.get().rule == "screening_environment"


def test_who_goes_on_before_the_browser_was_looked_at_passes_when_it_was(page: Page, live_server, make_study) -> None:
    make_study("capability")
    held: list[Route] = []
    page.route("**/check/*/*.flac", lambda route: held.append(route))
    with page.expect_request("**/check/*/*.flac"):
        begin(page, live_server.url)
    page.get_by_role("button", name="Go on").click()
    page.wait_for_timeout(500)
    assert page.url.endswith("/check/") and ScreeningResult.objects.get().passed is None
    for route in held:
        route.continue_()
    page.wait_for_url("**/trial/")
    assert ScreeningResult.objects.get().passed


def test_steps_are_counted_and_a_keyboard_is_enough(page: Page, live_server, make_study) -> None:
    make_study("questions", "tones")
    begin(page, live_server.url)
    expect(page.locator(".eyebrow")).to_have_text("Step 1 of 2 before the test")
    page.locator("[name=item-1]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("2026")
    page.keyboard.press("Enter")
    expect(page.locator(".eyebrow")).to_have_text("Step 2 of 2 before the test")


def rate(trial: TrialPage) -> None:
    """One clip heard to its end, however long, and rated alike."""
    trial.ready()
    trial.dial.locator("button").click()
    expect(trial.form).not_to_have_attribute("data-state", "locked", timeout=30_000)
    trial.rate().submit()


def test_practice_feedback_a_trap_and_a_break_in_one_session(page: Page, live_server, make_study) -> None:
    make_study(training_trials=1, gold_trials=1, trap_trials=1, break_every=2)
    begin(page, live_server.url)
    page.wait_for_url("**/trial/")
    trial = TrialPage(page)
    expect(trial.title).to_have_text("Practice clip 1 of 1")
    rate(trial)
    feedback = page.locator("[data-view=feedback]")
    expect(feedback).to_contain_text("original recording")
    expect(feedback).to_contain_text("The test begins with the next clip")
    expect(feedback.locator("h1")).to_be_focused()
    look(page, "practice")
    feedback.get_by_role("button", name="Go on").click()
    for number in (1, 2, 3, 4):
        expect(trial.title).to_have_text(f"Clip {number} of 4")
        rate(trial)
        if number == 2:
            rest = page.locator("[data-view=break]")
            expect(rest).to_contain_text("You have rated 2 of 4 clips")
            expect(rest.locator("progress")).to_have_js_property("value", 2)
            expect(rest.locator("h1")).to_be_focused()
            look(page, "break")
            rest.get_by_role("button", name="Go on with the test").click()
    trial.done()
    results = dict(ScreeningResult.objects.values_list("step", "passed"))
    assert set(results) == {"gold", "trap"} and results["trap"] is False


def walk_to(target: Locator) -> None:
    """Press Tab until the focus is there, as somebody without a mouse does."""
    for _ in range(40):
        if target.evaluate("node => node === document.activeElement"):
            return
        target.page.keyboard.press("Tab")
    raise AssertionError(f"The Tab key never comes to {target}.")


def press(target: Locator, key: str = "Enter") -> None:
    walk_to(target)
    target.page.keyboard.press(key)


def test_from_link_to_code_without_a_mouse_every_page_tells_what_is_on_it(
    page: Page, live_server, make_study, announced: list[str]
) -> None:
    study = make_study("volume", "hearing", training_trials=1, break_every=1)
    page.goto(f"{live_server.url}/s/voices/{LINK}")
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
        - heading "Before you start" [level=1]
        - region "Your consent":
          - heading "Your consent" [level=2]
          - checkbox "I have read the information above and agree to take part."
        - button "Agree and go on"
        - button "I do not want to take part"
    """)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    press(page.get_by_role("checkbox"), "Space")
    press(page.get_by_role("button", name="Agree and go on"))
    page.wait_for_url("**/check/")
    settled(page)
    expect(page.get_by_role("main")).to_match_aria_snapshot("""
        - paragraph: Step 1 of 2 before the test
        - heading "Set your volume" [level=1]
        - paragraph: /set the volume of your device/
        - group "How loud is the voice now?":
          - button "Play the clip"
          - paragraph: Press play.
          - radio "Too soft"
          - radio "Comfortable"
          - radio "Too loud"
        - button "Go on"
        - button "I cannot hear anything"
    """)
    press(page.get_by_role("button", name="Play the clip"), "Space")
    expect(page.locator("[data-dial]")).to_have_attribute("data-state", "playing")
    press(page.get_by_role("radio", name="Too soft"), "Space")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Comfortable")).to_be_checked()
    press(page.get_by_role("button", name="Go on"))
    expect(page.locator(".eyebrow")).to_have_text("Step 2 of 2 before the test")
    settled(page)
    right = right_form(Session.objects.get())
    for number in range(1, 6):
        item = page.get_by_role("group", name=f"{number} Which three digits did you hear?")
        expect(item.get_by_role("button", name="Play the clip")).to_be_visible()
        walk_to(item.get_by_role("textbox", name="Which three digits did you hear?"))
        page.keyboard.type(right[f"item-{number}"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/trial/")

    trial = TrialPage(page)
    expect(trial.title).to_have_text("Practice clip 1 of 1")
    for title in ("About this practice clip", "Time for a break", ""):
        trial.ready()
        page.keyboard.press("Space")
        expect(trial.form).not_to_have_attribute("data-state", "locked", timeout=30_000)
        assert announced[-1] == "The clip has ended. The questions are open."
        for key in ("n", "4", "3", "Enter"):
            page.keyboard.press(key)
        if not title:
            break
        expect(page.get_by_role("heading", name=title)).to_be_focused()
        expect(page.locator("#live")).to_have_text("")  # nothing of the clip before
        press(page.get_by_role("button", name="Go on"))
        expect(trial.title).to_be_focused()
    trial.done()
    expect(page.get_by_role("main")).to_match_aria_snapshot(f"""
        - heading "Thank you" [level=1]
        - region "Your completion code":
          - status: {study.completion_code}
          - button "Copy the code"
        - link "Return to Prolific"
    """)
    walk_to(page.get_by_role("link", name="Return to Prolific"))
