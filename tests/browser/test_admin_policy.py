"""The admin in a real browser, whose fixture fails on anything that the page's policy refuses."""

from playwright.sync_api import BrowserContext


def test_the_admin_works_within_its_policy(live_server, study, admin_user, context: BrowserContext):
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "password")
    page.click("#login-form button[type=submit]")
    page.wait_for_selector("#studies")
    for path in (
        "listening/study/",
        f"listening/study/{study.pk}/change/",
        "listening/rating/",
        "listening/study/add/?preset=",
    ):
        page.goto(f"{live_server.url}/admin/{path}")
        page.wait_for_load_state("networkidle")
    colour = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--color-primary-600')")
    assert "45%" in colour, "the admin's own colours were refused"
    assert page.evaluate("typeof Alpine") == "object"
