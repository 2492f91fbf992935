"""Logging in with a code: wrong ones count, none works twice, and where it is asked of everybody nothing opens without."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
from axes.models import AccessAttempt
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from rest_framework.authtoken.models import Token

from listening.models import LoginSession

PASSWORD = "right-and-long"
LIMIT = 3
ENROL, ACCOUNT = "/admin/account/second-factor/", "/admin/account/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create_superuser("ada", password=PASSWORD)


def log_in(client: Client, code: str = "", password: str = PASSWORD, name: str = "ada"):
    return client.post(reverse("admin:login"), {"username": name, "password": password, "code": code})


def code_of(device: TOTPDevice, steps_ahead: int = 0) -> str:
    """What an app shows, computed from the secret alone; ``steps_ahead`` counts 30 s."""
    totp = TOTP(bytes.fromhex(device.key))
    totp.time = totp.time + 30 * steps_ahead
    return f"{totp.token():06d}"


def enrol(client: Client, account) -> list[str]:
    """Set up an app as its owner does, and give the backup codes."""
    client.get(ENROL)
    # The code of a step ago, so that the present one is still good for logging in.
    code = code_of(TOTPDevice.objects.get(user=account, confirmed=False), -1)
    page = client.post(ENROL, {"password": PASSWORD, "code": code})
    return re.findall(r"<code>([a-z2-7-]{29})</code>", page.text)


@pytest.fixture
def enrolled(ada):
    """The account with an app, its device and its backup codes; the browser that set it up is gone."""
    client = Client()
    log_in(client)
    codes = enrol(client, ada)
    assert len(codes) == 10
    client.post("/admin/logout/")
    return TOTPDevice.objects.get(user=ada, confirmed=True), codes


def test_a_password_and_the_code_of_now_open_the_admin_and_the_same_code_does_not_again(client, enrolled):
    device, _ = enrolled
    code = code_of(device)
    assert log_in(client, code).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert log_in(Client(), code).status_code == 200, "a code was taken twice"
    assert log_in(Client(), code_of(device, 1)).status_code == 302


@pytest.mark.parametrize("code", ["", "000000", "-1", "９" * 6, "1" * 40, "'; --"])
def test_without_the_right_code_the_right_password_is_as_good_as_a_wrong_one(client, enrolled, code):
    refused = log_in(client, code)
    wrong = log_in(client, "123456", "a wrong password")
    assert refused.status_code == wrong.status_code == 200
    sentence = "Please enter the right username, password"
    assert sentence in refused.text and sentence in wrong.text
    assert client.get("/admin/").status_code == 302


def test_wrong_codes_count_as_wrong_passwords(client, enrolled, settings):
    settings.AXES_FAILURE_LIMIT = LIMIT
    for _ in range(LIMIT - 1):
        assert log_in(client, "000000").status_code == 200
    assert log_in(client, "000000").status_code == 429
    assert log_in(client, code_of(enrolled[0])).status_code == 429


def test_a_code_is_kept_in_no_record_of_a_refused_log_in(client, enrolled):
    _, codes = enrolled
    log_in(client, codes[0], "a wrong password")
    kept = AccessAttempt.objects.get()
    assert codes[0] not in " ".join(str(value) for value in vars(kept).values())


def test_a_backup_code_works_once_and_the_database_holds_none(client, enrolled):
    _, codes = enrolled
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == 10 and not stored & {code.replace("-", "") for code in codes}
    assert not any(log_in(Client(), token).status_code == 302 for token in sorted(stored)[:3])
    assert log_in(client, codes[3].upper()).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert log_in(Client(), codes[3]).status_code == 200, "a backup code was taken twice"
    assert log_in(Client(), codes[4].replace("-", " ")).status_code == 302


def test_setting_up_takes_the_password_and_a_fitting_code_and_ends_other_log_ins(client, ada):
    elsewhere = Client()
    for browser in (client, elsewhere):
        log_in(browser)
    page = client.get(ENROL)
    assert 'src="data:image/svg+xml' in page.text and "no-store" in page["Cache-Control"]
    device = TOTPDevice.objects.get(confirmed=False)
    for wrong in ({"password": PASSWORD, "code": "000000"}, {"password": "a guess", "code": code_of(device)}):
        assert client.post(ENROL, wrong).status_code == 200
        assert not TOTPDevice.objects.filter(confirmed=True).exists()
    key = client.session.session_key
    shown = client.post(ENROL, {"password": PASSWORD, "code": code_of(device)})
    assert len(re.findall(r"<code>[a-z2-7-]{29}</code>", shown.text)) == 10
    assert client.get("/admin/").status_code == 200 and client.session.session_key != key
    assert elsewhere.get("/admin/").status_code == 302
    assert "unknown browser" not in client.get(ACCOUNT).text
    assert "Set up a second factor." in LogEntry.objects.get(user=ada).change_message


def test_the_address_in_the_picture_is_that_of_the_offered_device(client, ada, monkeypatch):
    import base64

    from listening.views import account

    drawn: list[str] = []
    make = account.segno.make

    def note(content: str, **options):
        drawn.append(content)
        return make(content, **options)

    monkeypatch.setattr(account.segno, "make", note)
    log_in(client)
    client.get(ENROL)
    address = urlparse(drawn[0])
    device = TOTPDevice.objects.get(confirmed=False)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert base64.b32decode(parse_qs(address.query)["secret"][0]).hex() == device.key


def test_a_new_app_takes_the_place_of_the_old_one(client, enrolled, ada):
    old, codes = enrolled
    log_in(client, codes[0])
    enrol(client, ada)
    assert log_in(Client(), code_of(old)).status_code == 200
    assert log_in(Client(), code_of(TOTPDevice.objects.get())).status_code == 302


def test_guesses_at_the_password_within_a_log_in_are_counted_too(client, ada, settings):
    settings.AXES_FAILURE_LIMIT = LIMIT
    log_in(client)
    answers = [client.post(ACCOUNT, {"password": "a guess", "do": "end-others"}).status_code for _ in range(LIMIT)]
    assert answers == [200, 200, 429]


def test_where_it_is_asked_of_everybody_a_log_in_leads_to_setting_it_up_and_nowhere_else(client, ada, settings, study):
    settings.REQUIRE_TOTP = True
    answer = client.post(reverse("admin:login"), {"username": "ada", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0] == ENROL and "asks everybody" in answer.text
    api = f"/api/v1/studies/{study.slug}/progress/"
    for url in (
        "/admin/",
        f"/admin/listening/study/{study.pk}/change/",
        ACCOUNT,
        "/admin/operations/",
        "/admin/password_change/",
    ):
        assert client.get(url).headers["Location"] == ENROL, url
        assert client.post(url, {"do": "close"}).headers["Location"] == ENROL, url
    for url in (api, f"/preview/{study.slug}/", f"/studies/{study.slug}/report/"):
        assert client.get(url).status_code in (302, 401, 403), url
    assert client.get("/s/small/").status_code == 400, "a rater's link is nobody's matter"
    enrol(client, ada)
    assert client.get("/admin/").status_code == 200 and client.get(api).status_code == 200
    key = Token.objects.create(user=ada).key
    assert Client().get(api, headers={"Authorization": f"Token {key}"}).status_code == 200


def test_a_session_that_began_without_the_code_is_nobodys_once_there_is_one(client, enrolled, ada, settings):
    client.force_login(ada)
    assert client.get(ENROL).headers["Location"] == "/admin/login/"
    client.force_login(ada)
    settings.REQUIRE_TOTP = True
    assert client.get("/admin/", follow=True).redirect_chain[-1][0] == "/admin/login/"


def test_it_is_given_up_with_the_password_unless_it_is_asked_of_everybody(client, enrolled, settings):
    log_in(client, enrolled[1][0])
    client.post(ACCOUNT, {"password": "a guess", "do": "remove"})
    settings.REQUIRE_TOTP = True
    client.post(ACCOUNT, {"password": PASSWORD, "do": "remove"})
    assert TOTPDevice.objects.exists()
    settings.REQUIRE_TOTP = False
    client.post(ACCOUNT, {"password": PASSWORD, "do": "remove"})
    assert not TOTPDevice.objects.exists() and log_in(Client()).status_code == 302


def test_new_backup_codes_end_the_old_ones(client, enrolled):
    _, old = enrolled
    log_in(client, old[0])
    page = client.post(ACCOUNT, {"password": PASSWORD, "do": "codes"})
    new = re.findall(r"<code>([a-z2-7-]{29})</code>", page.text)
    assert len(set(new) - set(old)) == 10
    assert log_in(Client(), old[1]).status_code == 200 and log_in(Client(), new[0]).status_code == 302


def test_a_superuser_resets_anothers_and_nobody_else_does(client, enrolled, ada, django_user_model):
    root = django_user_model.objects.create_superuser("root", password=PASSWORD)
    django_user_model.objects.create_user("eve", password=PASSWORD, is_staff=True)
    eve = Client()
    log_in(eve, name="eve")
    reset = {"action": "reset_second_factor", "_selected_action": [ada.pk]}
    assert eve.post("/admin/auth/user/", reset).status_code == 403 and TOTPDevice.objects.exists()
    log_in(client, code_of(enrolled[0]))
    other = Client()
    log_in(other, name="root")
    other.post("/admin/auth/user/", reset)
    assert not TOTPDevice.objects.exists() and not StaticToken.objects.exists()
    assert client.get("/admin/").status_code == 302, "the log-in outlived the reset"
    assert LogEntry.objects.filter(user=root, object_id=str(ada.pk), change_message="Removed the second factor.").exists()


def test_a_command_lets_the_only_superuser_in_again(enrolled, capsys):
    call_command("reset_second_factor", "ada")
    assert log_in(Client()).status_code == 302
    with pytest.raises(CommandError, match="no account 'gone'"):
        call_command("reset_second_factor", "gone")


def test_people_see_their_own_log_ins_and_end_them_with_their_password(client, ada, django_user_model):
    django_user_model.objects.create_user("eve", password=PASSWORD, is_staff=True)
    eve, phone, office = Client(), Client(), Client(headers={"User-Agent": "Office browser"})
    log_in(eve, name="eve")
    for browser in (client, phone, office):
        log_in(browser)
    page = client.get(ACCOUNT).text
    assert page.count('name="session"') == 2 and "Office browser" in page
    assert not any(row.session_key in page for row in LoginSession.objects.all()), "a session's key is a credential"
    digest = {row.session_key: row.digest for row in LoginSession.objects.all()}
    chosen = digest[str(office.session.session_key)]
    client.post(ACCOUNT, {"password": "a guess", "do": "end", "session": chosen})
    assert office.get("/admin/").status_code == 200
    eves = digest[str(eve.session.session_key)]
    client.post(ACCOUNT, {"password": PASSWORD, "do": "end", "session": [chosen, eves]})
    assert [browser.get("/admin/").status_code for browser in (client, phone, office, eve)] == [200, 200, 302, 200]
    client.post(ACCOUNT, {"password": PASSWORD, "do": "end-others"})
    assert [browser.get("/admin/").status_code for browser in (client, phone, eve)] == [200, 302, 200]
