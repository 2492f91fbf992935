"""A rater's own browser before a real server, while server, network, tab and browser are taken away; the database tells what was kept.

Each journey ends with the same question: is every answer that was given stored, and stored once?
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, Route, expect

from tests.browser.conftest import CHROMIUM_ARGUMENTS
from tests.browser.trial_page import TrialPage
from tests.faults.installation import Installation, installation, until
from tests.integration.server import REPO, manage

CORPUS = str(REPO / "analysis/corpora/synthetic")
N_TRIALS = 5
SCALES = 3
CODE = "C0MPLETE"
CREATE = f"""
from listening.models import Corpus
from listening.services.studies import create_study, queue_stimuli, open_study
from listening.services.stimuli import work
study = create_study(corpus=Corpus.objects.get(), slug="voices", conditions=["original"], n_clips={N_TRIALS}, strata=["all"],
    votes_per_stratum=10, trials_per_session={N_TRIALS}, screening=[], minimum_heard_share=0.1, completion_code="{CODE}")
queue_stimuli(study)
work(); open_study(study)
"""
#: A test that holds one of these locks stops the server in the middle of an answer: before it is stored, or when it has been.
BEFORE_STORING, AFTER_STORING = 1, 2
STOPS = f"""
CREATE FUNCTION stop_at() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock_shared(TG_ARGV[0]::bigint); RETURN NEW; END $$;
CREATE TRIGGER before_storing BEFORE INSERT ON listening_rating
    FOR EACH ROW EXECUTE FUNCTION stop_at('{BEFORE_STORING}');
CREATE TRIGGER after_storing BEFORE UPDATE ON listening_session
    FOR EACH ROW WHEN (NEW.state = 'completed') EXECUTE FUNCTION stop_at('{AFTER_STORING}');
"""
#: What Chromium's tools call slow 3G: two seconds there and back, 400 kbit/s.
SLOW_3G = {"offline": False, "latency": 2000, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A study for Prolific on gunicorn and PostgreSQL, with ten places, without screening."""
    with installation(tmp_path_factory.mktemp("site"), web_workers=1) as site:
        site.manage(["migrate", "--verbosity=0"], ["import_corpus", "manifest", CORPUS, "--name=voices"])
        manage(site.environment, "shell", "-v0", "-c", CREATE)
        with closing(site.connect()) as connection:
            connection.execute(STOPS)
        site.start("web")
        yield site


class Rating:
    """One person's session on the site, and what the database holds of it."""

    def __init__(self, site: Installation, page: Page, person: str) -> None:
        self.site, self.page, self.trial = site, page, TrialPage(page)
        page.goto(f"{site.url}/s/voices/?PROLIFIC_PID={person * 24}&STUDY_ID={'b' * 24}&SESSION_ID={person * 24}")
        page.get_by_label("I have read").check()
        page.get_by_role("button", name="Agree and go on").click()
        page.wait_for_url("**/trial/")
        self.url = page.url
        self.public_id = urlsplit(page.url).path.split("/")[2].rpartition(":")[0]

    def at(self, page: Page) -> Rating:
        """Go on in another page."""
        self.page, self.trial = page, TrialPage(page)
        page.goto(self.url)
        return self

    def answer(self, *positions: int) -> None:
        for position in positions:
            self.trial.answer(position, N_TRIALS)

    def answer_and_wait(self, *positions: int) -> None:
        self.answer(*positions)
        until(lambda: positions[-1] in self.stored(), 10, "the answer did not come to the server")
        expect(self.trial.sync).to_have_text("All answers are saved")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(self.site.connect()) as connection:
            return connection.execute(sql, [self.public_id]).fetchall()

    def stored(self) -> dict[int, tuple[int, int]]:
        """Position -> how many ratings the database holds, and under how many idempotency keys."""
        rows = self.ask(
            "SELECT t.position, count(*), count(DISTINCT r.idempotency_key) FROM listening_rating r JOIN listening_trial t"
            " ON r.trial_id = t.id JOIN listening_session s ON t.session_id = s.id WHERE s.public_id = %s GROUP BY t.position"
        )
        return {position: (n, keys) for position, n, keys in rows}

    @property
    def state(self) -> str:
        return str(self.ask("SELECT state FROM listening_session WHERE public_id = %s")[0][0])

    def kept_in_browser(self) -> list[int]:
        """Positions of the answers in the outbox, as they lie on disk."""
        script = """() => new Promise((resolve) => {
            indexedDB.open("listening-answers").onsuccess = ({ target }) => {
                const asked = target.result.transaction("answers").objectStore("answers").getAll();
                asked.onsuccess = () => { target.result.close(); resolve(asked.result.map(({ position }) => position).sort()); };
            };
        })"""
        found: list[int] = self.page.evaluate(script)
        return found

    def ends_whole(self) -> None:
        """The code is shown, and the database holds each answer once."""
        self.trial.done()
        expect(self.page.locator("#completion-code")).to_have_text(CODE)
        assert self.stored() == dict.fromkeys(range(1, N_TRIALS + 1), (SCALES, 1))
        assert self.state == "completed"


