"""Signatures over the raw bytes, freshness, and secrets that are being replaced."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import pytest

from listening.prolific.webhooks import WebhookError, verify

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
SECRET = "s3cret"
BODY = b'{ "event_type":"submission.status.change","resource_id":"abc","status":"RETURNED", "participant_id":"p\\u00e9"}'


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), timestamp.encode() + body, hashlib.sha256).digest()).decode()


def delivery(secret: str = SECRET, body: bytes = BODY, when: datetime = NOW) -> tuple[str, bytes, str]:
    timestamp = str(int(when.timestamp()))
    return timestamp, body, signature(secret, timestamp, body)


def test_an_event_that_is_signed_and_fresh_is_believed():
    event = verify(SECRET, *delivery(), NOW, "event-1")
    assert (event.id, event.type, event.resource_id, event.status) == ("event-1", "submission.status.change", "abc", "RETURNED")


def test_the_bytes_are_signed_and_not_their_meaning():
    timestamp, body, signed = delivery()
    rewritten = json.dumps(json.loads(body)).encode()
    assert json.loads(rewritten) == json.loads(body)
    with pytest.raises(WebhookError, match="not signed"):
        verify(SECRET, timestamp, rewritten, signed, NOW)


@pytest.mark.parametrize("part", ["timestamp", "body", "signature"])
def test_a_changed_delivery_is_not_believed(part):
    timestamp, body, signed = delivery()
    changed = {
        "timestamp": (str(int(timestamp) + 1), body, signed),
        "body": (timestamp, body.replace(b"RETURNED", b"APPROVED"), signed),
        "signature": (timestamp, body, signed[:-4] + "AAA="),
    }
    with pytest.raises(WebhookError, match="not signed"):
        verify(SECRET, *changed[part], NOW)


def test_the_signature_of_another_secret_is_not_believed():
    with pytest.raises(WebhookError, match="not signed"):
        verify(SECRET, *delivery("other"), NOW)


def test_while_a_secret_is_replaced_both_are_believed_and_afterwards_one():
    assert verify(["new", SECRET], *delivery(), NOW).resource_id == "abc"
    assert verify(["new", SECRET], *delivery("new"), NOW).resource_id == "abc"
    with pytest.raises(WebhookError):
        verify(["new"], *delivery(), NOW)


@pytest.mark.parametrize("secret", ["", [], ["", ""]])
def test_without_a_secret_nothing_is_believed(secret):
    with pytest.raises(WebhookError, match="no webhook secret"):
        verify(secret, *delivery(""), NOW)


@pytest.mark.parametrize(("seconds", "fresh"), [(-300, True), (300, True), (-301, False), (301, False), (86400, False)])
def test_an_event_is_fresh_for_five_minutes(seconds, fresh):
    sent = delivery(when=NOW - timedelta(seconds=seconds))
    if fresh:
        assert verify(SECRET, *sent, NOW)
    else:
        with pytest.raises(WebhookError, match="stale"):
            verify(SECRET, *sent, NOW)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"event_type":"x"}', b'{"resource_id":"x"}'])
def test_a_signed_body_that_is_no_event_is_refused_in_a_sentence(body):
    with pytest.raises(WebhookError, match="event"):
        verify(SECRET, *delivery(body=body), NOW)


@pytest.mark.parametrize("timestamp", ["", "soon", "1e9", "²"])
def test_a_signed_timestamp_that_is_no_time_is_refused(timestamp):
    with pytest.raises(WebhookError, match="Unix time"):
        verify(SECRET, timestamp, BODY, signature(SECRET, timestamp, BODY), NOW)


@pytest.mark.parametrize("signed", ["", "é", "AAAA"])
def test_a_signature_of_any_form_is_compared_without_falling_over(signed):
    timestamp, body, _ = delivery()
    with pytest.raises(WebhookError, match="not signed"):
        verify(SECRET, timestamp, body, signed, NOW)


def test_the_older_short_body_is_an_event_too():
    event = verify(SECRET, *delivery(body=b'{"resource_id":"abc","event_type":"submission.status.change"}'), NOW)
    assert event.status == ""
    assert len(event.id) == 64
    assert event.id == verify(SECRET, *delivery(body=b'{"resource_id":"abc","event_type":"submission.status.change"}'), NOW).id
