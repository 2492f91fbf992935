"""Listening and rating: what opens, what stays shut, and what a rater is told."""

import hashlib

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.trial_page import TrialPage


@pytest.fixture
def trial(page: Page, stand_in: StandIn) -> TrialPage:
    page.goto(stand_in.page_url)
    return TrialPage(page)


def test_a_session_can_be_rated_by_keyboard_alone(trial: TrialPage, stand_in: StandIn) -> None:
    for position, keys in enumerate(["n43", "af51", "s11"], start=1):
        trial.answer_by_keyboard(position, keys)
    trial.done()
    assert [stand_in.stored[position]["answers"] for position in (1, 2, 3)] == [
        {"emotion": ["neutral"], "ovrl": 4, "sig": 3},
        {"emotion": ["anger", "fear"], "ovrl": 5, "sig": 1},
        {"emotion": ["sadness"], "ovrl": 1, "sig": 1},
    ]


def test_a_session_can_be_rated_by_tab_and_arrow_keys(trial: TrialPage, stand_in: StandIn) -> None:
    trial.ready()
    press = trial.page.keyboard.press
    press("Tab")
    press("Enter")
    trial.open()
    press("Tab")
    press("Space")
    for _ in range(7):
        press("Tab")
    press("Space")
    press("ArrowRight")
    press("Tab")
    press("ArrowRight")
    press("Enter")
    trial.at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    assert stand_in.stored[1]["answers"] == {"emotion": ["anger"], "ovrl": 4, "sig": 4}


def test_a_session_can_be_rated_by_mouse_and_says_how_each_clip_was_heard(trial: TrialPage, stand_in: StandIn) -> None:
    trial.at(1).hear()
    trial.hear()
    trial.rate().submit()
    for position in (2, 3):
        trial.answer(position)
    trial.done()
    listening = stand_in.stored[1]["listening"]
    assert listening["plays"] == 2
    assert listening["heard_share"] == 1
    assert listening["sha256_ok"] is True
    assert listening["output_sample_rate"] >= 8_000
    assert listening["first_play_at"] < listening["ended_at"]


def test_questions_stay_shut_until_the_clip_was_heard_and_the_page_says_so(page: Page) -> None:
    stand_in = StandIn(clip_s=1.5)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).ready()
    trial.locked()
    expect(page.locator("#lock-note")).to_contain_text("Listen to the whole clip first")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    trial.submit()
    expect(page.locator("#live")).to_contain_text("Listen to the whole clip first")

    trial.dial.locator("button").click()
    page.wait_for_timeout(400)
    trial.dial.locator("button").click()
    expect(trial.dial_status).to_contain_text("Stopped")
    trial.locked()

    trial.hear().rate().submit()
    trial.at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    assert stand_in.stored[1]["listening"]["plays"] == 2
    stand_in.close()


def test_questions_open_at_the_share_the_study_asks_for(page: Page) -> None:
    stand_in = StandIn(clip_s=3.0, minimum_heard_share=0.2)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).ready()
    expect(page.locator("#lock-note")).to_contain_text("at least 20 %")
    trial.hear()
    expect(trial.dial).to_have_attribute("data-state", "playing")
    trial.rate().submit()
    trial.at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    assert 0.2 <= stand_in.stored[1]["listening"]["heard_share"] < 0.9
    stand_in.close()


def test_an_unanswered_question_is_named_and_focused(trial: TrialPage, stand_in: StandIn) -> None:
    trial.hear().choose("emotion", "Fear").choose("sig", "Not distorted").submit()
    expect(trial.page.locator("#left-note")).to_have_text("Please answer first: Overall quality.")
    expect(trial.page.locator("[data-scale=ovrl]")).to_be_focused()
    assert stand_in.received == []


