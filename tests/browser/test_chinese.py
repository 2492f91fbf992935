"""A whole session in Simplified Chinese: no page, no sentence of a script and no name for a screen reader is in another language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from listening.models import Session, Study
from listening.screening.registry import SCREENING_STEPS, get_step
from listening.services import stimuli, studies
from listening.services.checks import right_form
from listening.services.corpora import import_corpus
from tests.browser.trial_page import TrialPage

CORPUS = Path(__file__).parents[2] / "analysis" / "corpora" / "synthetic"
LINK = f"?PROLIFIC_PID={'a' * 24}&STUDY_ID={'b' * 24}&SESSION_ID={'c' * 24}"
QUESTIONS = [{"text": "您儿时说哪种语言？", "accepted": ["中文"], "options": ["中文", "英文"]}]
#: What stays as it is in Chinese: names, units, letters of keys, and the markup that a browser with scripts takes <noscript> for.
LATIN = re.compile(r"<[^>]+>|Prolific|C0DE|kHz|Chrome|Edge|Firefox|Safari|JavaScript|Enter|(?<![A-Za-z])[A-Z](?![A-Za-z])")
#: Everything that is read or spoken, also what is hidden now and shown later.
EVERY_TEXT = """() => {
    const texts = [document.title];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { parentElement, data } = walker.currentNode;
        if (!parentElement.closest("script, style")) texts.push(data);
    }
    for (const name of ["aria-label", "placeholder", "alt", "title", "aria-description"])
        for (const node of document.querySelectorAll(`[${name}]`)) texts.push(node.getAttribute(name));
    return texts.map((text) => text.trim()).filter(Boolean);
}"""


def foreign(text: str) -> bool:
    return re.search("[A-Za-z]", LATIN.sub("", text)) is not None


def english(page: Page) -> list[str]:
    """Texts of the page that hold a word in Latin letters; the page says that it is in Chinese."""
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    return [text for text in page.evaluate(EVERY_TEXT) if foreign(text)]


@pytest.fixture
def study(transactional_db) -> Study:
    corpus = import_corpus("manifest", CORPUS, "voices", limit=8).corpus
    study = studies.create_study(
        corpus=corpus,
        slug="voices",
        title="语音",
        language="zh-hans",
        instructions="请戴上耳机。",
        consent_text="您的回答将被匿名保存。",
        conditions=["original"],
        n_clips=3,
        votes_per_stratum=1,
        trials_per_session=3,
        training_trials=1,
        break_every=1,
        minimum_heard_share=0.1,
        screening=[{"step": step} for step in SCREENING_STEPS],
        screening_questions=QUESTIONS,
        comprehension_questions=QUESTIONS,
        completion_code="C0DE",
    )
    studies.queue_stimuli(study)
    stimuli.work()
    studies.open_study(study)
    return study


def heading(step: str) -> str:
    with translation.override("zh-hans"):
        return str(get_step(step).heading)


def answer(trial: TrialPage) -> None:
    """The second option of every question, whatever it is called."""
    for field in trial.page.locator("[data-scale]").all():
        field.locator("label").nth(1).click()


def hear(trial: TrialPage) -> TrialPage:
    """Play a clip to its end, so that the page says all it has to say about it."""
    trial.hear()
    expect(trial.dial).to_have_attribute("data-state", "ready", timeout=15_000)
    return trial


def take_the_trials(page: Page, found: dict[str, list[str]]) -> None:
    """Practice, a question forgotten, another tab, a break, no connection, answers that wait."""
    trial = TrialPage(page)
    trial.ready()
    page.keyboard.press("Enter")
    found["practice, locked"] = english(page)
    hear(trial)
    answer(trial)
    trial.submit()
    go_on = page.locator("[data-go-on]:visible")
    expect(go_on).to_be_visible()
    found["feedback"] = english(page)
    go_on.click()
    hear(trial).submit()
    expect(page.locator("#left-note")).to_contain_text("总体质量")
    for key in "a4":
        page.keyboard.press(key)
    found["trial, a question left"] = english(page)
    with page.context.expect_page() as opened:
        page.evaluate("open(location.href)")
    expect(opened.value.locator("#continue-here")).to_be_visible()
    found["another tab"] = english(opened.value)
    opened.value.close()
    answer(trial)
    trial.submit()
    expect(go_on).to_be_visible()
    found["break"] = english(page)
    page.context.set_offline(True)
    go_on.click()
    hear(trial)
    found["offline"] = english(page)
    answer(trial)
    trial.submit()
    expect(trial.sync).to_have_attribute("data-state", "waiting")
    found["offline, answered"] = english(page)
    page.context.set_offline(False)
    go_on.click()
    hear(trial)
    answer(trial)
    page.route("**/ratings/", lambda route: route.fulfill(status=500))
    trial.submit()
    expect(page.locator("#send-again")).to_be_visible(timeout=15_000)
    found["answers that wait"] = english(page)
    page.unroute("**/ratings/")
    page.locator("#send-again").click()
    page.wait_for_url("**/done/")


def test_a_whole_session_is_in_chinese(page: Page, live_server, study: Study, announced: list[str]) -> None:
    found: dict[str, list[str]] = {}
    page.goto(f"{live_server.url}/s/voices/{LINK}")
    found["consent"] = english(page)
    page.locator("[name=agree]").evaluate("button => { button.form.noValidate = true; button.click(); }")
    expect(page.get_by_role("alert").first).to_be_visible()
    found["consent, nothing ticked"] = english(page)
    page.locator("[name=consent]").check()
    page.locator(".segment").first.click()
    page.locator("[name=agree]").click()
    for key in SCREENING_STEPS:
        expect(page.locator("h1")).to_have_text(heading(key))
        expect(page.locator("[data-dial][data-state=loading], [data-capability]:not([data-state=done])")).to_have_count(
            0, timeout=30_000
        )
        found[key] = english(page)
        if key != "capability":
            if key == "tones":
                page.locator("[name=answer]").click()
                expect(page.get_by_role("alert").first).to_be_visible()
                found["tones, unanswered"] = english(page)
            for name, value in right_form(Session.objects.get()).items():
                if name.startswith("item-"):
                    field = page.locator(f"[name={name}]")
                    if field.first.get_attribute("type") == "radio":
                        page.locator(f"[name={name}][value='{value}']").check()
                    elif field.first.get_attribute("type") == "text":
                        field.fill(value)
        page.locator("[name=answer]").click()
    page.wait_for_url("**/trial/")
    take_the_trials(page, found)
    expect(page.locator("#completion-code")).to_have_text("C0DE")
    found["done"] = english(page)
    assert {name: texts for name, texts in found.items() if texts} == {}
    assert len(announced) >= 8 and [text for text in announced if foreign(text)] == []
