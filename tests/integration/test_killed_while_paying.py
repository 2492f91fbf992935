"""Processes that are really killed around the payment of a bonus, and others that come after them."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.utils import timezone

from listening.models import Bonus, Submission
from listening.services.bonuses import order_bonuses, pay_bonuses
from listening.services.reconcile import reconcile, stored_differences
from listening.standin.server import Exchange
from tests.integration.recruiting import WHO
from tests.integration.server import REPO, manage
from tests.integration.test_recruitment import decide_everything

pytestmark = pytest.mark.django_db(transaction=True)

#: Pays an order; stands still as soon as a certain line is in the audit log, which is written after each state.
PAY = """
import time
from uuid import UUID
from listening.services import bonuses
from listening.services.recruitment import connect

write = bonuses.note

def note(recruitment, who, what, *rest, **data):
    write(recruitment, who, what, *rest, **data)
    if what == {line!r}:
        print("here", flush=True)
        time.sleep(600)

bonuses.note = note
bonuses.pay_bonuses(UUID({key!r}), connect())
"""
#: Reconciles, then pays orders, as a person would who reads the page; says what was to do before.
RECONCILE = """
import json
from uuid import UUID
from listening.models import Recruitment
from listening.services.bonuses import pay_bonuses
from listening.services.reconcile import reconcile
from listening.services.recruitment import connect

with connect() as client:
    found = reconcile(Recruitment.objects.get(), client).differences
    for key in {keys!r}:
        pay_bonuses(UUID(key), client)
        pay_bonuses(UUID(key), client)
print(json.dumps([(one.submission.pk, one.to_do) for one in found]))
"""
TO_DO_SET_UP = "Set up and not paid: pay it, or cancel it."
TO_DO_UNCERTAIN = "May have been paid. It is found out by reading; do not pay it on Prolific."
TO_DO_PLANNED = "Ordered and not paid: pay it, or cancel it."


@pytest.fixture
def environment(world, settings):
    """Our own processes, on this test's database and its stand-in."""
    return {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "PARTICIPANT_KEYS": ",".join(settings.PARTICIPANT_KEYS),
        "PROLIFIC_BASE_URL": world.standin.url,
        "PROLIFIC_TOKEN": world.standin.token,
    }


def start_paying(environment, key: UUID, line: str = "") -> subprocess.Popen[str]:
    script = PAY.format(key=str(key), line=line)
    command = [sys.executable, "manage.py", "shell", "-v0", "-c", script]
    return subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.PIPE, text=True)


def reconcile_elsewhere(environment, *keys: UUID) -> dict[int, str]:
    """What a fresh process finds to do, by submission, before it pays the orders."""
    script = RECONCILE.format(keys=[str(key) for key in keys])
    return dict(json.loads(manage(environment, "shell", "-v0", "-c", script)))


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def states() -> list[str]:
    return list(Bonus.objects.order_by("pk").values_list("state", flat=True))


def let_time_pass(**time_ago: int) -> None:
    Bonus.objects.filter(paying_at__isnull=False).update(paying_at=timezone.now() - timedelta(**time_ago))


def test_processes_killed_around_a_payment_leave_nobody_paid_twice_and_nobody_forgotten(world, environment, monkeypatch):
    visits = [world.send("finish") for _ in range(3)]
    decide_everything(world)
    rows = [Submission.objects.get(prolific_id=visit.submission.id) for visit in visits]
    keys = [uuid4() for _ in rows]
    for row, key in zip(rows, keys, strict=True):
        order_bonuses(world.recruitment, {row: 50}, "Bonus", WHO, key)
    go_on = threading.Event()
    monkeypatch.setattr(Exchange, "wait", staticmethod(lambda seconds: go_on.wait(60)))
    world.standin.inject(path="/pay/", latency_s=1)

    # Killed: after set-up is recorded; when payment is recorded and not sent; while payment is on its way.
    processes = [
        start_paying(environment, keys[0], "bonus set up"),
        start_paying(environment, keys[1], "bonus payment sent"),
        start_paying(environment, keys[2]),
    ]
    try:
        assert [process.stdout.readline() for process in processes[:2]] == ["here\n", "here\n"]
        wait_for(lambda: any("/pay/" in call["path"] for call in world.standin.log))
    finally:
        for process in processes:
            process.kill()
            process.communicate(timeout=10)
    assert [process.returncode for process in processes] == [-signal.SIGKILL] * 3
    assert states() == [Bonus.State.SET_UP, Bonus.State.PAYING, Bonus.State.PAYING]
    go_on.set()
    wait_for(lambda: [batch.payments for batch in world.standin.world.batches.values()].count(1) == 1)
    world.standin.clock.advance(60)

    for key in keys[1:]:
        pay_bonuses(key, world.client)
    assert states() == [Bonus.State.SET_UP, Bonus.State.PAYING, Bonus.State.PAYING], "what may be paid is not paid again"
    assert {one.to_do for one in stored_differences(world.recruitment)} == {TO_DO_SET_UP, "Being paid."}

    let_time_pass(minutes=3)
    assert reconcile_elsewhere(environment, *keys[1:]) == {rows[0].pk: TO_DO_SET_UP, rows[1].pk: TO_DO_UNCERTAIN}
    assert states() == [Bonus.State.SET_UP, Bonus.State.UNCERTAIN, Bonus.State.PAID]

    let_time_pass(hours=2)
    assert reconcile_elsewhere(environment, *keys) == {rows[0].pk: TO_DO_SET_UP, rows[1].pk: TO_DO_PLANNED}
    assert states() == [Bonus.State.PAID] * 3
    world.standin.clock.advance(60)
    assert [world.standin.bonus_received(visit.person.id) for visit in visits] == [50, 50, 50]
    result = reconcile(world.recruitment, world.client)
    assert result.agrees
    assert [amount.theirs_minor for amount in result.amounts] == [3 * 150, 3 * 50]