def test_single_keys_can_be_switched_off(trial: TrialPage) -> None:
    trial.hear()
    trial.page.get_by_text("Keyboard", exact=True).click()
    trial.page.get_by_label("Use these single keys").uncheck()
    trial.title.click()
    trial.page.keyboard.press("4")
    expect(trial.page.locator("input:checked[type=radio]")).to_have_count(0)
    trial.page.reload()
    trial.at(1)
    trial.page.keyboard.press("n")
    expect(trial.page.locator("#rating-form input:checked")).to_have_count(0)


def test_a_reload_in_mid_trial_costs_no_second_listening(trial: TrialPage, stand_in: StandIn) -> None:
    trial.answer(1)
    trial.at(2).hear().choose("ovrl", "Poor")
    trial.page.reload()
    trial.at(2)
    trial.open()
    expect(trial.page.locator("[data-scale=ovrl] input:checked")).to_have_value("2")
    trial.choose("emotion", "Anger").choose("sig", "Very distorted").submit()
    trial.answer(3)
    trial.done()
    assert stand_in.stored[2]["answers"] == {"emotion": ["anger"], "ovrl": 2, "sig": 1}
    assert stand_in.stored[2]["listening"]["plays"] == 1


def test_a_clip_that_arrives_damaged_once_is_fetched_again_unnoticed(page: Page, stand_in: StandIn) -> None:
    stand_in.clip_faults.extend(["damaged", "missing"])
    page.goto(stand_in.page_url)
    TrialPage(page).answer(1)
    TrialPage(page).at(2)


def test_a_clip_that_the_server_is_too_busy_to_send_is_waited_for_and_never_left_out(page: Page, stand_in: StandIn) -> None:
    stand_in.clip_faults.extend(["429"] * 5)
    page.goto(stand_in.page_url)
    trial = TrialPage(page)
    expect(trial.dial).to_have_attribute("data-state", "ready", timeout=20_000)
    trial.answer(1)
    trial.at(2)
    assert "reason" not in stand_in.stored[1]


def test_a_clip_that_stays_damaged_is_reported_and_left_out(page: Page, stand_in: StandIn) -> None:
    stand_in.broken.add(2)
    page.goto(stand_in.page_url)
    TrialPage(page).answer(1)
    TrialPage(page).at(3)
    expect(TrialPage(page).notices).to_contain_text("Clip 2 could not be loaded")
    TrialPage(page).answer(3)
    TrialPage(page).done()
    assert stand_in.stored[2]["reason"] == "damaged"
    assert stand_in.stored[2]["listening"]["plays"] == 0


def test_where_the_server_lets_no_more_clips_be_left_out_the_page_goes_on_trying(page: Page) -> None:
    stand_in = StandIn(n_trials=1)
    stand_in.broken.add(1)
    stand_in.refuse_skips = True
    page.goto(stand_in.page_url)
    trial = TrialPage(page)
    expect(trial.notices).to_contain_text("Too many clips", timeout=15_000)
    trial.locked()
    stand_in.broken.clear()
    trial.answer(1, total=1)
    trial.done()
    assert stand_in.stored[1]["answers"]["ovrl"] == 4
    stand_in.close()


def test_without_a_connection_no_clip_is_left_out(trial: TrialPage, stand_in: StandIn) -> None:
    trial.at(1).ready()
    trial.page.route("**/audio/3.flac", lambda route: route.abort())
    trial.page.context.set_offline(True)
    trial.answer(1)
    trial.page.context.set_offline(False)
    trial.page.unroute("**/audio/3.flac")
    trial.answer(2)
    trial.answer(3)
    trial.done()
    assert all("reason" not in body for body in stand_in.stored.values())


def test_an_address_that_has_ended_is_asked_for_anew(page: Page, stand_in: StandIn) -> None:
    stand_in.clip_faults.append("expired")
    page.goto(stand_in.page_url)
    TrialPage(page).answer(1)
    TrialPage(page).at(2)
    assert "reason" not in stand_in.stored.get(1, {})


