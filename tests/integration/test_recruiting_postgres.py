"""Prolific tells and is asked at the same moment, by several processes on PostgreSQL: what happens once is written down once."""

import itertools
import json
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from listening.prolific.webhooks import sign
from listening.standin import StandIn
from listening.standin.people import Visit, arrive, consent
from tests.integration.server import REPO, manage, query, running_server

PEOPLE, SECRET = 6, "a secret of the workspace"
PUBLISH = """
from listening.models import Study
from listening.services.recruitment import DraftOptions, connect, create_draft, publish

options = DraftOptions("Listen", "Rate voices.", 150, 6, 100_000, {workspace!r}, {project!r})
with connect() as client:
    publish(create_draft(Study.objects.get(), options, "researcher", client), "researcher", client)
"""
#: Three pollers, which begin when told to.
POLL = """
from concurrent.futures import ThreadPoolExecutor
from listening.models import Recruitment
from listening.services.recruitment import connect
from listening.services.submissions import sync

def poll(number):
    with connect() as client:
        for _ in range(6):
            sync(Recruitment.objects.get(), client)

print("ready", flush=True)
input()
with ThreadPoolExecutor(3) as pool:
    list(pool.map(poll, range(3)))
"""


@pytest.fixture
def standin():
    with StandIn() as standin:
        standin.add_people(4 * PEOPLE)
        yield standin


@pytest.fixture
def environment(standin: StandIn, twelve_plans: dict[str, str]) -> dict[str, str]:
    """An open study of 12 plans."""
    return {
        **twelve_plans,
        "PROLIFIC_BASE_URL": standin.url,
        "PROLIFIC_TOKEN": standin.token,
        "PROLIFIC_WEBHOOK_SECRETS": SECRET,
    }


def come(standin: StandIn, study_id: str, participant_id: str) -> Visit:
    """Somebody comes by the link and consents, and so holds a plan."""
    visit = arrive(standin, study_id, participant_id)
    consent(visit)
    return visit


def deliver(url: str, event_id: str, submission_id: str) -> bytes:
    body = json.dumps({"event_type": "submission.status.change", "resource_id": submission_id}).encode()
    at = str(int(time.time()))
    headers = {
        "X-Prolific-Request-Timestamp": at,
        "X-Prolific-Request-Signature": sign(SECRET, at, body),
        "X-Event-ID": event_id,
    }
    with urllib.request.urlopen(urllib.request.Request(f"{url}/hooks/prolific/", body, headers), timeout=60) as answer:
        return bytes(answer.read())


def test_webhooks_and_polling_at_once_free_each_plan_once_and_store_each_submission_once(environment, standin):
    world = standin.world
    with running_server(environment) as url, ThreadPoolExecutor(16) as pool:
        script = PUBLISH.format(workspace=world.workspace_id, project=world.project_id)
        manage({**environment, "PUBLIC_URL": url}, "shell", "-v0", "-c", script)
        standin.clock.advance(60)
        (study_id,) = world.studies
        first, second = list(world.people)[:PEOPLE], list(world.people)[PEOPLE : 2 * PEOPLE]
        # Half of the readings at arrival fail: these submissions are seen for the first time in the rush, the others change in it.
        standin.inject(path="/submissions/", method="GET", status=503, times=PEOPLE // 2)
        visits = [come(standin, study_id, person) for person in first]
        assert query(environment, "select count(*) from listening_submission") == [(PEOPLE // 2,)]
        for visit in visits:
            standin.give_back(visit.submission)

        # Two events of each submission, each delivered twice, while three pollers read.
        gone = [visit.submission.id for visit in visits]
        events = [(f"{n}-{each}", each) for each in gone for n in (1, 2)] * 2
        command = [sys.executable, "manage.py", "shell", "-v0", "-c", POLL]
        with subprocess.Popen(command, cwd=REPO, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as poller:
            assert poller.stdout.readline() == b"ready\n"
            answers = pool.map(lambda event: deliver(url, *event), events)
            poller.communicate(b"\n", timeout=120)
            assert Counter(answers) == {b"Stored.": 2 * PEOPLE, b"Stored before.": 2 * PEOPLE}
        assert poller.returncode == 0
        rows = "select prolific_id, status, decision, session_id is not null from listening_submission"
        assert sorted(query(environment, rows)) == sorted((each, "RETURNED", "nothing", True) for each in gone)
        assert query(environment, "select state, count(*) from listening_session group by 1") == [("released", PEOPLE)]
        for what in ("what = 'submission status' and data->>'new' = 'RETURNED'", "what = 'decision'"):
            written = f"select count(*), count(distinct submission_id) from listening_auditentry where {what}"
            assert query(environment, written) == [(PEOPLE, PEOPLE)], what

        # Others take the places while the same news comes once more: it frees nothing that is theirs.
        late = [pool.submit(deliver, url, f"late-{n}-{each}", each) for n, each in itertools.product(range(2), gone)]
        coming = [pool.submit(come, standin, study_id, person) for person in second]
        assert {future.result() for future in late} == {b"Stored."}
        assert {future.result().step for future in coming} == {"check"}
    held = "select count(*), count(distinct plan_id) from listening_session where state = 'check'"
    assert query(environment, held) == [(PEOPLE, PEOPLE)]
    assert query(environment, "select count(*) from listening_submission") == [(2 * PEOPLE,)]
    assert query(environment, "select count(*) from listening_webhookevent where processed_at is null") == [(0,)]
