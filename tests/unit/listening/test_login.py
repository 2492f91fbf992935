"""Guessing at passwords ends soon, for one account and from one address, and leaves a trace without the password."""

import logging

import pytest
from axes.models import AccessAttempt
from django.urls import reverse

LIMIT = 4
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _few_tries(settings):
    settings.AXES_FAILURE_LIMIT = LIMIT


@pytest.fixture
def researcher(django_user_model):
    return django_user_model.objects.create_user("ada", password="right-and-long", is_staff=True)


def log_in(client, name: str, password: str, **extra: str):
    return client.post(reverse("admin:login"), {"username": name, "password": password}, **extra)


def test_an_account_is_closed_to_guesses_from_everywhere(client, researcher):
    for number in range(LIMIT - 1):
        assert log_in(client, "ada", f"guess {number}", REMOTE_ADDR=f"192.0.2.{number}").status_code == 200
    answer = log_in(client, "ada", "last guess", REMOTE_ADDR="192.0.2.99")
    assert answer.status_code == 429 and answer["Retry-After"] == "900" and "15 minutes" in answer.text
    assert log_in(client, "ada", "right-and-long", REMOTE_ADDR="192.0.2.100").status_code == 429


def test_an_address_that_guesses_at_many_accounts_is_refused_and_others_are_not(client, researcher):
    for number in range(LIMIT):
        log_in(client, f"name{number}", "guess", REMOTE_ADDR="192.0.2.1")
    assert log_in(client, "ada", "right-and-long", REMOTE_ADDR="192.0.2.1").status_code == 429
    assert log_in(client, "ada", "right-and-long", REMOTE_ADDR="192.0.2.2").status_code == 302


def test_the_right_password_ends_the_count(client, researcher):
    for _ in range(2):
        for number in range(LIMIT - 1):
            log_in(client, "ada", f"guess {number}")
        assert log_in(client, "ada", "right-and-long").status_code == 302


def test_a_header_moves_nobody_to_another_address_unless_our_proxy_wrote_it(client, researcher, settings):
    for number in range(LIMIT):
        log_in(client, f"name{number}", "guess", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")
    assert log_in(client, "ada", "right-and-long", HTTP_X_FORWARDED_FOR="198.51.100.9").status_code == 429
    settings.BEHIND_PROXY = True
    assert log_in(client, "ada", "right-and-long", HTTP_X_FORWARDED_FOR="127.0.0.1, 198.51.100.9").status_code == 302


def test_a_refused_log_in_is_logged_and_kept_without_the_password(client, researcher, caplog):
    caplog.set_level(logging.INFO)
    log_in(client, "ada", "s3cret-guess")
    assert "login failure" in caplog.text
    kept = AccessAttempt.objects.get()
    assert kept.username == "ada"
    everything = caplog.text + " ".join(str(value) for value in vars(kept).values())
    assert "s3cret-guess" not in everything
