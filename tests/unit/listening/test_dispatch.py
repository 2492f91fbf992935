"""What becomes of jobs that go to audio workers through a broker which may forget, repeat and delay everything."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from codecs_runner.errors import CodecError
from codecs_runner.jobs import RenderResult
from codecs_runner.rendering import render
from listening import tasks
from listening.models import Job, Stimulus
from listening.services import dispatch, scores
from listening.services.dispatch import note_alive, record_results, send_due_jobs
from listening.services.operations import problems
from listening.services.stimuli import claim_jobs, due_jobs, job_value, store
from listening.services.studies import queue_stimuli


class Broker:
    """Takes messages, and forgets them when told to."""

    def __init__(self):
        self.lists = []

    def send(self, task, jobs, record):
        self.lists.append([job["key"] for job in jobs])

    def take(self):
        keys = self.lists.pop(0)
        note_alive(keys, "w", begun=True)
        return keys


@pytest.fixture
def broker(monkeypatch, draft):
    queue_stimuli(draft)
    broker = Broker()
    monkeypatch.setattr(dispatch, "_send", broker.send)
    monkeypatch.setattr(dispatch, "messages_waiting", lambda app: len(broker.lists))
    return broker


def later(settings, periods):
    """Time passes: all leases are so much older."""
    for job in Job.objects.exclude(lease_expires_at=None):
        Job.objects.filter(pk=job.pk).update(
            lease_expires_at=job.lease_expires_at - timedelta(seconds=periods * settings.SWEEP_S)
        )


def states():
    return set(Job.objects.values_list("state", "attempts"))


def made(key):
    job = Job.objects.filter(key=key).select_related("stimulus__source_clip").first()
    assert job is not None
    return render(job_value(job), store()).to_dict()


def test_a_message_that_waits_at_the_broker_is_not_sent_again_however_long_it_waits(broker, settings):
    assert send_due_jobs() == 12
    for _ in range(50):
        later(settings, 1)
        assert send_due_jobs() == 0
    assert states() == {(Job.State.QUEUED, 0)}, "no job was tried, so none was given up"


def test_a_message_that_the_broker_forgot_is_sent_again_soon(broker, settings):
    send_due_jobs()
    broker.lists.clear()
    assert send_due_jobs() == 0, "perhaps a worker has just taken it"
    later(settings, dispatch.SENT_PERIODS + 0.1)
    assert send_due_jobs() == 12
    assert states() == {(Job.State.QUEUED, 0)}


def test_a_job_that_a_worker_does_is_not_sent_again_while_it_says_so(broker, settings):
    send_due_jobs()
    keys = broker.take()
    for _ in range(50):
        later(settings, 1)
        assert send_due_jobs() == 0
        note_alive(keys, "w", begun=False)
    assert states() == {(Job.State.CLAIMED, 1)}
    assert set(Job.objects.values_list("worker", flat=True)) == {"celery:w"}


def test_a_worker_that_falls_silent_loses_its_jobs_and_three_of_them_fail_them(broker, settings):
    for _ in range(Job.MAX_ATTEMPTS):
        assert send_due_jobs() == 12
        while broker.lists:
            broker.take()
        later(settings, dispatch.CLAIMED_PERIODS - 0.5)
        assert send_due_jobs() == 0
        later(settings, 1)
    assert send_due_jobs() == 0
    assert states() == {(Job.State.FAILED, 3)}
    assert "started 3 times" in Stimulus.objects.first().error


def test_a_clip_that_kills_workers_fails_alone(broker, settings):
    send_due_jobs()
    deadly = broker.lists[0][5]
    for _ in range(Job.MAX_ATTEMPTS):
        while broker.lists:
            keys = broker.take()
            if deadly not in keys:
                record_results([made(key) for key in keys])
        later(settings, dispatch.CLAIMED_PERIODS + 0.1)
        send_due_jobs()
    assert dict(Job.objects.values_list("key", "state")).pop(deadly) == Job.State.FAILED
    assert set(Job.objects.exclude(key=deadly).values_list("state", flat=True)) == {Job.State.DONE}


def test_a_lease_that_ended_while_nobody_looked_is_given_one_more_chance(broker, settings):
    """A worker that spoke while the broker was away was not heard; it gets the time to speak again."""
    send_due_jobs()
    keys = broker.take()
    later(settings, 1000)
    assert send_due_jobs() == 0
    note_alive(keys, "w", begun=False)
    later(settings, dispatch.CLAIMED_PERIODS + 0.5)
    assert send_due_jobs() == 12, "a worker that is dead is not waited for a second time"
    broker.lists.clear()
    later(settings, 1000)
    assert send_due_jobs() == 0
    later(settings, dispatch.SENT_PERIODS + 0.5)
    assert send_due_jobs() == 12, "nor is a message that is lost"


def test_a_worker_whose_first_word_was_lost_has_its_jobs_all_the_same(broker, settings):
    send_due_jobs()
    note_alive(broker.lists.pop(), "w", begun=False)
    assert states() == {(Job.State.CLAIMED, 1)}


def test_a_list_that_is_delivered_twice_ends_once(broker, settings):
    send_due_jobs()
    keys = broker.lists.pop()
    results = [made(key) for key in keys]
    note_alive(keys, "w1", begun=True)
    note_alive(keys, "w2", begun=True)
    record_results(results)
    before = list(Stimulus.objects.order_by("pk").values()), list(Job.objects.order_by("pk").values())
    record_results(results)
    late = [RenderResult.failure(key, CodecError("disk_full", "The disk is full.")).to_dict() for key in keys]
    for told in (late, results):
        note_alive(keys, "w2", begun=True)
        record_results(told)
        note_alive(keys, "w2", begun=False)
    assert (list(Stimulus.objects.order_by("pk").values()), list(Job.objects.order_by("pk").values())) == before
    assert set(Job.objects.values_list("state", flat=True)) == {Job.State.DONE}


def test_a_failure_that_is_told_late_does_not_end_a_new_try(broker, settings, draft):
    send_due_jobs()
    keys = broker.take()
    failures = [RenderResult.failure(key, CodecError("disk_full", "The disk is full.")).to_dict() for key in keys]
    record_results(failures)
    assert states() == {(Job.State.FAILED, 1)}
    queue_stimuli(draft)
    record_results(failures)
    assert states() == {(Job.State.QUEUED, 0)}
    assert due_jobs().count() == 12


def test_no_local_worker_takes_what_was_sent(broker, settings):
    send_due_jobs()
    assert claim_jobs("here") == []
    later(settings, dispatch.SENT_PERIODS + 0.1)
    assert len(claim_jobs("here")) == 12


def test_messages_that_no_worker_takes_are_told_to_a_person(broker, settings):
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    send_due_jobs()
    assert "no-worker" in {problem.key for problem in problems()}
    broker.take()
    assert "no-worker" not in {problem.key for problem in problems()}


@pytest.mark.parametrize(("task", "service"), [(tasks.record_results, dispatch), (tasks.record_scores, scores)])
def test_results_wait_for_a_database_that_is_away(monkeypatch, task, service):
    name, told = task.name.rpartition(".")[2], []

    def record(results):
        told.append(results)
        if len(told) < 5:
            raise OperationalError("the database system is shutting down")

    monkeypatch.setattr(service, name, record)
    task.apply(args=[["result"]]).get()
    assert told == [["result"]] * 5
