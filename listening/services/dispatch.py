"""Hand jobs to audio workers through the broker. The workers get plain values and hold no database password.

A job that was sent stays queued, with a lease for its message. A worker that takes the message says so, and again every period while it
works: then the job is claimed, with a lease for that worker. Whatever the broker, a worker or this process loses, a lease runs out and
the job is sent again. Nothing here has to happen in order or only once.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from celery import Celery, current_app
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from codecs_runner.jobs import RenderResult
from listening.models import Job
from listening.services.stimuli import claim_jobs, job_value, record_result

# Stands in a job's row before the name of the worker that took it, and alone while nobody has.
ELSEWHERE = "celery"
RENDER_QUEUE = "render"
# Results come back to this queue, not to the audio workers' own, where nobody could write them down.
OUR_QUEUE = "celery"

# All times are periods of the sweep. A message that nobody took is lost if no message waits at the broker for so long.
SENT_PERIODS = 1.5
# A worker has died if it was silent for so long; it speaks once a period.
CLAIMED_PERIODS = 4
# A lease that ended longer ago than this ended while we or the broker were away.
DEAF_PERIODS = 3


def hint() -> None:
    """Wake the workers once the current transaction is stored. Without a broker, `manage.py worker` finds the rows by itself."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: current_app.send_task("listening.dispatch"), robust=True)


def send_due_jobs() -> int:
    """Send what is due in chunks; return the number of jobs sent."""
    trust_leases()
    sent = 0
    while jobs := claim_jobs(ELSEWHERE, hold=offer):
        send("codecs_runner.render_jobs", [(job, job_value(job).to_dict()) for job in jobs], "listening.record_results")
        sent += len(jobs)
    return sent


def send(task: str, jobs: Sequence[tuple[Job, dict[str, Any]]], record: str) -> None:
    """Send jobs with their values to the audio workers; results go to our task ``record``, signs of life to `note_alive`.

    What was begun before and never came back goes alone: what kills a worker shall not be the end of all that stands in one list with it.
    """
    fresh = [value for job, value in jobs if not job.attempts]
    for values in [fresh, *([value] for job, value in jobs if job.attempts)]:
        if values:
            _send(task, values, record)


def _send(task: str, jobs: list[dict[str, Any]], record: str) -> None:
    alive = current_app.signature("listening.note_alive", queue=OUR_QUEUE)
    current_app.send_task(
        task,
        args=[jobs],
        kwargs={"alive": {"task": alive, "every_s": settings.SWEEP_S}},
        link=current_app.signature(record, queue=OUR_QUEUE),
        queue=RENDER_QUEUE,
        ignore_result=True,  # the results travel by the link, and nobody looks for them elsewhere
    )


def offer(jobs: Sequence[Job], worker: str = ELSEWHERE) -> None:
    """Note that jobs, found under a lock, are being sent. That is no attempt: nobody has begun them."""
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=Job.State.QUEUED, worker=worker, lease_expires_at=timezone.now() + _periods(SENT_PERIODS)
    )


def note_alive(keys: Sequence[str], worker: str, begun: bool) -> None:
    """A worker has begun jobs with these keys, or is still doing them."""
    open_jobs = Job.objects.filter(key__in=keys, state__in=(Job.State.QUEUED, Job.State.CLAIMED))
    with transaction.atomic():
        # Where the word that it had begun was lost, the first that arrives counts.
        (open_jobs if begun else open_jobs.filter(state=Job.State.QUEUED)).update(attempts=F("attempts") + 1)
        open_jobs.update(
            state=Job.State.CLAIMED,
            worker=f"{ELSEWHERE}:{worker}"[: Job._meta.get_field("worker").max_length],
            lease_expires_at=timezone.now() + _periods(CLAIMED_PERIODS),
        )


def trust_leases() -> None:
    """Give more time to what need not be lost: messages while some wait at the broker, and all whose lease ended while nobody looked.

    Messages are taken in the order in which they were sent, so what was sent and not begun may be among those that wait.
    """
    now = timezone.now()
    sent = Job.objects.filter(state=Job.State.QUEUED, worker=ELSEWHERE).exclude(lease_expires_at=None)
    claimed = Job.objects.filter(state=Job.State.CLAIMED, worker__startswith=f"{ELSEWHERE}:")
    if sent.exists():
        unheard = Q(lease_expires_at__lt=now - _periods(DEAF_PERIODS))
        (sent if messages_waiting(current_app) else sent.filter(unheard)).update(lease_expires_at=now + _periods(SENT_PERIODS))
    claimed.filter(lease_expires_at__lt=now - _periods(DEAF_PERIODS)).update(lease_expires_at=now + _periods(CLAIMED_PERIODS))


def messages_waiting(app: Celery) -> int:
    """How many lists of jobs wait at the broker for a worker to take them."""
    with app.connection_for_read() as connection:
        try:
            return int(connection.default_channel.queue_declare(RENDER_QUEUE, passive=True).message_count)
        except connection.channel_errors:  # there is no such queue, which is what a broker makes of an empty one
            return 0


def record_results(results: list[dict[str, Any]]) -> None:
    """Write down results by their keys. Delivered twice, or after another worker was faster, they change nothing.

    They may come in parts while a list is being done. A stimulus is welcome however late it comes: its job may have been given up
    meanwhile, but its file is in the store. A failure counts while its job is with a worker, as far as we know.
    """
    told = [RenderResult.from_dict(value) for value in results]
    for result in told:
        under_way = Q(state=Job.State.CLAIMED) | Q(state=Job.State.QUEUED, lease_expires_at__isnull=False)
        wanted = ~Q(state=Job.State.DONE) if result.ok else under_way
        for job in Job.objects.filter(wanted, key=result.key).select_related("stimulus"):
            record_result(job.stimulus, result)


def _periods(n: float) -> timedelta:
    return timedelta(seconds=n * settings.SWEEP_S)
