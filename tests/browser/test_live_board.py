"""The live board in a real browser: it fills by itself while simulated raters come, and a sandbox goes by two presses."""

from playwright.sync_api import BrowserContext, expect

from listening.models import Sandbox, Study
from listening.services.sandboxes import run_sandbox, work_sandboxes


def test_a_sandbox_is_made_watched_and_deleted(live_server, study, admin_user, settings, context: BrowserContext):
    settings.PUBLIC_URL = live_server.url
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/login/?next=/admin/listening/study/{study.pk}/change/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "password")
    page.click("#login-form button[type=submit]")

    page.get_by_label("raters", exact=True).fill("4")
    page.get_by_role("button", name="Simulate in a sandbox").click()
    page.wait_for_selector("text=This is a sandbox.")
    expect(page.locator("#fieldwork")).to_contain_text("0 of at most 4 have come")
    votes = page.get_by_role("group", name="Votes by stimulus, the least filled first")
    expect(votes.locator("tbody tr")).to_have_count(12)
    expect(votes.locator("td.r-short")).to_have_count(24)

    # A worker sends one rater; nobody touches the page.
    page.evaluate("window.untouched = true")
    copy = Study.objects.get(sandbox__original=study)
    assert work_sandboxes(budget_s=0.01) == 1
    expect(page.locator("#fieldwork")).to_contain_text("1 of at most 4 have come")
    assert not votes.locator("tbody tr").first.inner_text().count("1/1"), "the least filled come first"

    run_sandbox(copy)
    # Somebody looks while the report is being written: the study is closed, the sandbox is not done.
    Sandbox.objects.filter(study=copy).update(state=Sandbox.State.RUNNING)
    page.reload()
    Sandbox.objects.filter(study=copy).update(state=Sandbox.State.DONE)
    expect(page.get_by_role("group", name="Expected interval widths")).to_be_visible(timeout=30_000)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the sandbox").click()
    page.wait_for_selector("text=is deleted")
    assert list(Study.objects.all()) == [study]
