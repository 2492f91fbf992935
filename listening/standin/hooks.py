"""Webhooks: subscriptions, signed deliveries at least once and in no order, retries, and switching off what never answers."""

import base64
import hashlib
import hmac
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import requests

from listening.standin.records import Refused
from listening.standin.shapes import iso
from listening.standin.world import World

EVENT_TYPES = {
    "submission.status.change": "A submission's status changed",
    "study.status.change": "A study's status changed",
    "study.progress.change": "A study's progress changed",
    "study.has_high_return_rate": "Many participants return the study",
}
MOST_RETRIES = 11
DISABLED_AFTER_S = 5 * 24 * 3600
_FIRST_RETRY_S, _LONGEST_RETRY_S = 30, 3 * 3600


@dataclass
class Subscription:
    id: str
    event_type: str
    target_url: str
    workspace_id: str
    confirmation: str
    confirmed: bool = False
    is_enabled: bool = True
    failing_since: datetime | None = None
    events: list["Delivery"] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        names = ("id", "event_type", "target_url", "is_enabled", "workspace_id")
        return {name: getattr(self, name) for name in names}


@dataclass
class Delivery:
    """One event on its way to one subscription; its id is the same on every attempt."""

    id: str
    subscription: Subscription
    body: dict[str, Any]
    created: datetime
    status: str = "PENDING"
    attempts: int = 0
    updated: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "datetime_created": iso(self.created),
            "datetime_updated": iso(self.updated or self.created),
            "event_type": self.subscription.event_type,
            "resource_id": self.body["resource_id"],
            "status": self.status,
            "target_url": self.subscription.target_url,
            "payload": self.body,
        }


class Hooks:
    """The subscriptions of a workspace and their deliveries.

    delay_s: how long after its event a delivery leaves at the earliest and at the latest, which lets events overtake one another.
    mishaps: "lost", "twice" or seconds of lateness for the next deliveries, one each; None spares one. terse: send only the older,
    shorter body without status.
    """

    def __init__(self, world: World, delay_s: tuple[float, float] = (0.5, 3.0)) -> None:
        self._world = world
        self.delay_s = delay_s
        self.mishaps: deque[str | float | None] = deque()
        self.terse = False
        self.secret = ""
        self.secret_id = ""
        self.subscriptions: dict[str, Subscription] = {}
        world.emit = self.emit

    def new_secret(self) -> dict[str, Any]:
        self.secret_id, self.secret = self._world.new_id(), self._world.new_id() + self._world.new_id()
        return self.secret_json()

    def secret_json(self) -> dict[str, Any]:
        return {"id": self.secret_id, "value": self.secret, "workspace_id": self._world.workspace_id}

    def subscribe(self, body: dict[str, Any]) -> Subscription:
        if not self.secret:
            raise Refused("Create a secret for the workspace first.")
        if body.get("event_type") not in EVENT_TYPES:
            raise Refused({"event_type": ["Not a valid event type."]})
        target = str(body.get("target_url") or "")
        check_target(target)
        made = Subscription(self._world.new_id(), body["event_type"], target, self._world.workspace_id, self._world.new_id())
        self.subscriptions[made.id] = made
        return made

    def find(self, subscription_id: str) -> Subscription:
        if subscription_id not in self.subscriptions:
            raise Refused("Subscription not found.", status=404, title="Not found")
        return self.subscriptions[subscription_id]

    def confirm(self, subscription_id: str, secret: str) -> Subscription:
        subscription = self.find(subscription_id)
        if not hmac.compare_digest(secret, subscription.confirmation):
            raise Refused({"secret": ["The secret is not the one of the subscription."]})
        subscription.confirmed = True
        return subscription

    def emit(self, event_type: str, resource_id: str, said: dict[str, object]) -> None:
        """Tell whoever subscribed and confirmed."""
        body: dict[str, Any] = {"event_type": event_type, "resource_id": resource_id, **({} if self.terse else said)}
        for subscription in self.subscriptions.values():
            if subscription.event_type == event_type and subscription.confirmed and subscription.is_enabled:
                delivery = Delivery(self._world.new_id(), subscription, body, self._world.now())
                subscription.events.append(delivery)
                mishap = self.mishaps.popleft() if self.mishaps else None
                if mishap == "lost":
                    delivery.status = "FAILED"
                    continue
                wait = self._world.rng.uniform(*self.delay_s) + (mishap if isinstance(mishap, int | float) else 0)
                self._later(delivery, wait)
                if mishap == "twice":
                    self._later(delivery, wait + 1)

    def _later(self, delivery: Delivery, seconds: float) -> None:
        self._world.clock.after(seconds, lambda: self._deliver(delivery))

    def _deliver(self, delivery: Delivery) -> None:
        """One attempt; another later if it fails: exponential with full jitter, eleven more at most."""
        subscription, now = delivery.subscription, self._world.now()
        if not subscription.is_enabled:
            return
        delivery.attempts += 1
        delivery.updated = now
        if self._post(delivery):
            delivery.status, subscription.failing_since = "SUCCEEDED", None
            return
        subscription.failing_since = subscription.failing_since or now
        if (now - subscription.failing_since).total_seconds() > DISABLED_AFTER_S:
            subscription.is_enabled = False
        if delivery.attempts > MOST_RETRIES:
            delivery.status = "FAILED"
        else:
            self._later(delivery, self._world.rng.uniform(1, min(_FIRST_RETRY_S * 2**delivery.attempts, _LONGEST_RETRY_S)))

    def _post(self, delivery: Delivery) -> bool:
        raw = json.dumps(delivery.body).encode()
        timestamp = str(int(self._world.now().timestamp()))
        digest = hmac.new(self.secret.encode(), timestamp.encode() + raw, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "X-Prolific-Request-Timestamp": timestamp,
            "X-Prolific-Request-Signature": base64.b64encode(digest).decode(),
            "X-Event-ID": delivery.id,
            "X-Timestamp": str(delivery.created.timestamp()),
        }
        try:
            return requests.post(delivery.subscription.target_url, raw, headers=headers, timeout=10).ok
        except requests.RequestException:
            return False


def check_target(url: str) -> None:
    """Prolific takes public https only; the stand-in takes a loopback http address as well, so that it can be used on one machine."""
    parts = urlsplit(url)
    loopback = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise Refused({"target_url": ["The address must be public and https."]})
