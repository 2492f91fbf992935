"""While the database cannot serve, rater and script are told to come again, and nothing is half stored."""

import pytest
from django.db import OperationalError, ProgrammingError

from listening.models import Rating, Session, Trial
from tests.unit.listening.raters import Rater


@pytest.fixture
def rater(study) -> Rater:
    rater = Rater(study).arrive()
    rater.hear(1)
    rater.client.raise_request_exception = False
    return rater


def full(*args, **kwargs):
    raise OperationalError("database or disk is full")


def test_an_answer_that_cannot_be_stored_gets_503_and_is_taken_when_it_comes_again(rater, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("listening.services.ratings.Rating.objects.bulk_create", full)
        response = rater.rate(1)
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "kept" in response.json()["detail"]
    assert not Rating.objects.exists() and not Trial.objects.exclude(answered_at=None).exists()
    assert rater.rate(1).status_code == 201


@pytest.mark.parametrize(("language", "title"), [("en", "One moment, please"), ("zh-CN", "请稍候")])
def test_a_page_that_cannot_be_read_says_so_and_comes_again(rater, monkeypatch, language, title):
    monkeypatch.setattr("listening.models.Session.from_token", full)
    response = rater.client.get(f"/session/{rater.session.token}/trial/", headers={"accept-language": language})
    assert (response.status_code, response["Refresh"], response["Cache-Control"]) == (503, "5", "no-store")
    assert title in response.content.decode()
    assert "Content-Security-Policy" in response


def test_a_form_that_cannot_be_stored_is_not_sent_again_by_itself(study, monkeypatch):
    rater = Rater(study)
    rater.client.raise_request_exception = False
    monkeypatch.setattr("listening.models.Session.from_token", full)
    response = rater.client.post("/session/any/consent/", {"consent": "on"})
    assert response.status_code == 503 and "Refresh" not in response
    assert not Session.objects.exists()


def test_an_error_of_ours_is_not_called_a_moment(rater, monkeypatch):
    def broken(*args, **kwargs):
        raise ProgrammingError("no such function")

    monkeypatch.setattr("listening.models.Session.from_token", broken)
    assert rater.client.get(f"/session/{rater.session.token}/trial/").status_code == 500
