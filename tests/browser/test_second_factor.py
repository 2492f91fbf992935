"""Setting up a second factor as a person does, in a real browser that holds to the pages' policy, at a desk and on a phone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django_otp.oath import TOTP
from playwright.sync_api import BrowserContext, Page, expect


def log_in(page: Page, url: str, code: str = "") -> None:
    page.goto(f"{url}/admin/login/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", "password")
    page.fill("input[name=code]", code)
    page.click("#login-form button[type=submit]")


def code_of(secret: str, steps: int = 0) -> str:
    from base64 import b32decode

    totp = TOTP(b32decode(secret.replace(" ", "")))
    totp.time = totp.time + 30 * steps
    return f"{totp.token():06d}"


def is_sound(page: Page) -> None:
    """Nothing wider than the window, and nothing that axe complains of in what is ours."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = Axe().run(
        page, context=".r-board, .r-recruit, #login-form" if page.query_selector(".r-recruit, #login-form") else None
    )
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("window", [{"width": 1280, "height": 900}, {"width": 390, "height": 844}], ids=["desk", "phone"])
def test_a_second_factor_is_set_up_used_and_shown(
    live_server, admin_user, new_context, settings, window: dict[str, int]
) -> None:
    settings.REQUIRE_TOTP = True
    context: BrowserContext = new_context(viewport=window)
    page = context.new_page()
    page.goto(f"{live_server.url}/admin/login/")
    is_sound(page)
    log_in(page, live_server.url)
    expect(page.locator(".r-recruit h1")).to_have_text("Set up a second factor")
    assert page.evaluate("document.querySelector('.r-qr').naturalWidth") > 100, "the picture was refused"
    is_sound(page)
    secret = page.locator(".r-secret code").inner_text()
    page.fill("input[name=code]", code_of(secret, -1))
    page.fill("input[name=password]", "password")
    page.get_by_role("button", name="Set up").click()
    codes = page.locator(".r-backup-codes code").all_inner_texts()
    assert len(codes) == 10 and all(re.fullmatch("[a-z2-7-]{29}", code) for code in codes)
    is_sound(page)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("#studies")).to_be_visible()
    page.goto(f"{live_server.url}/admin/account/")
    is_sound(page)
    elsewhere = new_context(viewport=window).new_page()
    log_in(elsewhere, live_server.url, "000000")
    expect(elsewhere.get_by_text("Please enter the right")).to_be_visible()
    is_sound(elsewhere)
    log_in(elsewhere, live_server.url, code_of(secret))
    expect(elsewhere.locator("#studies")).to_be_visible()
    page.reload()
    page.fill("#password-end", "password")
    page.get_by_role("button", name="End all but this one").click()
    expect(page.get_by_text("1 of your log-ins was ended.")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.locator("#login-form")).to_be_visible()
