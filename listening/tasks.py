"""Celery tasks: each calls one service."""

from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from listening.services import alerts, dispatch, sandboxes, scores, sessions, upkeep

# What a worker made is written down however long the database is away.
_UNTIL_STORED: dict[str, Any] = {
    "autoretry_for": (OperationalError, InterfaceError),
    "max_retries": None,
    "retry_backoff": True,
    "retry_backoff_max": 60,
}


@shared_task(name="listening.dispatch")
def dispatch_jobs() -> None:
    """Hand due jobs to the audio workers."""
    dispatch.send_due_jobs()
    scores.send_due_scores()


@shared_task(name="listening.note_alive")
def note_alive(keys: list[str], worker: str, begun: bool) -> None:
    """Hear that an audio worker has taken jobs, or still does them."""
    dispatch.note_alive(keys, worker, begun)


@shared_task(name="listening.record_results", **_UNTIL_STORED)
def record_results(results: list[dict[str, Any]]) -> None:
    """Write down what an audio worker made."""
    dispatch.record_results(results)


@shared_task(name="listening.record_scores", **_UNTIL_STORED)
def record_scores(results: list[dict[str, Any]]) -> None:
    """Write down what an audio worker measured."""
    scores.record_scores(results)


@shared_task(name="listening.sweep")
def sweep() -> None:
    """Offer lost jobs again, and free the plans of raters who left."""
    dispatch.send_due_jobs()
    scores.send_due_scores()
    sessions.expire_sessions()


@shared_task(name="listening.keep_up")
def keep_up() -> None:
    """Stay in step with Prolific."""
    upkeep.keep_up()


@shared_task(name="listening.sandboxes")
def work_sandboxes() -> None:
    """Send simulated raters into the sandboxes that wait for some."""
    sandboxes.work_sandboxes(budget_s=50)


@shared_task(name="listening.alerts")
def check_alerts() -> None:
    """Tell somebody what needs them."""
    alerts.check()