class Stop:
    """Holds the server at one point until it is released."""

    def __init__(self, site: Installation, point: int) -> None:
        self.connection, self.point = site.connect(), point
        self.connection.execute("SELECT pg_advisory_lock(%s)", [point])

    def wait_until_reached(self) -> None:
        asked = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND NOT granted"
        until(lambda: self.connection.execute(asked, [self.point]).fetchall(), 10, "no answer came to the server")

    def release(self) -> None:
        self.connection.close()


def test_a_server_killed_before_it_stores_an_answer_gets_it_when_it_is_back(page: Page, site: Installation) -> None:
    rating = Rating(site, page, "1")
    rating.answer_and_wait(1)
    stop = Stop(site, BEFORE_STORING)
    rating.answer(2)
    stop.wait_until_reached()
    site.kill("web")
    stop.release()
    rating.answer(3)
    expect(rating.trial.sync).to_contain_text("kept here")
    assert set(rating.stored()) == {1}
    assert rating.kept_in_browser() == [2, 3]
    site.start("web")
    expect(rating.trial.sync).to_have_text("All answers are saved", timeout=30_000)
    assert rating.kept_in_browser() == []
    rating.answer(4, 5)
    rating.ends_whole()


def test_a_server_killed_when_it_has_stored_the_last_answer_gives_the_code_when_it_is_back(
    page: Page, site: Installation
) -> None:
    rating = Rating(site, page, "2")
    rating.answer(1, 2, 3)
    rating.answer_and_wait(4)
    stop = Stop(site, AFTER_STORING)
    rating.answer(5)
    stop.wait_until_reached()
    assert set(rating.stored()) == {1, 2, 3, 4, 5}
    site.kill("web")
    stop.release()
    expect(page.get_by_role("heading", name="That was the last clip")).to_be_visible()
    assert rating.kept_in_browser() == [5]
    assert rating.state == "rating"
    site.start("web")
    page.wait_for_url("**/done/", timeout=30_000)
    rating.ends_whole()


