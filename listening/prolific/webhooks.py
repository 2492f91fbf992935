"""Prolific's events, believed only when signed over the very bytes that came, and fresh."""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

TIMESTAMP_HEADER = "X-Prolific-Request-Timestamp"
SIGNATURE_HEADER = "X-Prolific-Request-Signature"
EVENT_ID_HEADER = "X-Event-ID"
FRESH_S = 300


class WebhookError(ValueError):
    """An event that is not believed; the message says why."""


@dataclass(frozen=True)
class Event:
    """One event. id is the same for every delivery of it; type as `submission.status.change`; status "" where the event names none.

    An event is a hint: read the resource before acting on it, because deliveries repeat and overtake one another.
    """

    id: str
    type: str
    resource_id: str
    status: str
    raw: dict[str, Any] = field(repr=False)


def sign(secret: str, timestamp: str, raw_body: bytes) -> str:
    """base64(HMAC-SHA256(secret, timestamp + body)), Prolific's signature of a delivery."""
    digest = hmac.new(secret.encode(), timestamp.encode() + raw_body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def verify(
    secret: str | Sequence[str],
    timestamp: str,
    raw_body: bytes,
    signature: str,
    now: datetime,
    event_id: str = "",
    fresh_s: float = FRESH_S,
) -> Event:
    """The event of a delivery, or WebhookError.

    secret: the workspace's secret, or several while one is being replaced. timestamp, signature, event_id: the headers
    X-Prolific-Request-Timestamp (Unix seconds), X-Prolific-Request-Signature and X-Event-ID. raw_body: the bytes as they came, since
    writing the JSON anew would change them. now: with a time zone. A delivery is stale more than fresh_s seconds from its timestamp.
    An event without an id gets one from its timestamp and body, so that a repetition is still known.
    """
    secrets = [secret] if isinstance(secret, str) else list(secret)
    if not any(secrets):
        raise WebhookError("There is no webhook secret to check the event with.")
    expected = [sign(each, timestamp, raw_body).encode() for each in secrets if each]
    # Every secret is compared, in constant time, so that the time taken tells nothing.
    if not any([hmac.compare_digest(each, signature.encode()) for each in expected]):  # noqa: C419
        raise WebhookError("The event is not signed with our secret.")
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookError("The event's timestamp is not a Unix time.")
    if abs(now.timestamp() - int(timestamp)) > fresh_s:
        raise WebhookError(f"The event is stale: it was signed more than {fresh_s:.0f} seconds from now.")
    try:
        body = json.loads(raw_body)
        # What no database takes is not taken here: numbers that are none, half characters, zeros in text.
        written = json.dumps(body, ensure_ascii=False, allow_nan=False)
        written.encode()
    except (ValueError, RecursionError) as error:
        raise WebhookError("The event is not JSON.") from error
    if "\\u0000" in written:
        raise WebhookError("The event's text holds a zero character.")
    if not isinstance(body, dict) or not body.get("event_type") or not body.get("resource_id"):
        raise WebhookError("The event names no event_type or no resource_id.")
    own_id = hashlib.sha256(timestamp.encode() + raw_body).hexdigest()
    return Event(event_id or own_id, str(body["event_type"]), str(body["resource_id"]), str(body.get("status") or ""), body)
