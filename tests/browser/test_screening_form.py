"""The screening of a study in the admin's form, in a real browser."""

from playwright.sync_api import BrowserContext, expect

from listening.models import Study


def test_steps_are_chosen_set_ordered_and_saved(live_server, draft, admin_user, context: BrowserContext):
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/login/?next=/admin/listening/study/{draft.pk}/change/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "password")
    page.click("#login-form button[type=submit]")

    volume = page.locator(".r-screening", has=page.locator("input[value=volume]"))
    # What is not chosen shows no numbers, and its numbers are not sent.
    expect(volume.locator("summary")).to_be_hidden()
    volume.get_by_role("checkbox").check()
    expect(volume.locator("summary")).to_contain_text("6 tries")
    volume.locator("summary").click()
    tries = volume.locator("input[name=screening-volume-tries]")
    tries.fill("50")
    volume.locator("summary").click()
    expect(tries).to_be_hidden()
    page.get_by_role("button", name="Save").click()
    # The browser refuses, and what is wrong is unfolded.
    expect(tries).to_be_visible()
    tries.fill("3")
    while volume.locator("xpath=preceding-sibling::li").count():
        volume.get_by_role("button", name="earlier").click()
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("text=is saved")
    screening = Study.objects.get(pk=draft.pk).screening
    assert [entry["step"] for entry in screening] == ["volume", "tones"]
    assert screening[0]["tries"] == 3
