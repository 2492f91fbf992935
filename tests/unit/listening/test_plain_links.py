"""The same study without Prolific: one link for all, or a personal one."""

import pytest
from django.test import Client

from listening.models import Session, Study
from listening.services.simulation import simulate_raters


@pytest.fixture
def open_to_all(study):
    study.recruiter = Study.Recruiter.LINK
    study.save()
    return study


def test_a_visitor_of_the_common_link_is_known_again_by_a_cookie(open_to_all):
    browser = Client()
    first = browser.get(f"/s/{open_to_all.slug}/", follow=True)
    again = browser.get(f"/s/{open_to_all.slug}/", follow=True)
    assert first.redirect_chain[-1] == again.redirect_chain[-1]
    assert Session.objects.count() == 1
    Client().get(f"/s/{open_to_all.slug}/")
    assert Session.objects.count() == 2
    cookie = browser.cookies[f"visitor_{open_to_all.slug}"]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"


def test_over_tls_the_cookie_stays_with_this_host_and_one_of_before_is_still_known(open_to_all, settings):
    url, old = f"/s/{open_to_all.slug}/", f"visitor_{open_to_all.slug}"
    browser, stranger = Client(), Client()
    browser.get(url)
    settings.COOKIE_PREFIX, settings.SESSION_COOKIE_SECURE = "__Host-", True
    browser.get(url, secure=True)
    stranger.get(url, secure=True)
    assert Session.objects.count() == 2
    for cookies in (browser.cookies, stranger.cookies):
        cookie = cookies[f"__Host-{old}"]
        assert cookie["secure"] and cookie["path"] == "/" and not cookie["domain"] and cookie["httponly"]
    assert old not in stranger.cookies
    del browser.cookies[old]
    browser.get(url, secure=True)
    assert Session.objects.count() == 2
    # Signed by name: what is good for one is good for no other.
    stranger.cookies[old] = stranger.cookies.pop(f"__Host-{old}").value
    stranger.get(url, secure=True)
    assert Session.objects.count() == 3


def test_a_personal_link_is_one_person_in_every_browser(open_to_all):
    for _ in range(2):
        Client().get(f"/s/{open_to_all.slug}/?id=lab-07", follow=True)
    assert Session.objects.count() == 1


@pytest.mark.parametrize("given", ["a", "x" * 65, "<b>", "a b c"])
def test_a_personal_id_that_is_none_is_refused_in_a_sentence(open_to_all, given):
    response = Client().get(f"/s/{open_to_all.slug}/", {"id": given})
    assert response.status_code == 400
    assert "3 to 64 letters" in response.content.decode()
    assert not Session.objects.exists()


def test_raters_without_prolific_see_nothing_of_it(open_to_all):
    browser = Client()
    browser.get(f"/s/{open_to_all.slug}/?id=lab-07", follow=True)
    session = Session.objects.get()
    pages = [
        browser.post(f"/session/{session.token}/consent/", {"decline": 1}, follow=True),
        browser.get(f"/session/{session.token}/done/"),
    ]
    Session.objects.update(state=Session.State.COMPLETED)
    pages.append(browser.get(f"/session/{session.token}/done/"))
    Session.objects.update(state=Session.State.CONSENT)
    pages.append(browser.get(f"/session/{session.token}/consent/"))
    for page in pages:
        assert "prolific" not in page.content.decode().lower()


def test_simulated_raters_come_by_plain_links_too(open_to_all, live_server):
    assert simulate_raters(open_to_all, live_server.url) == 8
    assert Session.objects.filter(state=Session.State.COMPLETED, participant__simulated=True).count() == 8
