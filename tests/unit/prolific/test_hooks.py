"""The stand-in's webhooks, received over HTTP and verified by our own code: retries, duplicates, reordering, losses, switching off."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from listening.prolific import ProlificError
from listening.prolific.webhooks import EVENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, Event, WebhookError, verify
from tests.unit.prolific.play import take_part

TYPE = "submission.status.change"


class Receiver:
    """A server that verifies what comes, and refuses as many deliveries as it is told to."""

    def __init__(self, prolific) -> None:
        self.prolific, self.secret = prolific, ""
        self.events: list[Event] = []
        self.deliveries, self.refuse = 0, 0
        self.url = ""

    def receive(self, headers, raw: bytes) -> int:
        self.deliveries += 1
        if self.refuse > 0:
            self.refuse -= 1
            return 500
        given = headers[TIMESTAMP_HEADER], raw, headers[SIGNATURE_HEADER]
        try:
            self.events.append(verify(self.secret, *given, self.prolific.clock.now(), headers[EVENT_ID_HEADER]))
        except WebhookError:
            return 403
        return 204


@contextmanager
def served(receiver: Receiver) -> Iterator[None]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(receiver.receive(self.headers, raw))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def receiver(prolific, client, live) -> Iterator[Receiver]:
    made = Receiver(prolific)
    with served(made):
        made.secret = client.hook_secret(prolific.world.workspace_id)
        client.create_hook(prolific.world.workspace_id, TYPE, made.url)
        yield made


def statuses(receiver: Receiver) -> list[str]:
    return [event.status for event in receiver.events]


def test_every_change_of_a_submission_is_told_and_signed(prolific, live, receiver):
    submission = take_part(prolific, live.id, 0)
    prolific.clock.advance(60)
    assert sorted(statuses(receiver)) == ["ACTIVE", "AWAITING REVIEW", "RESERVED"]
    assert {event.resource_id for event in receiver.events} == {submission.id}
    assert len({event.id for event in receiver.events}) == 3


def test_events_overtake_one_another(prolific, live, receiver):
    for number in range(6):
        submission = prolific.reserve(live.id, list(prolific.world.people)[number])
        prolific.open_study(submission)
    prolific.clock.advance(60)
    order = {(event.resource_id, event.status): n for n, event in enumerate(receiver.events)}
    overtaken = [r for r, said in order if said == "ACTIVE" and order[r, "ACTIVE"] < order[r, "RESERVED"]]
    assert len(receiver.events) == 12
    assert overtaken


def test_a_refused_delivery_comes_again_under_the_same_id(prolific, live, receiver):
    receiver.refuse = 2
    prolific.reserve(live.id, next(iter(prolific.world.people)))
    prolific.clock.advance(3)
    assert (receiver.deliveries, receiver.events) == (1, [])
    prolific.clock.advance(200)
    (event,) = receiver.events
    (subscription,) = prolific.hooks.subscriptions.values()
    assert receiver.deliveries == 3
    assert event.id == subscription.events[0].id
    assert subscription.events[0].status == "SUCCEEDED"


def test_after_eleven_retries_an_event_is_given_up(prolific, live, receiver):
    receiver.refuse = 10**6
    prolific.open_study(prolific.reserve(live.id, next(iter(prolific.world.people))))
    prolific.clock.advance(86400)
    (subscription,) = prolific.hooks.subscriptions.values()
    assert [delivery.attempts for delivery in subscription.events] == [12, 12, 12]  # reserved, active, timed out
    assert {delivery.status for delivery in subscription.events} == {"FAILED"}
    assert subscription.is_enabled


def test_what_fails_for_five_days_is_switched_off(prolific, live, receiver):
    receiver.refuse = 10**6
    for number in range(6):
        prolific.reserve(live.id, list(prolific.world.people)[number])
        prolific.clock.advance(86400)
    (subscription,) = prolific.hooks.subscriptions.values()
    assert not subscription.is_enabled
    before = receiver.deliveries
    prolific.clock.advance(86400)
    assert receiver.deliveries == before


def test_webhooks_get_lost_doubled_and_late_when_told_to(prolific, live, receiver):
    prolific.hooks.mishaps.extend(["lost", "twice", 600.0])
    take_part(prolific, live.id, 0, minutes=0)
    prolific.clock.advance(60)
    assert statuses(receiver) == ["ACTIVE", "ACTIVE"]
    assert len({event.id for event in receiver.events}) == 1
    prolific.clock.advance(600)
    assert statuses(receiver)[2:] == ["AWAITING REVIEW"]


def test_a_late_delivery_is_signed_when_it_leaves(prolific, live, receiver):
    prolific.hooks.mishaps.append(7200.0)
    prolific.reserve(live.id, next(iter(prolific.world.people)))
    prolific.clock.advance(7300)
    assert "RESERVED" in statuses(receiver)


def test_after_the_secret_was_replaced_the_old_one_no_longer_fits(prolific, client, live, receiver):
    old = receiver.secret
    new = client.hook_secret(prolific.world.workspace_id)
    assert new != old
    prolific.reserve(live.id, next(iter(prolific.world.people)))
    prolific.clock.advance(5)
    assert (receiver.deliveries, receiver.events) == (1, [])
    receiver.secret = new
    prolific.clock.advance(100)
    assert statuses(receiver) == ["RESERVED"]


def test_an_unconfirmed_subscription_hears_nothing(prolific, client, live, receiver):
    (subscription,) = prolific.hooks.subscriptions.values()
    subscription.confirmed = False
    take_part(prolific, live.id, 0)
    prolific.clock.advance(60)
    assert receiver.deliveries == 0
    with pytest.raises(Exception, match="not the one"):
        prolific.hooks.confirm(subscription.id, "wrong")


def test_the_older_body_says_only_what_changed(prolific, live, receiver):
    prolific.hooks.terse = True
    prolific.reserve(live.id, next(iter(prolific.world.people)))
    prolific.clock.advance(5)
    assert receiver.events[0].raw.keys() == {"event_type", "resource_id"}


@pytest.mark.parametrize("target", ["http://listen.example/hook", "ftp://127.0.0.1/x", ""])
def test_only_https_and_this_machine_are_told_anything(prolific, client, target):
    client.hook_secret(prolific.world.workspace_id)
    with pytest.raises(ProlificError, match="https"):
        client.create_hook(prolific.world.workspace_id, TYPE, target)


def test_a_receiver_that_asks_back_while_time_passes_is_answered(prolific, client, live, receiver):
    seen = []
    believe = receiver.receive

    def receive(headers, raw: bytes) -> int:
        answer = believe(headers, raw)
        seen.append(client.submission(receiver.events[-1].resource_id).status)
        return answer

    receiver.receive = receive
    before = prolific.clock.now()
    prolific.open_study(prolific.reserve(live.id, next(iter(prolific.world.people))))
    prolific.clock.advance(60)
    assert seen == ["ACTIVE", "ACTIVE"]
    assert prolific.clock.now() - before == timedelta(minutes=1)
