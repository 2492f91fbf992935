"""Scripted participants walk through our own pages over HTTP and come back to the stand-in as they should."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace

import pytest
import requests
import soundfile
from django.core.management import CommandError, call_command

from codecs_runner.screening_sounds.tones import counted_tones
from listening.models import Session
from listening.prolific import PLACEHOLDERS, ProlificClient
from listening.standin import StandIn, people
from tests.integration.server import REPO, free_port


def nothing(_seconds: float) -> None:
    """Hears a clip in no time; for studies that ask for no listening."""


@pytest.fixture
def recruited(study, live_server, prolific, client, remote_draft):
    """Our study, and the one on the stand-in that leads to it."""
    study.minimum_heard_share = 0
    study.save(update_fields=["minimum_heard_share"])
    codes = [
        {"code": study.completion_code, "code_type": "COMPLETED", "actions": [{"action": "MANUALLY_REVIEW"}]},
        {"code": study.failed_check_code, "code_type": "FAILED_ATTENTION_CHECK", "actions": [{"action": "MANUALLY_REVIEW"}]},
        {
            "code": study.no_consent_code,
            "code_type": "NO_CONSENT",
            "actions": [{"action": "REQUEST_RETURN", "return_reason": "You did not consent."}],
        },
    ]
    url = f"{live_server.url}/s/{study.slug}/?{PLACEHOLDERS}"
    made = client.create_study(replace(remote_draft, external_study_url=url, completion_codes=codes, filters=[]))
    client.transition_study(made.id, "PUBLISH")
    prolific.clock.advance(60)
    return made


def come(prolific, recruited, number: int, behaviour: str) -> people.Visit:
    visit = people.arrive(prolific, recruited.id, list(prolific.world.people)[number])
    assert visit.step == "consent"
    assert visit.person.id not in visit.page.url
    people.BEHAVIOURS[behaviour](prolific, visit, random.Random(number), nothing)
    return visit


@pytest.mark.parametrize(
    ("behaviour", "there", "code", "here"),
    [
        ("finish", "AWAITING REVIEW", "completion_code", Session.State.COMPLETED),
        ("fail", "AWAITING REVIEW", "failed_check_code", Session.State.FAILED_CHECK),
        ("decline", "AWAITING REVIEW", "no_consent_code", Session.State.DECLINED),
        ("return", "RETURNED", None, Session.State.RATING),
        ("time_out", "ACTIVE", None, Session.State.RATING),
        ("forget_code", "AWAITING REVIEW", "NOCODE", Session.State.COMPLETED),
    ],
)
def test_a_participant_does_as_told(prolific, client, recruited, study, behaviour, there, code, here):
    visit = come(prolific, recruited, 1, behaviour)
    assert client.submission(visit.submission.id).status == there
    assert visit.submission.entered_code == (getattr(study, code, code) if code else None)
    session = Session.objects.get(study=study, prolific_session_id=visit.submission.id)
    assert session.state == here
    if here == Session.State.COMPLETED:
        assert session.stratum == visit.person.sex.lower()
    answered = session.trials.exclude(answered_at=None).count()
    assert answered == {"finish": 3, "forget_code": 3, "return": 1, "time_out": 1}.get(behaviour, 0)


def test_who_never_comes_back_times_out(prolific, client, recruited):
    visit = come(prolific, recruited, 0, "time_out")
    prolific.clock.advance(60 * recruited.raw["maximum_allowed_time"])
    assert client.submission(visit.submission.id).status == "TIMED-OUT"


def test_many_are_sent_until_enough_were_let_in(prolific, client, recruited):
    assert people.send(prolific, recruited.id, 4, people.finish, nothing) == 4
    assert client.submission_counts(recruited.id)["AWAITING REVIEW"] == 4
    assert people.send(prolific, recruited.id, 9, people.finish, nothing) == 2, "the study has six places"


@pytest.mark.parametrize("count", range(1, 10))
def test_tones_are_counted_by_ear(count, tmp_path):
    soundfile.write(tmp_path / "tones.flac", counted_tones(count), 48000)
    assert people.count_tones((tmp_path / "tones.flac").read_bytes()) == count


def test_a_page_without_a_code_is_said(prolific, recruited):
    visit = people.arrive(prolific, recruited.id, next(iter(prolific.world.people)))
    with pytest.raises(people.LostError, match="gives no code"):
        people.submit(prolific, visit)


def test_the_command_serves_a_stand_in_that_a_client_can_use(tmp_path):
    port = free_port()
    command = [sys.executable, "manage.py", "prolific_standin", "--port", str(port), "--virtual-clock", "--people", "30"]
    environment = {**os.environ, "DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    process = subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.PIPE, text=True)
    timer = threading.Timer(60, process.kill)
    timer.start()
    try:
        assert process.stdout
        said = process.stdout.readline() + process.stdout.readline()
        assert f"PROLIFIC_BASE_URL=http://127.0.0.1:{port}" in said
        with ProlificClient(f"http://127.0.0.1:{port}", "standin", attempts=1) as client:
            assert client.eligibility_count([], client.workspaces()[0].id) == 30
        with pytest.raises(CommandError, match="name another with --port"):
            call_command("prolific_standin", port=port)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20) == 0
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


def test_people_come_in_the_background_when_asked_over_http(prolific, recruited):
    sent = requests.post(f"{prolific.url}/standin/arrivals/", json={"study": recruited.id, "count": 1, "behaviour": "decline"})
    assert sent.status_code == 202
    deadline = time.monotonic() + 20
    while not any(each.completed_at for each in prolific.world.submissions.values()) and time.monotonic() < deadline:
        time.sleep(0.05)
    (submission,) = prolific.world.submissions.values()
    assert submission.return_requested
    unknown = requests.post(f"{prolific.url}/standin/arrivals/", json={"study": recruited.id, "behaviour": "dance"})
    assert "decline" in json.loads(unknown.text)["error"]["detail"]


def test_the_same_seed_makes_the_same_people():
    first, second, other = StandIn(seed=1), StandIn(seed=1), StandIn(seed=2)
    try:
        ids = [[person.id for person in each.add_people(3)] for each in (first, second, other)]
    finally:
        for each in (first, second, other):
            each._server.server_close()
    assert ids[0] == ids[1] != ids[2]
