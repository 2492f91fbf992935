"""The first trial on a line of 10 Mbit/s, nothing cached: seconds until its clip can be played. Aim: 1.5 s at 40 ms there and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.faults.installation import Installation, installation, open_a_study
from tests.integration.server import REPO

CORPUS = str(REPO / "analysis/corpora/synthetic")
VISITS = 7
RATE = 10e6 / 8  # bytes per second, as the protocol of Chromium's tools counts
#: Milliseconds there and back: to a neighbouring country, and to another continent.
LATENCIES = (40, 200)
NOTE_READY = """
new MutationObserver(() => {
  if (document.querySelector("[data-view=trial] [data-state=ready]")) window.readyAt ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, postgres=False) as site:
        site.manage(["migrate", "--verbosity=0"], ["import_corpus", "manifest", CORPUS, "--name=synthetic"])
        open_a_study(site, raters=4, trials=10)
        site.start("web")
        yield site


def visit(browser: Browser, url: str, latency: int) -> tuple[float, int, int]:
    """Seconds from the address to the clip, and how many answers of how many bytes came for it."""
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script(NOTE_READY)
        tools = context.new_cdp_session(page)
        tools.send("Network.enable")
        line = {"offline": False, "latency": latency, "downloadThroughput": RATE, "uploadThroughput": RATE}
        tools.send("Network.emulateNetworkConditions", line)
        sizes: list[float] = []
        tools.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(url)
        page.wait_for_selector("[data-view=trial] [data-dial][data-state=ready]")
        return page.evaluate("window.readyAt") / 1000, len(sizes), int(sum(sizes))


def test_seconds_until_the_first_clip_can_be_played(site: Installation, chromium_path: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(f"{site.url}/s/s/?id=first")
            page.get_by_label("I have read").check()
            page.get_by_role("button", name="Agree and go on").click()
            page.wait_for_url("**/trial/")
            url = page.url
        visits = {latency: [visit(browser, url, latency) for _ in range(VISITS)] for latency in LATENCIES}
        browser.close()
    for latency, found in visits.items():
        seconds, requests, sizes = zip(*found, strict=True)
        print(
            f"\nfirst trial at 10 Mbit/s, {latency} ms, nothing cached, {VISITS} visits: median {median(seconds):.2f} s, "
            f"{min(seconds):.2f} to {max(seconds):.2f} s; {max(requests)} requests, {max(sizes) / 1000:.0f} kB when it was ready"
        )