def test_a_network_that_goes_before_the_receipt_comes_costs_no_second_answer(page: Page, site: Installation) -> None:
    rating = Rating(site, page, "3")
    lost: list[int] = []

    def lose_receipt(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort("connectionreset")
        page.context.set_offline(True)

    page.route("**/ratings/", lose_receipt, times=1)
    rating.answer(1)
    expect(rating.trial.sync).to_contain_text("1 answer is kept here")
    assert lost == [201] and set(rating.stored()) == {1}
    assert rating.kept_in_browser() == [1]
    page.context.set_offline(False)
    expect(rating.trial.sync).to_have_text("All answers are saved")
    assert rating.kept_in_browser() == []
    rating.answer(2, 3, 4, 5)
    rating.ends_whole()


def test_ten_minutes_offline_stop_nobody_before_the_clips_are_used_up_and_lose_nothing(page: Page, site: Installation) -> None:
    page.clock.install()
    rating = Rating(site, page, "4")
    rating.trial.ready()
    page.wait_for_load_state("networkidle")
    page.context.set_offline(True)
    rating.answer(1, 2, 3)
    rating.trial.at(4, N_TRIALS)
    page.clock.fast_forward("10:00")
    expect(rating.trial.sync).to_contain_text("3 answers are kept here")
    expect(rating.trial.dial).to_have_attribute("data-state", "failed")
    expect(rating.trial.dial_status).to_contain_text("Check your connection")
    assert rating.kept_in_browser() == [1, 2, 3] and rating.stored() == {}
    page.context.set_offline(False)
    expect(rating.trial.sync).to_have_text("All answers are saved")
    rating.answer_and_wait(4)
    rating.trial.at(5, N_TRIALS).ready()
    page.context.set_offline(True)
    rating.answer(5)
    expect(page.get_by_role("heading", name="That was the last clip")).to_be_visible()
    page.clock.fast_forward("10:00")
    expect(page.locator("#sending-status")).to_contain_text("Some answers have not reached us yet")
    assert rating.kept_in_browser() == [5] and rating.state == "rating"
    page.context.set_offline(False)
    rating.ends_whole()


@pytest.fixture
def own_browser(playwright: Playwright, chromium_path: str, tmp_path: Path) -> Iterator[Any]:
    """Starts Chromium on one profile, again and again; ``kill`` ends it as a crash does."""

    class OwnBrowser:
        profile = tmp_path / "profile"

        def start(self) -> BrowserContext:
            return playwright.chromium.launch_persistent_context(
                self.profile, executable_path=chromium_path, args=CHROMIUM_ARGUMENTS, viewport={"width": 1280, "height": 800}
            )

        def kill(self) -> None:
            for folder in Path("/proc").glob("[0-9]*"):
                try:
                    command = (folder / "cmdline").read_bytes()
                except OSError:
                    continue
                if f"--user-data-dir={self.profile}".encode() in command and b"--type=" not in command:
                    os.kill(int(folder.name), signal.SIGKILL)

    browser = OwnBrowser()
    yield browser
    browser.kill()


def test_a_killed_tab_and_a_killed_browser_go_on_where_they_were(own_browser, site: Installation) -> None:
    context = own_browser.start()
    rating = Rating(site, context.new_page(), "5")
    rating.trial.at(1, N_TRIALS).ready()
    context.set_offline(True)
    rating.answer(1)
    rating.trial.at(2, N_TRIALS)
    with pytest.raises(Error, match="crash"):
        rating.page.goto("chrome://crash")
    assert rating.stored() == {}
    rating.page.close()
    context.set_offline(False)
    rating.at(context.new_page())
    rating.answer_and_wait(2)
    assert set(rating.stored()) == {1, 2}

    rating.trial.at(3, N_TRIALS).ready()
    context.set_offline(True)
    rating.answer(3)
    rating.trial.at(4, N_TRIALS).hear().choose("ovrl", "Poor")
    own_browser.kill()
    assert set(rating.stored()) == {1, 2}
    (own_browser.profile / "SingletonLock").unlink(missing_ok=True)
    context = own_browser.start()
    rating.at(context.pages[0])
    rating.answer(4, 5)
    rating.ends_whole()
    context.close()


@pytest.mark.slow
def test_slow_3g_takes_its_time_and_loses_nothing(page: Page, site: Installation) -> None:
    page.set_default_timeout(60_000)
    rating = Rating(site, page, "6")
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    tools.send("Network.emulateNetworkConditions", SLOW_3G)
    page.reload()
    expect(rating.trial.dial).to_have_attribute("data-state", "ready", timeout=60_000)
    for position in range(1, N_TRIALS + 1):
        expect(rating.trial.title).to_have_text(f"Clip {position} of {N_TRIALS}")
        expect(rating.trial.dial).to_have_attribute("data-state", "ready", timeout=60_000)
        rating.trial.hear().rate().submit()
    page.wait_for_url("**/done/")
    rating.ends_whole()
