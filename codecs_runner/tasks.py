"""The tasks of audio workers: lists of jobs in, lists of results out, both as dictionaries."""

import os
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

from celery import Task, shared_task, signature

from codecs_runner.errors import CodecError, RunnerError
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render_many
from codecs_runner.scoring import ScoreJob, ScoreResult, score_many
from codecs_runner.store import Store

TELL_EVERY_S = 60.0


@shared_task(name="codecs_runner.render_jobs", bind=True)  # type: ignore[untyped-decorator]
def render_jobs(self: Task, jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Render a list of jobs into the store named by STIMULUS_STORE; results come in the order of the jobs.

    The list is done as `render_many` does it, in this process: a clip that is wanted at several rates of a model is encoded once,
    and on a GPU clips are coded in batches. Delivering a list twice is harmless: what is in the store already is not rendered again.
    Once in TELL_EVERY_S seconds whoever is told the results is told those there are, so that a long list is not taken for lost.
    """
    read = [_read(values) for values in jobs]
    store = Store(os.environ.get("STIMULUS_STORE", ""))
    rendered: dict[str, RenderResult] = {}
    untold, told = [], monotonic()
    for result in render_many((job for job in read if isinstance(job, RenderJob)), store, workers=1):
        rendered[result.key] = result
        untold.append(result.to_dict())
        if monotonic() - told >= TELL_EVERY_S:
            for callback in self.request.callbacks or ():
                signature(callback).delay(untold)
            untold, told = [], monotonic()
    return [(rendered[each.key] if isinstance(each, RenderJob) else each).to_dict() for each in read]


@shared_task(name="codecs_runner.score_jobs")  # type: ignore[untyped-decorator]
def score_jobs(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Measure stimuli of the store named by STIMULUS_STORE, in this process; results carry the keys that were ordered."""
    ordered = {}
    for values in jobs:
        job = ScoreJob(values["reference_key"], values["degraded_key"], values["sample_rate"], tuple(values["measures"]))
        ordered[job.key] = job, values["key"]
    store = Store(os.environ.get("STIMULUS_STORE", ""))
    found = score_many([job for job, _ in ordered.values()], store, workers=1)
    return [ScoreResult(ordered[result.key][1], result.scores).to_dict() for result in found]


def _read(values: Mapping[str, Any]) -> RenderJob | RenderResult:
    """The job, or why this worker cannot do it."""
    try:
        if not os.environ.get("STIMULUS_STORE"):
            raise CodecError("no_store", "This worker does not know where stimuli belong: set STIMULUS_STORE.")
        return RenderJob.from_dict(values)
    except KeyError as error:
        return RenderResult.failure(values.get("key", ""), CodecError("unknown_condition", str(error.args[0])))
    except RunnerError as error:
        return RenderResult.failure(values.get("key", ""), error)
