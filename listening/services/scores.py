"""Measure stimuli: score jobs in the job table, their workers, and what comes back from them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery

from analysis.objective import MEASURES, get_measure
from codecs_runner.scoring import ScoreJob, ScoreResult, score_many
from listening.models import Job, Stimulus, StimulusScore, Study
from listening.services.dispatch import ELSEWHERE, hint, offer, send
from listening.services.stimuli import SENT_AT_ONCE, due_jobs, ensure_stimuli, lease, lock, store, worker_name
from listening.services.studies import REFERENCE, log, study_stimuli

OnScores = Callable[[Stimulus, ScoreResult], None]


def queue_scores(study: Study, measures: Iterable[str] = tuple(MEASURES)) -> int:
    """Ask for measures of every stimulus of a study; returns how many stimuli have some to be measured.

    Scores that an earlier version of a measure gave, or that were taken of other audio, are taken anew. The originals are asked for
    too, being the reference.
    """
    wanted = list(measures)
    ensure_stimuli(list(study.clips.all()), [REFERENCE])
    jobs = []
    for stimulus in study_stimuli(study).prefetch_related("scores"):
        known = {score.measure: score for score in stimulus.scores.all()}
        if missing := [key for key in wanted if not _is_current(known.get(key), key, stimulus)]:
            jobs.append(Job(kind=Job.Kind.SCORE, stimulus=stimulus, measures=missing))
    with transaction.atomic():
        Job.objects.bulk_create(
            jobs,
            batch_size=500,
            update_conflicts=True,
            unique_fields=["stimulus", "kind"],
            update_fields=["measures", "state", "attempts", "finished_at", "lease_expires_at"],
        )
        if jobs:
            log(study, "scores queued", jobs=len(jobs))
    hint()
    return len(jobs)


def references_of(study: Study) -> QuerySet[Stimulus]:
    """The originals that the study's stimuli are measured against, whether or not raters hear them."""
    return Stimulus.objects.filter(source_clip__in=study.clips.all(), condition=REFERENCE)


def due_scores() -> QuerySet[Job]:
    """Score jobs that wait and whose stimulus and reference are made."""
    reference = Stimulus.objects.filter(
        source_clip=OuterRef("stimulus__source_clip"), condition=REFERENCE, status=Stimulus.Status.READY
    )
    return (
        due_jobs(Job.Kind.SCORE)
        .filter(stimulus__status=Stimulus.Status.READY)
        .annotate(reference_key=Subquery(reference.values("key")[:1]))
        .exclude(Q(reference_key=None) | Q(reference_key=""))
        .select_related("stimulus__source_clip")
        .order_by("stimulus__source_clip_id", "pk")
    )


def claim_scores(
    worker: str,
    limit: int = SENT_AT_ONCE,
    only: QuerySet[Stimulus] | None = None,
    hold: Callable[[Sequence[Job], str], None] = lease,
) -> list[tuple[Job, ScoreJob]]:
    """Claim due score jobs as `claim_jobs` does, each with its plain value; one that MAX_ATTEMPTS workers never ended is failed."""
    with transaction.atomic():
        candidates = due_scores() if only is None else due_scores().filter(stimulus__in=only)
        given_up = candidates.filter(attempts__gte=Job.MAX_ATTEMPTS).values_list("pk", flat=True)
        Job.objects.filter(pk__in=list(given_up)).update(state=Job.State.FAILED, lease_expires_at=None)
        claimed = list(lock(candidates)[:limit])
        hold(claimed, worker)
        values = [
            ScoreJob(
                reference_key=job.reference_key,  # type: ignore[attr-defined]  # annotated
                degraded_key=job.stimulus.key,
                sample_rate=job.stimulus.source_clip.sample_rate,
                measures=tuple(job.measures),
            )
            for job in claimed
        ]
        for job, value in zip(claimed, values, strict=True):
            Job.objects.filter(pk=job.pk).update(key=value.key)
    return list(zip(claimed, values, strict=True))


def send_due_scores() -> int:
    """Send what is due to audio workers in chunks; returns the number of jobs sent."""
    sent = 0
    while claimed := claim_scores(ELSEWHERE, hold=offer):
        send("codecs_runner.score_jobs", [(job, value.to_dict()) for job, value in claimed], "listening.record_scores")
        sent += len(claimed)
    return sent


def record_scores(results: Iterable[dict[str, Any]]) -> None:
    """Write down scores by the keys of their jobs. Told twice, they change nothing."""
    for result in map(ScoreResult.from_dict, results):
        for job in Job.objects.filter(kind=Job.Kind.SCORE, key=result.key).select_related("stimulus"):
            _record(job.stimulus, result)


def work_scores(only: QuerySet[Stimulus] | None = None, on_result: OnScores | None = None) -> int:
    """Claim and measure in this process until nothing is due; returns the number of stimuli measured."""
    done = 0
    while claimed := claim_scores(worker_name(), only=only):
        stimuli: dict[str, list[Stimulus]] = {}
        for job, value in claimed:
            stimuli.setdefault(value.key, []).append(job.stimulus)
        for result in score_many([value for _, value in claimed], store()):
            for stimulus in stimuli[result.key]:
                _record(stimulus, result)
                done += 1
                if on_result is not None:
                    on_result(stimulus, result)
    return done


def _record(stimulus: Stimulus, result: ScoreResult) -> None:
    rows = [
        StimulusScore(stimulus=stimulus, measure=measure, value=value, reason=reason, version=version, key=stimulus.key)
        for measure, (value, reason, version) in result.scores.items()
    ]
    with transaction.atomic():
        StimulusScore.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["stimulus", "measure"],
            update_fields=["value", "reason", "version", "key", "scored_at"],
        )
        Job.objects.filter(kind=Job.Kind.SCORE, stimulus=stimulus, key=result.key).update(
            state=Job.State.DONE if result.ok else Job.State.FAILED, lease_expires_at=None
        )


def _is_current(score: StimulusScore | None, measure: str, stimulus: Stimulus) -> bool:
    """Whether a score is of this audio and of this version; where the measure cannot be computed here, what a worker gave stands."""
    known = get_measure(measure)
    return score is not None and score.key == stimulus.key and (bool(known.missing) or score.version == known.version)
