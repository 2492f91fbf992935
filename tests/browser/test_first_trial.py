"""What stands between a rater's click and the first clip: few requests, small ones, all asked for at once."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page, Request

from tests.browser.stand_in import StandIn
from tests.browser.trial_page import TrialPage

MOST_REQUESTS = 40
MOST_BYTES = 160_000  # of scripts, styles and pages, as they lie on disk; clips come on top


def test_the_first_trial_needs_few_and_small_requests_in_one_wave(page: Page, stand_in: StandIn) -> None:
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    page.goto(stand_in.page_url)
    TrialPage(page).at(1).ready()
    page.wait_for_load_state("networkidle")
    paths = [urlsplit(request.url).path for request in requests]
    assert len(paths) == len(set(paths)) <= MOST_REQUESTS, "something is fetched twice, or very much is"
    own = [request for request in requests if not request.url.endswith(".flac")]
    assert sum(len(response.body()) for request in own if (response := request.response())) <= MOST_BYTES
    # Every script that ran was named by the page itself: none had to wait for another to be read.
    named = page.locator("link[rel=modulepreload], script[src]").evaluate_all(
        "links => links.map(link => new URL(link.href || link.src).pathname)"
    )
    assert sorted(path for path in paths if path.endswith(".js")) == sorted(named)
    assert page.locator("link[rel=preload][as=fetch]").get_attribute("href") == "/audio/1.flac"


def test_a_session_that_goes_on_asks_first_for_the_clip_it_has_come_to(page: Page, stand_in: StandIn) -> None:
    stand_in.stored[1] = {"answers": {}}
    page.goto(stand_in.page_url)
    TrialPage(page).at(2).ready()
    assert page.locator("link[rel=preload][as=fetch]").get_attribute("href") == "/audio/2.flac"
