"""Sandboxes: a copy of a study that simulated raters take, to see what the study itself would give, and to be thrown away."""

import logging
import shutil
import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q
from django.utils import timezone

from listening.models import (
    ConditionResult,
    Event,
    Participant,
    Plan,
    PlanTrial,
    Rating,
    Sandbox,
    Session,
    Stimulus,
    Study,
    StudyStimulus,
    Trial,
)
from listening.services.balance import free_plans
from listening.services.check_items import check_stimuli
from listening.services.errors import ServiceError
from listening.services.leaderboard import scale_label
from listening.services.progress import condition_progress
from listening.services.reports import report_directory, write_study_report
from listening.services.simulated_browsers import InProcess
from listening.services.simulation import Hearing, draw_rater, take
from listening.services.studies import close_study, log, open_study

logger = logging.getLogger(__name__)
State = Sandbox.State
MAX_RATERS = 1000
SLICE_S = 5.0
#: One rater takes seconds; a worker that is silent for longer is gone. Writing the report may take minutes.
LEASE, REPORT_LEASE = timedelta(minutes=2), timedelta(minutes=20)
#: How long deleting waits for a worker to let go of its rater.
WAIT_S = 15.0


@dataclass(frozen=True)
class Widths:
    """How wide a scale's 95 % intervals are, over the conditions: half of them, in the scale's own units."""

    label: str
    conditions: int
    median: float
    widest: float


def make_sandbox(study: Study, *, raters: int = 100, seed: int = 0, who: str = "") -> Study:
    """A copy of the study under a name of its own, open, with its raters queued. Nothing of the study is changed but its log.

    A frozen study's plans are copied as they are; a draft's copy is frozen, for which its stimuli have to be made. raters: at most
    so many come (1 to 1000). Raises ServiceError.
    """
    if study.is_sandbox:
        raise ServiceError(f"{study} is a sandbox already; make another one of the study that it is a copy of.")
    if not 1 <= raters <= MAX_RATERS:
        raise ServiceError(f"A sandbox takes 1 to {MAX_RATERS} simulated raters, not {raters}.")
    if study.is_editable and (due := _unmade(study)):
        raise ServiceError(f"{due} stimuli of {study} are not made yet; prepare its stimuli first.")
    with transaction.atomic():
        copy = _copy(study)
        Sandbox.objects.create(study=copy, original=study, raters=raters, seed=seed)
        if study.is_editable:
            open_study(copy)
        else:
            _copy_plans(study, copy)
        log(study, "sandbox made", sandbox=copy.slug, raters=raters, by=who)
        log(copy, "copied", original=study.slug)
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: current_app.send_task("listening.sandboxes"), robust=True)
    return copy


def _unmade(study: Study) -> int:
    """Stimuli that a draft still waits for and that can be made here."""
    n_clips = study.clips.count()
    rows = (row for row in condition_progress(study) if row["ready"] or not row["unavailable"])
    due = sum(n_clips - row["ready"] - row["failed"] for row in rows)
    return due + check_stimuli(study).filter(status=Stimulus.Status.PENDING).count()


def _copy(study: Study) -> Study:
    kept = {field.attname: getattr(study, field.attname) for field in Study._meta.concrete_fields if not field.primary_key}
    copy = Study(**kept)
    copy.slug = _free_slug(study)
    copy.title = f"Sandbox: {study.title}"[:200]
    copy.recruiter, copy.results_public = Study.Recruiter.LINK, False
    if not study.is_editable:
        now = timezone.now()
        copy.status, copy.frozen_at, copy.opened_at, copy.closed_at = Study.Status.OPEN, now, now, None
    copy.save()
    copy.clips.set(study.clips.all())
    copy.shared_with.set(study.shared_with.all())
    return copy


def _free_slug(study: Study) -> str:
    stem = f"{study.slug[:38]}-sandbox"
    taken = set(Study.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for n in range(len(taken) + 1) if (slug := f"{stem}-{n + 1}" if n else stem) not in taken)


def _copy_plans(study: Study, copy: Study) -> None:
    """What was drawn when the study was frozen; make-up plans belong to what its own raters left out."""
    roles = study.study_stimuli.values_list("stimulus_id", "role")
    StudyStimulus.objects.bulk_create([StudyStimulus(study=copy, stimulus_id=stimulus, role=role) for stimulus, role in roles])
    drawn = study.plans.filter(make_up=False).order_by("number")
    plans = Plan.objects.bulk_create([Plan(study=copy, number=plan.number, stratum=plan.stratum) for plan in drawn])
    by_number = {plan.number: plan for plan in plans}
    fields = ("position", "stimulus_id", "role", "expected", "panel")
    trials = PlanTrial.objects.filter(plan__in=drawn).values("plan__number", *fields)
    PlanTrial.objects.bulk_create(
        [PlanTrial(plan=by_number[row.pop("plan__number")], **row) for row in trials.iterator()], batch_size=1000
    )


def work_sandboxes(budget_s: float = SLICE_S) -> int:
    """Send simulated raters for about so many seconds, one at least; returns how many came. The last one's sandbox is closed and reported.

    Never longer than the budget and one rater more, except to write a report, so that a worker does its other jobs in between.
    """
    sandbox = _claim()
    if sandbox is None:
        return 0
    deadline, came = time.monotonic() + budget_s, 0
    try:
        hearing = Hearing(sandbox.study)
        while came == 0 or time.monotonic() < deadline:
            if not _send_next(sandbox, hearing):
                _conclude(sandbox)
                break
            came += 1
            if not _unfinished(sandbox).update(arrived=sandbox.arrived, lease_expires_at=timezone.now() + LEASE):
                break  # it is being deleted
    except ServiceError as error:
        _fail(sandbox, str(error))
    except Exception as error:
        # A worker that died of it would come back and die again, and make no stimuli meanwhile.
        logger.exception("The simulated raters of %s stopped", sandbox.study)
        _fail(sandbox, f"Something went wrong that is not foreseen ({type(error).__name__}); the worker's log says where.")
    finally:
        Sandbox.objects.filter(pk=sandbox.pk).update(lease_expires_at=None)
    return came


