"""How the installation is doing: figures for whoever measures it, and the problems that need a person."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Max, Min, QuerySet
from django.utils import timezone

from codecs_runner.places import is_bucket
from listening.models import Bonus, Event, Job, Rating, Recruitment, Session, Stimulus, Study, Submission, WebhookEvent
from listening.services.balance import free_plans
from listening.services.stimuli import unavailable_conditions, untaken_jobs

LEAST_FREE_BYTES = 1_000_000_000
RECENT = timedelta(minutes=10)
#: Answers that are looked at for how often they were sent; more than this in ten minutes are told by the latest.
LATEST = 2000


@dataclass(frozen=True)
class Figure:
    """One number. ``counter`` figures only grow."""

    name: str
    help: str
    value: float
    labels: tuple[tuple[str, str], ...] = ()
    counter: bool = False


@dataclass(frozen=True)
class Problem:
    """Something that needs a person; ``key`` stays the same while it lasts."""

    key: str
    sentence: str


def figures() -> Iterator[Figure]:
    """All figures, none of which scans a table that grows with ratings."""
    sessions = dict(Session.objects.order_by().values_list("state").annotate(n=Count("pk")))
    for state in Session.State.values:
        yield Figure("listening_sessions", "Sessions by state.", sessions.get(state, 0), (("state", state),))
    yield Figure("listening_ratings", "Ratings ever stored.", _highest(Rating), counter=True)
    help_text = f"Tries that did not deliver an answer which then came in the last {RECENT.seconds // 60} minutes."
    yield Figure("listening_outbox_retries", help_text, _retries())
    yield Figure("listening_events", "Noteworthy events ever logged.", _highest(Event), counter=True)
    counted = Job.objects.order_by().values_list("kind", "state").annotate(n=Count("pk"))
    jobs = {(kind, state): n for kind, state, n in counted}
    for kind in Job.Kind.values:
        for state in Job.State.values:
            labels = (("kind", kind), ("state", state))
            yield Figure("listening_jobs", "Jobs by kind and state.", jobs.get((kind, state), 0), labels)
    help_text = "Age of the oldest stimulus that waits and can be made here, in seconds."
    yield Figure("listening_oldest_due_job_seconds", help_text, _age(_oldest_due()))
    for device, seconds in sorted(_device_seconds().items()):
        help_text = f"Seconds of rendering finished in the last {RECENT.seconds // 60} minutes, by device."
        yield Figure("listening_device_busy_seconds", help_text, seconds, (("device", device),))
    for study in Study.objects.filter(status=Study.Status.OPEN, sandbox=None):
        label = (("study", study.slug),)
        yield Figure("listening_free_plans", "Places still to fill.", free_plans(study).count(), label)
    for recruitment in _read_by_api():
        label = (("study", recruitment.study.slug),)
        yield Figure(
            "listening_prolific_lag_seconds", "Since Prolific was read, in seconds.", _age(recruitment.synced_at), label
        )
    yield Figure(
        "listening_prolific_unsent",
        "Decisions Prolific has not been told.",
        Submission.objects.filter(decision_sent=False).count(),
    )
    uncertain = Bonus.objects.filter(state__in=(Bonus.State.PAYING, Bonus.State.UNCERTAIN)).count()
    yield Figure("listening_bonuses_uncertain", "Bonuses whose payment was cut short.", uncertain)
    yield Figure(
        "listening_webhooks_waiting", "Events not processed yet.", WebhookEvent.objects.filter(processed_at=None).count()
    )
    for place, free in _free_bytes().items():
        yield Figure("listening_disk_free_bytes", "Room on the disk of a store, in bytes.", free, (("store", place),))


def problems() -> list[Problem]:
    """What needs a person now, worst first."""
    now = timezone.now()
    found = [
        Problem(f"disk:{name}", f"The disk of {name} has less than 1 GB free; stimuli and exports will fail soon.")
        for name, free in _free_bytes().items()
        if free < LEAST_FREE_BYTES
    ]
    stall = timedelta(minutes=settings.ALERT_STALL_MINUTES)
    for study in Study.objects.filter(status=Study.Status.OPEN, sandbox=None, opened_at__lt=now - stall):
        last = _last_answer(study) or study.opened_at or now
        if last < now - stall and free_plans(study).exists():
            minutes = round((now - last).total_seconds() / 60)
            sentence = f"The study {study} is open and not full, and nobody has answered for {minutes} minutes."
            found.append(Problem(f"stalled:{study}", sentence))
    for recruitment in _read_by_api().filter(study__status=Study.Status.OPEN):
        lag = _age(recruitment.synced_at or recruitment.created_at)
        if lag > max(10 * settings.PROLIFIC_POLL_S, 600):
            why = f" ({recruitment.sync_error})" if recruitment.sync_error else ""
            sentence = f"Prolific has not been read for {recruitment.study} for {round(lag / 60)} minutes{why}."
            found.append(Problem(f"prolific:{recruitment.study}", sentence))
    if (age := _age(_oldest_due())) > RECENT.total_seconds():
        working = Job.objects.filter(finished_at__gte=now - RECENT).exists()
        if not working:
            sentence = f"Stimuli have waited for {round(age / 60)} minutes and no worker makes any; see that one is running."
            found.append(Problem("no-worker", sentence))
    failed = Job.objects.filter(state=Job.State.FAILED, finished_at__gte=now - timedelta(hours=1)).count()
    if failed:
        found.append(Problem("failed-jobs", f"{failed} stimuli failed in the last hour; their rows say why."))
    return found


def _last_answer(study: Study) -> datetime | None:
    found = study.sessions.filter(preview=False).aggregate(last=Max("trials__answered_at"))
    last: datetime | None = found["last"]
    return last


def _read_by_api() -> QuerySet[Recruitment]:
    return Recruitment.objects.exclude(prolific_study_id=None).select_related("study")


def _oldest_due() -> datetime | None:
    """When the oldest job was made that a worker could take; those whose weights are missing wait for another machine."""
    waiting = untaken_jobs().order_by()
    missing = unavailable_conditions(waiting.values_list("stimulus__condition", flat=True).distinct())
    oldest: datetime | None = waiting.exclude(stimulus__condition__in=missing).aggregate(oldest=Min("created_at"))["oldest"]
    return oldest


def _device_seconds() -> dict[str, float]:
    spent: dict[str, float] = {}
    made = Stimulus.objects.filter(status=Stimulus.Status.READY, updated_at__gte=timezone.now() - RECENT)
    for sidecar in made.values_list("sidecar", flat=True).iterator():
        device = str(sidecar.get("device", "cpu"))
        spent[device] = spent.get(device, 0.0) + float(sidecar.get("seconds", 0.0))
    return spent


def _free_bytes() -> dict[str, int]:
    free = {}
    for name in ("SOURCE_STORE", "STIMULUS_STORE", "DATA_DIR"):
        where = getattr(settings, name)
        if not is_bucket(where):
            there = next(path for path in (Path(where), *Path(where).parents) if path.exists())
            free[name] = shutil.disk_usage(there).free
    return free


def _retries() -> int:
    latest = Rating.objects.order_by("-pk").values_list("trial", "received_at", "trial__listening__tries")[:LATEST]
    tries = {trial: tries or 1 for trial, received_at, tries in latest if received_at >= timezone.now() - RECENT}
    return sum(tries.values()) - len(tries)


def _highest(model: type[Rating] | type[Event]) -> int:
    return model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _age(since: datetime | None) -> float:
    return (timezone.now() - since).total_seconds() if since else 0.0
