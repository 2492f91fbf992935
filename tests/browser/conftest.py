"""One Chromium for the whole run, a fresh profile for every test, and pages that may not complain."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.browser.stand_in import StandIn

# Playwright keeps an event loop in the test's thread, which is no reason for Django to refuse the database there.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


# The sandbox needs rights that containers seldom have; --no-sandbox is for our own pages only.
CHROMIUM_ARGUMENTS = ["--no-sandbox"]


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes a profile of its own. No page in it may throw, or complain of one of our policies (content, permissions)."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)

    def make(**options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(10_000)
        context.on("page", watch)
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.close()


@pytest.fixture
def announced(page: Page) -> list[str]:
    """Everything that is told to a screen reader without moving its focus, in its order."""
    heard: list[str] = []
    page.expose_function("announced", lambda text: heard.append(text))
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {
        const live = document.getElementById("live");
        if (live) new MutationObserver(() => announced(live.textContent)).observe(live, { childList: true });
    });""")
    return heard
