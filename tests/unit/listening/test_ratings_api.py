"""Posting ratings: once, completely, and for good."""

import hashlib
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from listening.models import AppendOnlyError, Rating, Session, Trial
from tests.unit.listening.raters import ANSWERS, HEARD, Rater


@pytest.fixture
def rater(study) -> Rater:
    rater = Rater(study).arrive()
    rater.hear(1)
    return rater


def test_an_answer_is_stored_with_what_was_heard(rater):
    response = rater.rate(
        1, listening={"plays": 2, "heard_share": 1.0, "output_sample_rate": 48000, "hidden_ms": 12, "sha256_ok": True}
    )
    assert response.status_code == 201
    assert response.json()["next_position"] == 2
    trial = Trial.objects.get(session=rater.session, position=1)
    assert trial.listening["plays"] == 2
    assert trial.listening["hidden_ms"] == 12
    stored = {r.scale: r.value if r.labels is None else r.labels for r in trial.ratings.all()}
    assert stored == {"emotion": ["anger"], "ovrl": 4.0, "sig": 3.0}
    assert {r.stimulus for r in trial.ratings.all()} == {trial.stimulus}


def test_a_repeated_post_gets_the_stored_answer_and_adds_nothing(rater):
    key = str(uuid4())
    first, second = rater.rate(1, key=key), rater.rate(1, key=key)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json() == second.json()
    assert Rating.objects.count() == 3


def test_a_different_answer_for_a_rated_trial_is_refused_and_kept_in_the_log(rater, study):
    rater.rate(1)
    response = rater.rate(1, {**ANSWERS, "ovrl": 1})
    assert response.status_code == 409
    assert response.json()["next_position"] == 2
    assert Rating.objects.get(scale="ovrl").value == 4
    assert study.events.get(kind="conflicting_answer").data["given"]["ovrl"] == 1


@pytest.mark.parametrize(
    ("change", "scale"),
    [
        ({"ovrl": 6}, "ovrl"),
        ({"ovrl": 0}, "ovrl"),
        ({"ovrl": 3.5}, "ovrl"),
        ({"ovrl": "4"}, "ovrl"),
        ({"ovrl": True}, "ovrl"),
        ({"sig": None}, "sig"),
        ({"emotion": []}, "emotion"),
        ({"emotion": "anger"}, "emotion"),
        ({"emotion": ["hunger"]}, "emotion"),
        ({"emotion": [1]}, "emotion"),
        ({"colour": 3}, "colour"),
    ],
)
def test_an_impossible_answer_is_refused_in_a_sentence_and_nothing_is_stored(rater, change, scale):
    response = rater.rate(1, {**ANSWERS, **change})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [scale]
    assert response.json()["detail"].endswith(".")
    assert Rating.objects.count() == 0
    assert rater.rate(1).status_code == 201


@pytest.mark.parametrize(
    "body", [{}, {"answers": {}}, {"idempotency_key": "x", "answers": ANSWERS, "listening": HEARD}, [], "x"]
)
def test_a_request_that_is_not_whole_is_refused_in_a_sentence(rater, body):
    url = f"/api/v1/sessions/{rater.session.token}/trials/1/ratings/"
    response = rater.client.post(url, body, content_type="application/json")
    assert response.status_code == 400
    assert response.json()["detail"]


def test_a_clip_that_was_not_heard_cannot_be_rated(rater):
    for listening in ({"plays": 1, "heard_share": 0.5}, {"plays": 0, "heard_share": 1.0}):
        response = rater.rate(1, listening=listening)
        assert response.status_code == 403
        assert "listen to the clip to its end" in response.json()["detail"]
    assert Rating.objects.count() == 0


def test_a_page_that_claims_to_have_heard_a_clip_it_never_fetched_is_not_believed(study):
    rater = Rater(study, simulated=False).arrive()
    assert rater.rate(1).status_code == 403
    rater.hear(1)
    assert rater.rate(1).status_code == 403, "the clip cannot have ended yet"
    Trial.objects.update(audio_sent_at=timezone.now() - timedelta(seconds=30))
    assert rater.rate(1).status_code == 201


def test_one_rater_cannot_answer_in_the_session_of_another(rater, study):
    other = Rater(study).arrive()
    url = f"/api/v1/sessions/{other.session.token[:-2]}xx/trials/1/ratings/"
    body = {"idempotency_key": str(uuid4()), "answers": ANSWERS, "listening": HEARD}
    response = rater.client.post(url, body, content_type="application/json")
    assert response.status_code == 404
    assert "no such session" in response.json()["detail"]
    audio = other.state()["trials"][0]["audio_url"].rsplit("/", 1)[1]
    assert rater.client.get(f"{rater.base}audio/{audio}").status_code == 404


