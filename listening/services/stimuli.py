"""Make stimuli: the job table, its workers, and what comes back from them."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render_many
from codecs_runner.places import open_place
from codecs_runner.registry import availability, get_condition
from codecs_runner.store import Store
from listening.models import Job, SourceClip, Stimulus

LEASE = timedelta(minutes=15)
SENT_AT_ONCE = 64  # jobs in one message to a worker elsewhere
CLAIMED_AT_ONCE = 256  # jobs that a worker in this process spreads over its cores


def store() -> Store:
    """The stimulus store of this installation."""
    return Store(settings.STIMULUS_STORE)


def ensure_stimuli(clips: Sequence[SourceClip], conditions: Sequence[str]) -> int:
    """A stimulus row for each clip through each condition, and a job for each that is not ready; return the number of new jobs.

    A stimulus that failed earlier is offered again: what made it fail (a missing weight, a full disk) may have been mended.
    """
    Stimulus.objects.bulk_create(
        [Stimulus(source_clip=clip, condition=slug) for clip in clips for slug in conditions],
        ignore_conflicts=True,
        batch_size=500,
    )
    unready = Stimulus.objects.filter(source_clip__in=clips, condition__in=conditions).exclude(status=Stimulus.Status.READY)
    with transaction.atomic():
        again = Job.objects.filter(kind=Job.Kind.RENDER, stimulus__in=unready, state=Job.State.FAILED).update(
            state=Job.State.QUEUED, attempts=0, finished_at=None
        )
        unready.filter(status=Stimulus.Status.FAILED).update(status=Stimulus.Status.PENDING, error="")
        new = unready.exclude(jobs__kind=Job.Kind.RENDER)
        jobs = Job.objects.bulk_create([Job(stimulus=stimulus) for stimulus in new], ignore_conflicts=True, batch_size=500)
    return again + len(jobs)


def due_jobs(kind: Job.Kind = Job.Kind.RENDER) -> QuerySet[Job]:
    """Jobs that wait, and jobs whose message was lost or whose worker fell silent."""
    unheld = Q(state=Job.State.QUEUED, lease_expires_at=None)
    lost = Q(state__in=(Job.State.QUEUED, Job.State.CLAIMED), lease_expires_at__lt=timezone.now())
    return Job.objects.filter(unheld | lost, kind=kind)


def untaken_jobs(kind: Job.Kind = Job.Kind.RENDER) -> QuerySet[Job]:
    """Jobs that no worker does, whether or not they were sent to one."""
    return Job.objects.filter(kind=kind, state=Job.State.QUEUED) | due_jobs(kind)


def lease(jobs: Sequence[Job], worker: str) -> None:
    """Give jobs, found under a lock, to a worker."""
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
        state=Job.State.CLAIMED, worker=worker, attempts=F("attempts") + 1, lease_expires_at=timezone.now() + LEASE
    )


def claim_jobs(
    worker: str,
    limit: int = SENT_AT_ONCE,
    only: QuerySet[Stimulus] | None = None,
    hold: Callable[[Sequence[Job], str], None] = lease,
) -> list[Job]:
    """Claim due jobs for a worker. ``only`` narrows them to these stimuli; ``hold`` notes whose they are. No job has two holders.

    A job that was claimed MAX_ATTEMPTS times and never came back is failed: something in it kills workers. Jobs whose condition
    cannot run here are left for a machine where it can. What gains by being rendered together (`Condition.work_group`) comes together.
    """
    with transaction.atomic():
        candidates = due_jobs().select_related("stimulus__source_clip").order_by("pk")
        if only is not None:
            candidates = candidates.filter(stimulus__in=only)
        candidates = lock(candidates)
        conditions = set(due_jobs().order_by().values_list("stimulus__condition", flat=True).distinct())
        runnable = [slug for slug in conditions if availability(slug).ok]
        for job in candidates.filter(attempts__gte=Job.MAX_ATTEMPTS):
            _fail(job.stimulus, f"Rendering was started {job.attempts} times and never ended; the worker's log says why.")
        together = [When(stimulus__condition=slug, then=Value(get_condition(slug).work_group)) for slug in runnable]
        order = Case(*together, default=Value("")), "stimulus__source_clip_id", "pk"
        claimed = list(candidates.filter(stimulus__condition__in=runnable).order_by(*order)[:limit])
        hold(claimed, worker)
    return claimed


def give_back(worker: str) -> None:
    """Queue again what a worker had claimed when it lost the database; that is no attempt of its jobs."""
    Job.objects.filter(worker=worker, state=Job.State.CLAIMED).update(
        state=Job.State.QUEUED, attempts=F("attempts") - 1, lease_expires_at=None
    )


def lock(candidates: QuerySet[Job]) -> QuerySet[Job]:
    """The same jobs, those that another claim holds left out where the database can."""
    if connection.features.has_select_for_update_skip_locked:
        return candidates.select_for_update(skip_locked=True, of=("self",))
    return candidates


def end_job(stimulus: Stimulus, kind: Job.Kind, state: Job.State) -> None:
    """Write down that a job is over."""
    Job.objects.filter(stimulus=stimulus, kind=kind).update(state=state, finished_at=timezone.now(), lease_expires_at=None)


def job_value(job: Job) -> RenderJob:
    """The job as a plain value, which any worker can do without our database; its key is noted in the row."""
    clip = job.stimulus.source_clip
    value = RenderJob(
        source=open_place(settings.SOURCE_STORE).address(clip.file), source_sha256=clip.sha256, condition=job.stimulus.condition
    )
    if job.key != value.key:
        job.key = value.key
        job.save(update_fields=["key"])
    return value


def record_result(stimulus: Stimulus, result: RenderResult) -> None:
    """Write down how a job ended. Told twice, it writes the same."""
    if not result.ok:
        _fail(stimulus, result.message)
        return
    with transaction.atomic():
        Stimulus.objects.filter(pk=stimulus.pk).update(
            status=Stimulus.Status.READY,
            key=result.key,
            audio_sha256=result.sidecar["audio_sha256"],
            duration_s=result.sidecar["duration_s"],
            payload_bps=result.sidecar["payload_bps"],
            sidecar=result.sidecar,
            error="",
            updated_at=timezone.now(),
        )
        end_job(stimulus, Job.Kind.RENDER, Job.State.DONE)


def _fail(stimulus: Stimulus, message: str) -> None:
    with transaction.atomic():
        Stimulus.objects.filter(pk=stimulus.pk).update(status=Stimulus.Status.FAILED, error=message, updated_at=timezone.now())
        end_job(stimulus, Job.Kind.RENDER, Job.State.FAILED)


def worker_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


def work(only: QuerySet[Stimulus] | None = None, on_result: Callable[[Stimulus, RenderResult], None] | None = None) -> int:
    """Claim and render in this process until nothing is due; return the number of jobs done. ``on_result`` hears of each."""
    done = 0
    while jobs := claim_jobs(worker_name(), CLAIMED_AT_ONCE, only):
        for stimulus, result in _render(jobs):
            record_result(stimulus, result)
            done += 1
            if on_result is not None:
                on_result(stimulus, result)
    return done


def _render(jobs: Sequence[Job]) -> Iterator[tuple[Stimulus, RenderResult]]:
    waiting: dict[str, list[Stimulus]] = {}
    values = []
    for job in jobs:
        value = job_value(job)
        if value.key not in waiting:
            values.append(value)
        # Two stimuli share a key when one recording is in two corpora.
        waiting.setdefault(value.key, []).append(job.stimulus)
    renewed = timezone.now()
    for result in render_many(values, store()):
        if timezone.now() - renewed > LEASE / 10:
            renewed = timezone.now()
            Job.objects.filter(pk__in=[job.pk for job in jobs], state=Job.State.CLAIMED).update(
                lease_expires_at=renewed + LEASE
            )
        for stimulus in waiting[result.key]:
            yield stimulus, result


def unavailable_conditions(conditions: Iterable[str]) -> dict[str, str]:
    """The conditions that cannot be rendered here, each with what to do about it."""
    return {slug: found.reason for slug in conditions if not (found := availability(slug)).ok}
