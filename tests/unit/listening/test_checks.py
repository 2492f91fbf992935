"""A wrong set-up is told in a sentence."""

import pytest

from listening.checks import check_prolific, check_public_url, check_stores, check_weights


def ids(found):
    return [message.id for message in found]


@pytest.mark.parametrize(
    ("url", "hosts", "expected"),
    [
        ("http://127.0.0.1:8000", ["127.0.0.1"], []),
        ("listen.example.org", ["listen.example.org"], ["listening.E001"]),
        ("https://listen.example.org", ["localhost"], ["listening.E002"]),
        ("http://listen.example.org", ["listen.example.org"], ["listening.W001"]),
        ("https://listen.example.org", ["*"], []),
    ],
)
def test_the_public_address_must_be_one_that_raters_can_reach(settings, monkeypatch, url, hosts, expected):
    monkeypatch.setenv("SECRET_KEY", "given")
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = url, hosts
    assert ids(check_public_url()) == expected


def test_a_public_server_needs_a_secret_key_of_its_own(settings, monkeypatch):
    monkeypatch.delenv("SECRET_KEY", raising=False)
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://listen.example.org", ["listen.example.org"]
    assert ids(check_public_url()) == ["listening.W002"]


def test_a_store_that_cannot_be_written_is_told(settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.STIMULUS_STORE = tmp_path / "file" / "stimuli"
    assert "listening.E003" in ids(check_stores())


def test_weights_that_are_not_a_directory_are_told(monkeypatch, tmp_path):
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path / "gone"))
    assert ids(check_weights()) == ["listening.E004"]
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    assert check_weights() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"PROLIFIC_BASE_URL": "http://127.0.0.1:8800"}, []),
        ({"PROLIFIC_BASE_URL": "http://api.prolific.com"}, ["listening.E005"]),
        ({"PROLIFIC_TOKEN": "a secret\n"}, ["listening.E006"]),
        ({"PROLIFIC_TOKEN": "", "PROLIFIC_WEBHOOK_SECRETS": ["s"]}, ["listening.W004"]),
        ({"PROLIFIC_POLL_S": 1}, ["listening.E007"]),
    ],
)
def test_prolifics_settings_fit_together_and_no_sentence_shows_the_token(settings, changes, expected):
    settings.PROLIFIC_BASE_URL, settings.PROLIFIC_TOKEN = "https://api.prolific.com", "token"
    settings.PROLIFIC_WEBHOOK_SECRETS, settings.PROLIFIC_POLL_S = [], 60
    for name, value in changes.items():
        setattr(settings, name, value)
    found = check_prolific()
    assert ids(found) == expected
    assert "a secret" not in str(found)