def test_a_trial_that_is_not_there_is_told(rater):
    assert "no trial 99" in rater.rate(99).json()["detail"]


def test_answers_may_come_out_of_order(rater):
    for position in (3, 1, 2):
        rater.hear(position)
        assert rater.rate(position).status_code == 201
    assert rater.session.state == Session.State.COMPLETED


def test_stored_ratings_are_never_changed_or_deleted(rater):
    rater.rate(1)
    rating = Rating.objects.first()
    rating.value = 5
    with pytest.raises(AppendOnlyError):
        rating.save()
    with pytest.raises(AppendOnlyError):
        rating.delete()


def test_the_database_itself_refuses_a_second_rating(rater):
    rater.rate(1)
    rating = Rating.objects.get(scale="ovrl")
    copy = Rating(trial=rating.trial, stimulus=rating.stimulus, scale="ovrl", value=2, idempotency_key=uuid4())
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


def test_the_clip_is_sent_whole_and_in_parts_and_matches_its_hash(rater):
    trial = rater.state()["trials"][0]
    whole = rater.client.get(trial["audio_url"])
    content = whole.getvalue()
    assert hashlib.sha256(content).hexdigest() == trial["sha256"]
    part = rater.client.get(trial["audio_url"], headers={"Range": "bytes=10-19"})
    assert part.status_code == 206
    assert part.content == content[10:20]
    assert part["Content-Range"] == f"bytes 10-19/{len(content)}"
    tail = rater.client.get(trial["audio_url"], headers={"Range": "bytes=-5"})
    assert tail.content == content[-5:]
    assert rater.client.get(trial["audio_url"], headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    assert rater.client.get(trial["audio_url"], headers={"If-None-Match": whole["ETag"]}).status_code == 304


def test_a_clock_that_was_set_back_refuses_no_answer(study):
    """The clip left "in two hours" by today's clock; how far it was heard, the page alone can say then."""
    rater = Rater(study, simulated=False).arrive()
    Trial.objects.update(audio_sent_at=timezone.now() + timedelta(hours=2))
    assert rater.rate(1).status_code == 201
    assert rater.rate(2, listening={"plays": 1, "heard_share": 0.5}).status_code == 403


def test_a_lease_is_written_anew_when_a_twentieth_is_over_and_not_with_every_answer(rater, study):
    fresh = timezone.now() + timedelta(minutes=study.lease_minutes * 0.96)
    Session.objects.update(lease_expires_at=fresh)
    rater.rate(1)
    assert Session.objects.get().lease_expires_at == fresh
    Session.objects.update(lease_expires_at=timezone.now() + timedelta(minutes=study.lease_minutes * 0.94))
    rater.hear(2)
    rater.rate(2)
    assert Session.objects.get().lease_expires_at > fresh


def test_posting_an_answer_takes_a_bounded_number_of_queries(rater, django_assert_max_num_queries):
    url = f"/api/v1/sessions/{rater.session.token}/trials/1/ratings/"
    body = {"idempotency_key": str(uuid4()), "answers": ANSWERS, "listening": HEARD}
    with django_assert_max_num_queries(8):
        assert rater.client.post(url, body, content_type="application/json").status_code == 201


@pytest.mark.parametrize("back", ["the answer is sent again", "another page is opened"])
def test_a_server_that_ended_right_after_the_last_answer_leaves_no_session_open(rater, monkeypatch, back):
    for position in (1, 2):
        rater.hear(position)
        rater.rate(position)
    rater.hear(3)
    key = str(uuid4())

    class PowerCut(BaseException):
        """Ends the request between its two transactions, as the kill of the process does."""

    def end(session):
        raise PowerCut

    with monkeypatch.context() as cut:
        cut.setattr("listening.services.ratings.complete_if_whole", end)
        with pytest.raises(PowerCut):
            rater.rate(3, key=key)
    assert Rating.objects.count() == 9 and rater.session.state == Session.State.RATING
    if back == "the answer is sent again":
        assert rater.rate(3, key=key).status_code == 200
    else:
        assert rater.client.get(f"{rater.base}trial/").url == f"{rater.base}done/"
    assert Rating.objects.count() == 9 and rater.session.state == Session.State.COMPLETED
