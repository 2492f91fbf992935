"""The trial page as a rater handles it."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect


class TrialPage:
    """What a rater sees and does on the trial page; every method waits for what it needs."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.title = page.locator("#trial-title")
        self.form = page.locator("#rating-form")
        self.dial = page.locator("[data-view=trial] [data-dial]")
        self.dial_status = page.locator("[data-view=trial] [data-dial-status]")
        self.sync = page.locator("#sync")
        self.notices = page.locator("#notices")

    def at(self, position: int, total: int = 3) -> TrialPage:
        expect(self.title).to_have_text(f"Clip {position} of {total}")
        return self

    def hear(self) -> TrialPage:
        """Play the clip by mouse and wait until the questions open."""
        self.ready()
        self.dial.locator("button").click()
        self.open()
        return self

    def open(self) -> None:
        expect(self.form).to_have_attribute("data-state", re.compile("open|complete"))

    def locked(self) -> None:
        expect(self.form).to_have_attribute("data-state", "locked")

    def ready(self) -> TrialPage:
        expect(self.dial).to_have_attribute("data-state", "ready")
        return self

    def choose(self, scale: str, label: str) -> TrialPage:
        self.page.locator(f"[data-scale={scale}] label").filter(has=self.page.get_by_text(label, exact=True)).click()
        return self

    def rate(self, emotion: str = "Neutral", ovrl: str = "Good", sig: str = "Slightly distorted") -> TrialPage:
        return self.choose("emotion", emotion).choose("ovrl", ovrl).choose("sig", sig)

    def submit(self) -> None:
        self.page.locator("#submit-trial").click()

    def answer(self, position: int, total: int = 3) -> None:
        """One whole trial by mouse."""
        self.at(position, total).hear().rate().submit()

    def answer_by_keyboard(self, position: int, keys: str = "n43") -> None:
        """One whole trial without a pointer: space, a letter for the emotion, digits for the ratings, Enter."""
        self.at(position).ready()
        self.page.keyboard.press("Space")
        self.open()
        for key in keys:
            self.page.keyboard.press(key)
        self.page.keyboard.press("Enter")

    def done(self) -> None:
        self.page.wait_for_url("**/done/")
        expect(self.page.locator("h1")).to_have_text("Thank you")
