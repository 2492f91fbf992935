"""Signed links: with the key set Prolific published, and with keys made here."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from listening.prolific import LinkError, StudyKeys, verify_study_token
from tests.unit.prolific.play import take_part

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
URL = "https://listen.example/s/study/?PROLIFIC_PID={{%PROLIFIC_PID%}}"
QUERY = {"PROLIFIC_PID": "a" * 24, "STUDY_ID": "b" * 24, "SESSION_ID": "c" * 24}


@pytest.fixture(scope="module")
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def published(*keys: tuple[str, rsa.RSAPrivateKey]) -> dict[str, Any]:
    return {"keys": [{**json.loads(RSAAlgorithm.to_jwk(key.public_key())), "kid": kid, "use": "sig"} for kid, key in keys]}


@pytest.fixture(scope="module")
def keys(private_key) -> StudyKeys:
    return StudyKeys.of(published(("k1", private_key)))


def token(private_key: Any, kid: Any = "k1", **changes: Any) -> str:
    claims = {
        "iss": "https://www.prolific.com",
        "iat": int(NOW.timestamp()),
        "exp": int((NOW + timedelta(minutes=2)).timestamp()),
        "aud": URL,
        "sub": QUERY["SESSION_ID"],
        "prolific": {**QUERY, "workspace_id": "w"},
    }
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not None}
    return jwt.encode(claims, private_key, algorithm="RS256", headers={"kid": kid})


def check(
    made: str, keys: StudyKeys, query: dict[str, str] = QUERY, audience: str = "https://listen.example/", now=NOW
) -> dict:
    return verify_study_token(made, keys, audience=audience, query={**query, "prolific_token": made}, now=now)


def test_a_link_as_prolific_signs_it_is_believed(private_key, keys):
    assert check(token(private_key), keys)["sub"] == QUERY["SESSION_ID"]


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-5, True), (0, True), (125, True), (180, False), (86400, False)])
def test_a_token_lives_two_minutes(private_key, keys, seconds, good):
    now = NOW + timedelta(seconds=seconds)
    if good:
        assert check(token(private_key), keys, now=now)
    else:
        with pytest.raises(LinkError, match=r"too old|future"):
            check(token(private_key), keys, now=now)


@pytest.mark.parametrize(
    "audience", ["https://other.example/", "https://listen.example.evil.example/", "https://listen.example:8443/"]
)
def test_a_token_for_another_host_is_refused(private_key, keys, audience):
    with pytest.raises(LinkError, match="another address"):
        check(token(private_key), keys, audience=audience)


@pytest.mark.parametrize(
    "query",
    [
        {**QUERY, "PROLIFIC_PID": "d" * 24},
        {**QUERY, "SESSION_ID": "d" * 24},
        {**QUERY, "simulated": "1"},
        {name: value for name, value in QUERY.items() if name != "STUDY_ID"},
    ],
)
def test_a_changed_an_added_and_a_missing_parameter_are_refused(private_key, keys, query):
    with pytest.raises(LinkError, match="changed after"):
        check(token(private_key), keys, query=query)


def test_a_token_of_another_submission_is_refused(private_key, keys):
    with pytest.raises(LinkError, match="another submission"):
        check(token(private_key, sub="d" * 24), keys)


@pytest.mark.parametrize("missing", ["iss", "iat", "exp", "aud", "sub"])
def test_a_token_without_one_of_its_claims_is_refused(private_key, keys, missing):
    with pytest.raises(LinkError):
        check(token(private_key, **{missing: None}), keys)


@pytest.mark.parametrize("changes", [{"iss": "https://evil.example"}, {"prolific": None}, {"prolific": "x"}, {"exp": "soon"}])
def test_a_token_with_a_wrong_claim_is_refused(private_key, keys, changes):
    with pytest.raises(LinkError):
        check(token(private_key, **changes), keys)


def test_a_token_signed_by_somebody_else_under_prolifics_key_id_is_refused(keys):
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(LinkError, match="not Prolific's"):
        check(token(stranger), keys)


def test_a_token_with_an_unknown_key_is_refused(private_key, keys):
    with pytest.raises(LinkError, match="one of Prolific's keys"):
        check(token(private_key, kid="k2"), keys)


def test_the_token_does_not_choose_the_algorithm(private_key, keys):
    unsigned = jwt.encode(jwt.decode(token(private_key), options={"verify_signature": False}), "", "none", {"kid": "k1"})
    with pytest.raises(LinkError, match="signature"):
        check(unsigned, keys)


@pytest.mark.parametrize("made", ["", "x", "a.b.c", "é"])
def test_what_is_no_token_is_refused_in_a_sentence(keys, made):
    with pytest.raises(LinkError):
        check(made, keys)


def test_a_tampered_payload_is_refused(private_key, keys):
    head, _, signed = token(private_key).split(".")
    other = token(private_key, sub="d" * 24).split(".")[1]
    with pytest.raises(LinkError, match="signature"):
        check(f"{head}.{other}.{signed}", keys)


def test_prolifics_published_keys_are_read_and_refuse_what_they_did_not_sign(shared, private_key):
    path = shared / "data" / "prolific" / "study-jwks.json"
    if not path.is_file():
        pytest.skip("Prolific's published key set is not in the shared folder")
    recorded = json.loads(path.read_text())
    kid = recorded["keys"][0]["kid"]
    keys = StudyKeys.of(recorded)
    key = keys.key(kid)
    assert key is not None
    assert key.key.key_size == 4096
    with pytest.raises(LinkError, match="not Prolific's"):
        check(token(private_key, kid=kid), keys)
    with pytest.raises(LinkError, match="one of Prolific's keys"):
        check(token(private_key, kid="another"), keys)


class Publisher:
    """A key set on the network, a clock, and a count of how often it was fetched."""

    def __init__(self, key_set: dict[str, Any]) -> None:
        self.key_set, self.fetched, self.now, self.down = key_set, 0, 1000.0, False
        self.keys = StudyKeys("https://prolific.example/keys", fetch=self.fetch, clock=lambda: self.now)

    def fetch(self, url: str) -> dict[str, Any]:
        self.fetched += 1
        if self.down:
            raise requests.ConnectionError("no network")
        return self.key_set


def test_keys_are_kept_a_day(private_key):
    publisher = Publisher(published(("k1", private_key)))
    for hours, fetched in [(0, 1), (23, 1), (25, 2)]:
        publisher.now = 1000 + 3600 * hours
        assert publisher.keys.key("k1")
        assert publisher.fetched == fetched


def test_a_new_key_is_found_and_unknown_ones_ask_once_a_minute(private_key):
    publisher = Publisher(published(("k1", private_key)))
    assert publisher.keys.key("k1")
    publisher.key_set = published(("k2", private_key))
    assert publisher.keys.key("k2") is None
    publisher.now += 61
    assert publisher.keys.key("k2")
    for _ in range(100):
        assert publisher.keys.key("made-up") is None
    assert publisher.fetched == 2


def test_while_the_keys_cannot_be_fetched_the_old_ones_serve(private_key):
    publisher = Publisher(published(("k1", private_key)))
    assert publisher.keys.key("k1")
    publisher.down, publisher.now = True, publisher.now + 2 * 86400
    assert publisher.keys.key("k1")
    assert publisher.keys.key("k1")
    assert publisher.fetched == 2


def test_without_any_key_the_participant_is_asked_to_wait(private_key):
    publisher = Publisher({})
    publisher.down = True
    with pytest.raises(LinkError, match="in a minute"):
        check(token(private_key), publisher.keys)


def test_the_stand_ins_secure_links_are_believed_once_and_not_when_changed(prolific, client, remote_draft):
    from dataclasses import replace

    study = client.create_study(replace(remote_draft, secure_url=True))
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    submission = prolific.reserve(study.id, next(iter(prolific.world.people)))
    query = dict(parse_qsl(urlsplit(prolific.open_study(submission)).query))
    keys = StudyKeys(f"{prolific.url}/.well-known/study/jwks.json")
    now = prolific.clock.now()
    claims = verify_study_token(query["prolific_token"], keys, audience="http://127.0.0.1", query=query, now=now)
    assert claims["sub"] == submission.id
    with pytest.raises(LinkError):
        verify_study_token(
            query["prolific_token"], keys, audience="http://127.0.0.1", query={**query, "PROLIFIC_PID": "f" * 24}, now=now
        )


def test_plain_links_carry_no_token(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    assert submission.status == "AWAITING REVIEW"
    other = prolific.reserve(live.id, list(prolific.world.people)[1])
    assert "prolific_token" not in prolific.open_study(other)