def test_a_clip_is_played_as_often_as_the_study_says_and_to_its_end_at_least_once(page: Page) -> None:
    stand_in = StandIn(n_trials=2, clip_s=1.2)
    stand_in.max_plays = 2
    page.goto(stand_in.page_url)
    trial = TrialPage(page)
    play = trial.ready().dial.locator("button")
    for _ in range(3):
        # Broken off before the end, which opens nothing and so takes no play away.
        play.click()
        expect(trial.dial).to_have_attribute("data-state", "playing")
        play.click()
        expect(trial.dial).to_have_attribute("data-state", "ready")
    play.click()
    trial.open()
    expect(trial.dial).to_have_attribute("data-state", "spent")
    expect(trial.dial_status).to_contain_text("as often as")
    play.click(force=True)
    expect(trial.dial).to_have_attribute("data-state", "spent")
    page.reload()
    expect(trial.dial).to_have_attribute("data-state", "spent")
    trial.rate().submit()
    trial.at(2, 2).ready()
    expect(trial.sync).to_have_text("All answers are saved")
    assert stand_in.stored[1]["listening"]["plays"] == 4
    stand_in.close()


def test_the_next_two_clips_are_fetched_ahead_and_none_twice(page: Page, stand_in: StandIn) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url[-6:]) if request.url.endswith(".flac") else None)
    page.goto(stand_in.page_url)
    TrialPage(page).at(1).ready()
    page.wait_for_timeout(200)
    assert fetched == ["1.flac", "2.flac", "3.flac"]
    TrialPage(page).answer(1)
    TrialPage(page).at(2).ready()
    assert len(fetched) == 3


def test_time_out_of_sight_lost_focus_and_changed_devices_are_noted(trial: TrialPage, stand_in: StandIn) -> None:
    trial.hear().rate()
    trial.page.evaluate("""async () => {
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
        document.hasFocus = () => false;
        dispatchEvent(new Event("blur"));
        await new Promise((resolve) => setTimeout(resolve, 100));
        document.hasFocus = () => true;
        dispatchEvent(new Event("focus"));
        const hide = (hidden) => {
            Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
        };
        hide(true);
        await new Promise((resolve) => setTimeout(resolve, 300));
        hide(false);
    }""")
    trial.submit()
    trial.at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    listening = stand_in.stored[1]["listening"]
    assert 250 <= listening["hidden_ms"] < 2_000 and listening["hidden_count"] == 1
    assert listening["unfocused_ms"] >= 80 and listening["unfocused_count"] >= 1
    assert listening["device_changes"] == 1


@pytest.mark.parametrize("size", [(390, 844), (320, 568), (3840, 2160)], ids=["phone", "small phone", "4K"])
def test_every_screen_shows_the_whole_page_without_sideways_scrolling(new_context, stand_in: StandIn, size) -> None:
    width, height = size
    page = new_context(viewport={"width": width, "height": height}, has_touch=width < 400).new_page()
    page.goto(stand_in.page_url)
    trial = TrialPage(page)
    trial.hear()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    small = page.locator(":is(button, .segment, .chip):visible").evaluate_all(
        "nodes => nodes.map(node => node.getBoundingClientRect()).filter(box => box.height < 43.9 || box.width < 43.9).length"
    )
    assert small == 0
    trial.rate().submit()
    trial.at(2)


def test_the_pages_own_sha256_is_the_standards(page: Page, stand_in: StandIn) -> None:
    """Pages without HTTPS have no crypto.subtle; lengths around one and two blocks are where padding goes wrong."""
    lengths = [0, 1, 55, 56, 63, 64, 119, 120, 10_000]
    page.goto(stand_in.page_url)
    ours = page.evaluate(
        """async (lengths) => {
            const { sha256Plain } = await import("/static/js/sha256.js");
            const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
            return lengths.map((length) => hex(sha256Plain(Uint8Array.from({ length }, (_, index) => index % 251).buffer)));
        }""",
        lengths,
    )
    assert ours == [hashlib.sha256(bytes(index % 251 for index in range(length))).hexdigest() for length in lengths]
