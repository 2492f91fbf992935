"""Hand jobs to audio workers through the broker. The workers get plain values and hold no database password."""

from typing import Any

from celery import current_app
from django.conf import settings
from django.db import transaction

from codecs_runner.jobs import RenderResult
from listening.models import Job
from listening.services.stimuli import claim_jobs, job_value, record_result, renew_leases

WORKER = "celery"
# Results come back to this queue, not to the audio workers' own, where nobody could write them down.
OUR_QUEUE = "celery"


def hint() -> None:
    """Wake the workers once the current transaction is stored. Without a broker, `manage.py worker` finds the rows by itself."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: current_app.send_task("listening.dispatch"), robust=True)


def send_due_jobs() -> int:
    """Claim what is due and send it in chunks; return the number of jobs sent. A lost message is offered again when its lease ends."""
    sent = 0
    while jobs := claim_jobs(WORKER):
        current_app.send_task(
            "codecs_runner.render_jobs",
            args=[[job_value(job).to_dict() for job in jobs]],
            link=current_app.signature("listening.record_results", queue=OUR_QUEUE),
            queue="render",
        )
        sent += len(jobs)
    return sent


def record_results(results: list[dict[str, Any]]) -> None:
    """Write down results by their keys. Delivered twice, or after another worker was faster, they change nothing.

    They may come in parts while a list is being done. A stimulus is welcome however late it comes: its job may have been given up
    meanwhile, but its file is in the store.
    """
    told = [RenderResult.from_dict(value) for value in results]
    renew_leases(WORKER, (result.key for result in told))
    for result in told:
        states = [Job.State.CLAIMED, Job.State.QUEUED, Job.State.FAILED] if result.ok else [Job.State.CLAIMED]
        for job in Job.objects.filter(key=result.key, state__in=states).select_related("stimulus"):
            record_result(job.stimulus, result)
