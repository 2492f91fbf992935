"""What a screen reader says of a trial, and where its focus is: names, roles and announcements."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.stand_in import StandIn
from tests.browser.trial_page import TrialPage

SAID = [
    "Listen to the whole clip first. The questions open when it ends.",
    "The clip has ended. The questions are open.",
    "Neutral chosen.",
    "Please answer first: Overall quality and Distortion.",
    "Overall quality: 4 Good.",
    "Press Enter to save and go on.",
    "Not sent yet. 1 answer is kept here until the server has received it",
    "All answers are saved",
]


def test_a_trial_is_told_in_names_roles_and_announcements(page: Page, announced: list[str], stand_in: StandIn) -> None:
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1).ready()
    expect(trial.title).to_be_focused()
    expect(page.locator("body")).to_match_aria_snapshot("""
        - link "Skip to the content"
        - banner:
          - paragraph: Voices
          - list "Your progress":
            - listitem: Consent (finished)
            - listitem: Sound (finished)
            - listitem: Listen
            - listitem: Done
        - main:
          - heading "Clip 1 of 3" [level=1]
          - progressbar "Clips rated"
          - button "Play the clip"
          - paragraph: Press play, or the space bar.
          - paragraph: Listen to the whole clip first. The questions open when it ends.
          - group "Your ratings of this clip"
          - button "Save and go on"
          - paragraph: Every answer is saved at once
          - group: Keyboard
          - status
    """)
    expect(page.get_by_role("listitem").filter(has_text="Listen")).to_have_attribute("aria-current", "step")
    expect(page.get_by_role("radio", name="4 Good")).to_be_disabled()
    page.keyboard.press("4")
    page.keyboard.press("Space")
    trial.open()
    page.keyboard.press("n")
    page.keyboard.press("Enter")
    page.keyboard.press("4")
    page.keyboard.press("3")
    expect(page.get_by_role("group", name="Overall quality")).to_contain_text("Good")
    expect(page.get_by_role("radio", name="4 Good")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Neutral")).to_be_checked()
    stand_in.faults.extend(["500"])
    page.keyboard.press("Enter")
    trial.at(2)
    expect(trial.title).to_be_focused()
    expect(trial.sync).to_have_text("All answers are saved")
    assert [text for text in SAID if not any(text in sentence for sentence in announced)] == [], announced


def test_nothing_is_said_while_a_clip_plays_and_nothing_of_an_earlier_clip(page: Page, announced: list[str]) -> None:
    stand_in = StandIn(n_trials=2, clip_s=2.0, minimum_heard_share=0.1)
    page.goto(stand_in.page_url)
    trial = TrialPage(page).at(1, 2).hear()
    expect(trial.dial).to_have_attribute("data-state", "playing")
    assert announced == []
    trial.rate().submit()
    trial.at(2, 2).hear()
    assert announced == []
    expect(page.locator("#live")).to_have_text("The clip has ended. The questions are open.")
    trial.dial.locator("button").click()
    expect(trial.dial).to_have_attribute("data-state", "playing")
    trial.dial.locator("button").click()
    expect(page.locator("#live")).to_have_text("Stopped. It plays from the start again.")
    stand_in.close()
