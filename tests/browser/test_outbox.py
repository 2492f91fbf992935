"""No answer is lost and none is stored twice, whatever happens between the page and the server."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.trial_page import TrialPage

NO_INDEXED_DB = "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('no', 'SecurityError'); } });"
NO_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });"


@pytest.fixture
def trial(page: Page, stand_in: StandIn) -> TrialPage:
    page.goto(stand_in.page_url)
    return TrialPage(page)


def posts_by_position(stand_in: StandIn) -> dict[int, set[str]]:
    """Position to the idempotency keys that arrived for it."""
    keys: dict[int, set[str]] = {}
    for post in stand_in.received:
        keys.setdefault(post["position"], set()).add(post["idempotency_key"])
    return keys


def test_answers_given_offline_are_kept_and_each_is_stored_once(
    trial: TrialPage, stand_in: StandIn, context: BrowserContext
) -> None:
    trial.at(1).ready()
    trial.page.wait_for_timeout(300)  # the clips ahead are in the page by then
    context.set_offline(True)
    trial.answer(1)
    trial.answer(2)
    expect(trial.sync).to_contain_text("2 answers are kept here")
    assert stand_in.received == []
    context.set_offline(False)
    expect(trial.sync).to_have_text("All answers are saved")
    trial.answer(3)
    trial.done()
    assert set(stand_in.stored) == {1, 2, 3}
    assert all(len(keys) == 1 for keys in posts_by_position(stand_in).values())


def test_a_lost_reply_is_asked_for_again_under_the_same_key(trial: TrialPage, stand_in: StandIn) -> None:
    stand_in.faults.append("lose_reply")
    trial.answer(1)
    trial.at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    assert [post["position"] for post in stand_in.received] == [1, 1]
    assert len(posts_by_position(stand_in)[1]) == 1


def test_errors_of_the_server_are_waited_out(trial: TrialPage, stand_in: StandIn) -> None:
    stand_in.faults.extend(["drop", "500", "slow"])
    for position in (1, 2, 3):
        trial.answer(position)
    trial.done()
    assert set(stand_in.stored) == {1, 2, 3}
    tries = [post["listening"]["tries"] for post in stand_in.received if post["position"] == 1]
    assert tries[0] == 2 and tries[-1] >= 3  # the first did not arrive


def test_a_server_that_asks_to_wait_is_left_alone_for_so_long_and_gets_every_answer(
    trial: TrialPage, stand_in: StandIn
) -> None:
    stand_in.wait_s = 3
    stand_in.faults.append("429")
    trial.answer(1)
    trial.answer(2)
    trial.answer(3)
    trial.done()
    assert set(stand_in.stored) == {1, 2, 3}
    assert all(len(keys) == 1 for keys in posts_by_position(stand_in).values())
    # By itself the page would have tried again after 1.5 s at most, and with the next answer.
    assert stand_in.arrived_s[1] - stand_in.arrived_s[0] >= stand_in.wait_s - 0.1, "it was not left alone"


def test_a_closed_tab_loses_nothing(context: BrowserContext, stand_in: StandIn) -> None:
    page = context.new_page()
    page.goto(stand_in.page_url)
    stand_in.faults.extend(["drop"] * 20)
    TrialPage(page).answer(1)
    TrialPage(page).at(2)
    page.close()
    assert stand_in.stored == {}
    stand_in.faults.clear()
    page = context.new_page()
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(2)
    expect(trial.sync).to_have_text("All answers are saved")
    assert set(stand_in.stored) == {1}


def test_leaving_the_page_hands_over_what_is_unsent(trial: TrialPage, stand_in: StandIn) -> None:
    stand_in.faults.append("500")
    trial.answer(1)
    expect(trial.sync).to_contain_text("kept here")
    trial.page.goto("about:blank")
    for _ in range(20):
        if stand_in.stored:
            break
        trial.page.wait_for_timeout(50)
    assert set(stand_in.stored) == {1}


def test_the_last_page_waits_for_the_outbox_and_offers_a_file(trial: TrialPage, stand_in: StandIn, tmp_path: Path) -> None:
    trial.answer(1)
    trial.answer(2)
    trial.at(3).hear().rate()
    stand_in.faults.extend(["500"] * 100)
    trial.submit()
    expect(trial.page.get_by_role("heading", name="That was the last clip")).to_be_visible()
    with trial.page.expect_download() as download:
        trial.page.get_by_role("button", name="Download unsent answers").click()
    file = tmp_path / "answers.json"
    download.value.save_as(file)
    assert [row["position"] for row in json.loads(file.read_text())] == [3]
    stand_in.faults.clear()
    trial.page.get_by_role("button", name="Try again now").click()
    trial.done()


def test_a_refused_answer_is_kept_told_and_asked_for_again(trial: TrialPage, stand_in: StandIn) -> None:
    stand_in.faults.append("400")
    trial.answer(1)
    expect(trial.notices).to_contain_text("Your answer to clip 1 was not accepted: Fault 400.")
    trial.answer(2)
    trial.answer(1)
    trial.answer(3)
    trial.done()
    assert set(stand_in.stored) == {1, 2, 3}


def test_a_different_answer_held_by_the_server_stands(trial: TrialPage, stand_in: StandIn) -> None:
    trial.at(1).hear().rate()
    stand_in.stored[1] = {"answers": {"emotion": ["fear"], "ovrl": 1, "sig": 1}}
    trial.submit()
    trial.at(2)
    expect(trial.notices).to_contain_text("The first answer stands.")
    assert stand_in.stored[1]["answers"]["ovrl"] == 1


def test_a_page_that_is_not_ours_is_no_receipt(trial: TrialPage, stand_in: StandIn) -> None:
    """A café's log-in page answers every request with 200."""
    trial.page.route("**/ratings/", lambda route: route.fulfill(status=200, content_type="text/html", body="<h1>Log in</h1>"))
    trial.answer(1)
    expect(trial.sync).to_contain_text("1 answer is kept here")
    trial.page.unroute("**/ratings/")
    expect(trial.sync).to_have_text("All answers are saved")
    assert set(stand_in.stored) == {1}


