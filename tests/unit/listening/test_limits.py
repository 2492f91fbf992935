"""Who asks too often waits, and nobody else; a lab of a hundred raters behind one address never does."""

import time
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.core.cache import caches
from django.core.cache.backends.redis import RedisCache
from django.test import Client
from rest_framework.authtoken.models import Token

from listening.services import limits
from tests.unit.listening.raters import ANSWERS, HEARD, Rater
from tests.unit.listening.test_who_sees_what import body

pytestmark = pytest.mark.django_db
LIMIT = 3


@pytest.fixture(autouse=True)
def _counts(settings, monkeypatch):
    """A quiet minute of its own for every test, whose counts no other test has begun."""
    minute = (time.time() // 60) * 60 + 20
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: minute))
    monkeypatch.setattr(limits, "_silent_until", 0.0)
    settings.LIMITS = {**settings.LIMITS}


def asked(get, times: int) -> list[int]:
    codes = []
    for _ in range(times):
        response = get()
        body(response)
        codes.append(response.status_code)
    return codes


def test_the_next_minute_is_a_new_one(settings, monkeypatch):
    settings.LIMITS["public"] = LIMIT
    assert [limits.seconds_to_wait("public", "a") for _ in range(LIMIT + 1)] == [0, 0, 0, 40]
    assert limits.seconds_to_wait("public", "b") == 0
    later = limits.time.time() + 40
    monkeypatch.setattr(limits, "time", SimpleNamespace(time=lambda: later))
    assert limits.seconds_to_wait("public", "a") == 0


def test_a_rater_who_floods_the_api_waits_and_others_do_not(study, settings):
    flood, other = Rater(study).arrive(), Rater(study).arrive("male")
    caches["limits"].clear()
    settings.LIMITS["session"] = LIMIT
    url = f"/api/v1/sessions/{flood.session.token}/"
    assert asked(lambda: flood.client.get(url), LIMIT) == [200] * LIMIT
    refused = flood.client.get(url)
    assert (refused.status_code, refused["Retry-After"]) == (429, "40") and refused.json()["detail"]
    page = flood.client.get(f"{flood.base}trial/")
    assert (page.status_code, page["Retry-After"]) == (429, "40") and "Nothing is lost" in page.text
    answer = {"idempotency_key": str(uuid4()), "answers": ANSWERS, "listening": HEARD}
    posted = flood.client.post(f"{url}trials/1/ratings/", answer, content_type="application/json")
    assert (posted.status_code, posted["Retry-After"]) == (429, "40")
    assert other.client.get(f"/api/v1/sessions/{other.session.token}/").status_code == 200


def test_clips_links_hooks_and_public_pages_are_counted_each_for_itself(study, settings, client):
    rater = Rater(study).arrive()
    clip = rater.state()["trials"][0]["audio_url"]
    caches["limits"].clear()
    settings.LIMITS |= dict.fromkeys(("clip", "arrivals", "hooks", "public"), LIMIT)
    for get in (
        lambda: client.get(clip),
        lambda: client.get("/s/small/"),
        lambda: client.post("/hooks/prolific/", b"{}", content_type="application/json"),
        lambda: client.get("/leaderboard/"),
    ):
        codes = asked(get, LIMIT + 1)
        assert 429 not in codes[:LIMIT] and codes[LIMIT] == 429
    assert asked(lambda: client.get(rater.state()["trials"][1]["audio_url"]), 1) == [200]
    assert client.get("/s/small/", REMOTE_ADDR="192.0.2.9").status_code == 400
    assert client.get("/healthz").status_code == 200
    assert asked(lambda: client.get("/api/schema/"), 1) == [429], "the schema is as public as the leaderboard"


def test_a_researchers_account_is_counted_whatever_it_comes_with(study, settings, admin_user, admin_client):
    settings.LIMITS["researcher"] = LIMIT
    url = f"/api/v1/studies/{study.slug}/progress/"
    key = Token.objects.create(user=admin_user).key

    def script():
        return Client().get(url, headers={"Authorization": f"Token {key}"})

    assert asked(script, LIMIT + 1) == [200] * LIMIT + [429]
    assert admin_client.get(url).status_code == 429
    assert admin_client.get("/admin/").status_code == 200


def test_a_lab_of_a_hundred_behind_one_address_never_waits(study, monkeypatch):
    """The default limits against what a hundred raters do in one and the same minute: all open the link, take the session that is
    theirs through its pages, fetch three clips ahead each, and answer as fast as a clip of three seconds lets them."""
    by_token = {"enter": 1, "consent": 2, "check": 12, "check-audio": 12, "trial": 2, "done": 1, "state": 4, "answers": 20}
    for person in range(100):
        assert limits.seconds_to_wait("arrivals", "192.0.2.1") == 0
        for requests in by_token.values():
            assert not any(limits.seconds_to_wait("session", f"token {person}") for _ in range(requests))
        for trial in range(20):
            assert not any(limits.seconds_to_wait("clip", f"ticket {person} {trial}") for _ in range(2 * 4))


def test_an_outbox_of_a_whole_session_is_taken_at_once(study):
    """A rater who was without a connection for a session of a hundred clips sends all answers at once, and each twice."""
    token = Rater(study).arrive().session.token
    assert not any(limits.seconds_to_wait("session", token) for _ in range(2 * 100))


@pytest.mark.parametrize("limit", ["arrivals", "session"])
def test_nothing_is_counted_where_the_limit_is_none(settings, limit):
    settings.LIMITS[limit] = 0
    assert not any(limits.seconds_to_wait(limit, "a") for _ in range(5_000))


def test_processes_count_together_in_redis_and_leave_no_token_there(redis_url, settings, monkeypatch):
    settings.LIMITS["session"] = LIMIT
    processes = [{"limits": RedisCache(redis_url, {})} for _ in range(2)]
    waited = []
    for number in range(2 * LIMIT):
        monkeypatch.setattr(limits, "caches", processes[number % 2])
        waited.append(limits.seconds_to_wait("session", "a token"))
    assert waited == [0] * LIMIT + [40] * LIMIT
    keys = processes[0]["limits"]._cache.get_client().keys()
    assert len(keys) == 1 and b"a token" not in keys[0]
    assert 60 < processes[0]["limits"]._cache.get_client().ttl(keys[0]) <= 120


def test_a_redis_that_is_away_costs_one_short_wait_and_no_answer(study, monkeypatch, caplog):
    rater = Rater(study).arrive()
    rater.hear(1)
    asked_of_it = []

    class Away:
        def incr(self, *arguments):
            from redis.exceptions import ConnectionError

            asked_of_it.append(arguments)
            raise ConnectionError("no route")

    monkeypatch.setattr(limits, "caches", {"limits": Away()})
    assert rater.rate(1).status_code == 201
    rater.state()
    assert len(asked_of_it) == 1 and "not counted" in caplog.text
