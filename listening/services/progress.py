"""How far a study is."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.utils import timezone

from listening.models import Job, Rating, Session, Study
from listening.services.stimuli import unavailable_conditions, untaken_jobs
from listening.services.studies import study_stimuli


def study_progress(study: Study) -> dict[str, Any]:
    """Counts of stimuli, plans, sessions and ratings of a study."""
    stimuli = dict(study_stimuli(study).order_by().values_list("status").annotate(n=Count("pk")))
    plans = {
        row["stratum"]: {
            "all": row["n"],
            "completed": row["completed"],
            "active": row["active"],
            "free": row["n"] - row["completed"] - row["active"],
        }
        for row in study.plans.order_by("stratum")
        .values("stratum")
        .annotate(
            n=Count("pk", distinct=True),
            completed=Count("pk", distinct=True, filter=Q(sessions__state=Session.State.COMPLETED)),
            active=Count("pk", distinct=True, filter=Q(sessions__state__in=Session.ACTIVE)),
        )
    }
    real = study.sessions.filter(preview=False)
    ratings = Rating.objects.filter(trial__session__study=study)
    n_plans = sum(row["all"] for row in plans.values())
    return {
        "study": study.slug,
        "status": study.status,
        "stimuli": stimuli,
        "plans": plans,
        "sessions": dict(real.order_by().values_list("state").annotate(n=Count("pk"))),
        "ratings": ratings.count(),
        "simulated_ratings": ratings.filter(trial__session__participant__simulated=True).count(),
        "share_complete": sum(row["completed"] for row in plans.values()) / n_plans if n_plans else 0.0,
    }


def condition_progress(study: Study) -> list[dict[str, Any]]:
    """For each condition of the study: how many stimuli are ready, pending and failed, the first error, and what is missing."""
    missing = unavailable_conditions(study.conditions)
    rows = {
        slug: {"condition": slug, "ready": 0, "pending": 0, "failed": 0, "error": "", "unavailable": ""}
        for slug in study.conditions
    }
    for slug, status, n in study_stimuli(study).order_by().values_list("condition", "status").annotate(n=Count("pk")):
        rows[slug][status] = n
    for slug, error in study_stimuli(study).exclude(error="").order_by("-pk").values_list("condition", "error"):
        rows[slug]["error"] = error
    for slug, reason in missing.items():
        rows[slug]["unavailable"] = reason
    return list(rows.values())


def missing_worker(study: Study, patience: timedelta = timedelta(seconds=10)) -> str:
    """What to do when the study's jobs wait and nobody takes any; empty while somebody works or nothing waits."""
    now = timezone.now()
    waiting = untaken_jobs().filter(stimulus__in=study_stimuli(study), stimulus__updated_at__lt=now - patience)
    if not waiting.exclude(stimulus__condition__in=unavailable_conditions(study.conditions)).exists():
        return ""
    working = Q(state=Job.State.CLAIMED, lease_expires_at__gte=now) | Q(finished_at__gte=now - timedelta(minutes=1))
    if Job.objects.filter(working).exists():
        return ""
    if settings.CELERY_BROKER_URL:
        return "No worker has taken a job for a minute; see that the audio workers are running and reach the broker."
    return "No worker seems to be running. Start one in a terminal: python manage.py worker"