def test_without_indexed_db_the_page_asks_to_be_left_open_and_works(new_context, stand_in: StandIn) -> None:
    context = new_context()
    context.add_init_script(NO_INDEXED_DB)
    page = context.new_page()
    page.goto(stand_in.page_url)
    trial = TrialPage(page)
    expect(trial.notices).to_contain_text("leave the page open")
    stand_in.faults.extend(["drop", "lose_reply"])
    for position in (1, 2, 3):
        trial.answer(position)
    trial.done()
    assert set(stand_in.stored) == {1, 2, 3}


@pytest.mark.parametrize("script", ["", NO_LOCKS], ids=["web locks", "broadcast channel"])
def test_a_second_tab_stands_back_and_can_take_over(new_context, stand_in: StandIn, script: str) -> None:
    context = new_context()
    context.add_init_script(script)
    first, second = context.new_page(), context.new_page()
    first.bring_to_front()
    first.goto(stand_in.page_url)
    TrialPage(first).answer(1)
    TrialPage(first).at(2)
    second.bring_to_front()
    second.goto(stand_in.page_url)
    elsewhere = "This test is open in another tab"
    expect(second.get_by_role("heading", name=elsewhere)).to_be_visible()
    second.get_by_role("button", name="Continue here").click()
    TrialPage(second).answer(2)
    TrialPage(second).at(3)
    first.bring_to_front()
    expect(first.get_by_role("heading", name=elsewhere)).to_be_visible()
    first.get_by_role("button", name="Continue here").click()
    TrialPage(first).answer(3)
    TrialPage(first).done()
    assert set(stand_in.stored) == {1, 2, 3}
