"""Every rating task in a real browser: heard, answered by mouse and by keyboard, without a barrier that axe finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from analysis.scales import SCALES
from listening.rating_tasks.registry import RATING_TASKS, get_rating_task
from tests.browser.stand_in import StandIn
from tests.browser.trial_page import TrialPage

GAP_S = 0.5


@pytest.fixture
def serve() -> Iterator[Callable[..., StandIn]]:
    servers: list[StandIn] = []

    def start(*tasks: str, **options: Any) -> StandIn:
        servers.append(StandIn(tasks=tasks, **options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def barriers(page: Page) -> list[str]:
    return [item["id"] for item in Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]]


@pytest.mark.parametrize("key", RATING_TASKS)
def test_a_task_is_answered_by_mouse_and_every_answer_arrives(page: Page, serve, key: str) -> None:
    stand_in = serve(key, n_trials=1)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, total=1)
    task = get_rating_task(key)
    for scale in task.scales:
        if task.listens_for_each or scale == task.scales[0]:
            trial.hear()
        field = page.locator(f"[data-scale={scale.key}]:enabled")
        field.locator("label").nth(1).click()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert barriers(page) == []
    trial.submit()
    trial.done()
    stored = stand_in.stored[1]
    for scale in task.scales:
        offered = [option["value"] for option in task.options(scale, stand_in.screen)]
        assert stored["answers"][scale.key] == ([offered[1]] if scale.kind == "labels" else offered[1])
    assert stored["listening"]["plays"] == task.n_listenings
    assert stored["listening"]["heard_shares"] == [1] * (1 if task.reference == "none" else 2)


@pytest.mark.parametrize(
    ("key", "keys", "answers"),
    [
        ("acr", "4", {"quality": 4}),
        ("dcr", "2", {"dcr": 2}),
        ("ccr", "1", {"ccr": -3}),
        ("ccr", "7", {"ccr": 3}),
        ("p835", "513", {"p835_sig": 5, "p835_bak": 1, "p835_ovrl": 3}),
        ("dimensions", "125", {"valence": 1, "arousal": 2, "dominance": 5}),
        ("emo-codec-quality", "43", {"ovrl": 4, "sig": 3}),
        ("emotion", "af", {"emotion": ["anger", "fear"]}),
        ("emotion-or-other", "n", {"emotion": ["neutral"]}),
        ("intensity", "2", {"intensity": 2}),
    ],
)
def test_a_task_is_answered_by_single_keys(page: Page, serve, key: str, keys: str, answers: dict) -> None:
    stand_in = serve(key, n_trials=1)
    page.goto(stand_in.page_url)
    TrialPage(page).at(1, total=1).ready()
    page.keyboard.press("Space")
    TrialPage(page).open()
    for sign in keys:
        page.keyboard.press(sign)
    page.keyboard.press("Enter")
    TrialPage(page).done()
    assert stand_in.stored[1]["answers"] == answers


def test_three_listenings_are_answered_by_single_keys(page: Page, serve) -> None:
    stand_in = serve("p835-each", n_trials=1, clip_s=0.3)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, total=1).ready()
    for n, (scale, sign) in enumerate((("p835_sig", "2"), ("p835_bak", "4"), ("p835_ovrl", "5"))):
        page.keyboard.press("Space")
        expect(page.locator(f"[data-scale={scale}] input").first).to_be_enabled()
        trial.ready()
        page.keyboard.press(sign)
        expect(page.locator("[data-scale] input:checked")).to_have_count(n + 1)
    page.keyboard.press("Enter")
    trial.done()
    assert stand_in.stored[1]["answers"] == {"p835_sig": 2, "p835_bak": 4, "p835_ovrl": 5}


def test_two_clips_are_played_one_after_the_other_to_the_sample(page: Page, serve) -> None:
    stand_in = serve("ccr", n_trials=1, clip_s=1.5)
    page.add_init_script(
        """window.starts = [];
        const start = AudioBufferSourceNode.prototype.start;
        AudioBufferSourceNode.prototype.start = function (when) {
            starts.push({ when, duration: this.buffer.duration, pitch: this.buffer.getChannelData(0)[20] });
            return start.call(this, when);
        };"""
    )
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, total=1)
    trial.ready().locked()
    page.keyboard.press("Space")
    expect(page.locator(".parts .is-playing")).to_have_text("First clip")
    trial.locked()
    expect(page.locator(".parts .is-playing")).to_have_text("Second clip")
    trial.locked()
    trial.open()
    first, second = page.evaluate("starts")
    assert second["when"] - first["when"] == pytest.approx(first["duration"] + GAP_S, abs=1e-9)
    assert first["pitch"] != second["pitch"]


def test_a_question_with_its_own_listening_opens_by_a_play_that_follows_the_answer_before(page: Page, serve) -> None:
    stand_in = serve("p835-each", n_trials=1, clip_s=1.0)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, total=1)
    fields = [page.locator(f"[data-scale={scale}] input").first for scale in ("p835_sig", "p835_bak", "p835_ovrl")]

    def hear() -> None:
        trial.ready().dial.locator("button").click()
        expect(trial.dial).to_have_attribute("data-state", "playing")
        trial.ready()

    hear()
    hear()
    expect(fields[0]).to_be_enabled()
    expect(fields[1]).to_be_disabled()
    page.keyboard.press("5")
    trial.submit()
    expect(page.locator("#live")).to_contain_text("once more")
    hear()
    expect(fields[1]).to_be_enabled()
    page.keyboard.press("4")
    page.reload()
    trial.at(1, total=1).open()
    expect(page.locator("[data-scale=p835_bak] input:checked")).to_have_value("4")
    expect(fields[2]).to_be_disabled()
    hear()
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    trial.done()
    assert stand_in.stored[1]["answers"] == {"p835_sig": 5, "p835_bak": 4, "p835_ovrl": 3}
    assert stand_in.stored[1]["listening"]["plays"] == 4


def test_another_emotion_needs_its_word_and_keeps_it_over_a_reload(page: Page, serve) -> None:
    stand_in = serve("emotion-or-other", n_trials=1)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, total=1).hear()
    page.keyboard.press("o")
    word = page.get_by_label("Which other emotion?")
    expect(word).to_be_focused()
    expect(page.locator("#left-note")).to_have_text("1 question left")
    page.keyboard.type("nostalgia, a little")
    expect(page.locator("#left-note")).to_have_text("All questions are answered.")
    page.reload()
    trial.at(1, total=1).open()
    expect(word).to_have_value("nostalgia, a little")
    trial.submit()
    trial.done()
    assert stand_in.stored[1]["answers"] == {"emotion": ["other:nostalgia, a little"]}


@pytest.mark.parametrize(("touch", "widths"), [(True, [320, 390]), (False, [700, 3840])], ids=["phones", "screens"])
@pytest.mark.parametrize("key", ["dcr", "ccr", "p835-each", "emotion-or-other", "dimensions"])
def test_a_task_fits_every_screen(new_context, serve, key: str, touch: bool, widths: list[int]) -> None:
    stand_in = serve(key, n_trials=1)
    page = new_context(viewport={"width": widths[0], "height": 800}, has_touch=touch).new_page()
    page.goto(stand_in.page_url)
    TrialPage(page).at(1, total=1).hear()
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        cut = page.locator(".segment-label, .chip-label").evaluate_all(
            "nodes => nodes.filter(n => n.scrollWidth > n.clientWidth + 1).length"
        )
        assert cut == 0, width


def test_the_tasks_that_are_offered_cover_every_scale_that_is_a_question() -> None:
    asked = {scale for key in RATING_TASKS for scale in get_rating_task(key).scale_keys}
    assert asked == {key for key, scale in SCALES.items() if scale.kind != "text"}