def _fail(sandbox: Sandbox, sentence: str) -> None:
    _unfinished(sandbox).update(state=State.FAILED, error=sentence[:500], finished_at=timezone.now())


def run_sandbox(study: Study) -> None:
    """Work until this sandbox is done, for a command. Raises ServiceError with what went wrong."""
    while True:
        work_sandboxes()
        sandbox = Sandbox.objects.get(study=study)
        if sandbox.state == State.FAILED:
            raise ServiceError(f"The simulated raters of {study} stopped: {sandbox.error}")
        if sandbox.state not in Sandbox.UNFINISHED:
            return
        if sandbox.lease_expires_at:
            time.sleep(0.2)  # a worker has it


def _unfinished(sandbox: Sandbox) -> Any:
    return Sandbox.objects.filter(pk=sandbox.pk, state__in=Sandbox.UNFINISHED)


def _claim() -> Sandbox | None:
    now = timezone.now()
    unheld = Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    due = Sandbox.objects.filter(unheld, state__in=Sandbox.UNFINISHED).select_related("study")
    for sandbox in due.order_by("pk"):
        # Conditional, so that of two workers one gets it.
        if due.filter(pk=sandbox.pk).update(state=State.RUNNING, lease_expires_at=now + LEASE):
            return sandbox
    return None


def _send_next(sandbox: Sandbox, hearing: Hearing) -> bool:
    """Send the next rater, of the strata that have a place in turn; say whether there was one to send."""
    if not Study.objects.filter(pk=sandbox.study_id, status=Study.Status.OPEN).exists():
        return False  # closed by hand: what there is, is reported
    with_place = set(free_plans(sandbox.study).values_list("stratum", flat=True))
    strata = [stratum for stratum in sandbox.study.strata if stratum in with_place]
    if sandbox.arrived >= sandbox.raters or not strata:
        return False
    rng = np.random.default_rng([sandbox.seed, sandbox.arrived])
    sandbox.arrived += 1
    stratum = strata[sandbox.arrived % len(strata)]
    take(sandbox.study, draw_rater(rng, stratum, sandbox.careless, sandbox.leaving), hearing, InProcess())
    return True


def _conclude(sandbox: Sandbox) -> None:
    if not _unfinished(sandbox).update(lease_expires_at=timezone.now() + REPORT_LEASE):
        return
    study = Study.objects.get(pk=sandbox.study_id)
    if study.status == Study.Status.OPEN:
        close_study(study)
    write_study_report(study, report_directory(study))
    _unfinished(sandbox).update(state=State.DONE, finished_at=timezone.now())


def interval_widths(study: Study) -> list[Widths]:
    """What the report says of the intervals: the widths that the real study can expect, if people differ as the simulated do."""
    halves: dict[str, list[float]] = {}
    results = ConditionResult.objects.filter(study=study).order_by("pk")
    for scale, low, high in results.values_list("scale", "ci_low", "ci_high"):
        if low is not None and high is not None:
            halves.setdefault(scale, []).append((high - low) / 2)
    return [Widths(scale_label(scale), len(found), statistics.median(found), max(found)) for scale, found in halves.items()]


def discard_sandbox(study: Study, who: str = "") -> dict[str, int]:
    """Delete a sandbox with its sessions, ratings and report, and note it in the original's log; returns what was deleted.

    Raises ServiceError for a study that is no sandbox, and while a worker does not let go of it.
    """
    sandbox = Sandbox.objects.select_related("original").filter(study=study).first()
    if sandbox is None:
        raise ServiceError(f"{study} is no sandbox. Studies are never deleted: what raters said in them is kept.")
    Sandbox.objects.filter(pk=sandbox.pk).update(state=State.DISCARDED)
    _wait_for_worker(sandbox)
    try:
        with transaction.atomic():
            counts = _delete(study)
            log(sandbox.original, "sandbox deleted", sandbox=study.slug, by=who, **counts)
    except (ProtectedError, IntegrityError) as error:
        raise ServiceError(f"Something was written into {study} while it was being deleted; delete it again.") from error
    shutil.rmtree(report_directory(study), ignore_errors=True)
    return counts


def _wait_for_worker(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + WAIT_S
    while Sandbox.objects.filter(pk=sandbox.pk, lease_expires_at__gt=timezone.now()).exists():
        if time.monotonic() > deadline:
            raise ServiceError("A worker is still busy with this sandbox. No more raters come; delete it again in a minute.")
        time.sleep(0.1)


def _delete(study: Study) -> dict[str, int]:
    """Everything that hangs on the study, from the leaves on: ratings and trials are protected against going by accident."""
    sessions = Session.objects.filter(study=study)
    raters = list(sessions.filter(participant__isnull=False).values_list("participant_id", flat=True))
    ratings, _ = Rating.objects.filter(trial__session__in=sessions).delete()
    Trial.objects.filter(session__in=sessions).delete()
    n_sessions = sessions.count()
    sessions.delete()
    Participant.objects.filter(pk__in=raters, simulated=True, sessions=None).delete()
    Event.objects.filter(study=study).delete()
    Plan.objects.filter(study=study).delete()
    study.delete()
    return {"sessions": n_sessions, "ratings": ratings}
