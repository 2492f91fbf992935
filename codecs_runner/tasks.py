"""The tasks of audio workers: lists of jobs in, lists of results out, both as dictionaries.

Who sends a list may ask for signs of life: ``alive`` then has a Celery signature ``task`` and a number ``every_s``, and the task is called
with ``keys``, ``worker`` and ``begun`` (true once, before anything is done) until the list is over.
"""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

from celery import Celery, Task, shared_task, signature
from celery.exceptions import OperationalError

from codecs_runner.errors import CodecError, RunnerError
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render_many
from codecs_runner.scoring import ScoreJob, ScoreResult, score_many
from codecs_runner.store import Store

TELL_EVERY_S = 60.0


@shared_task(name="codecs_runner.render_jobs", bind=True)  # type: ignore[untyped-decorator]
def render_jobs(self: Task, jobs: Sequence[Mapping[str, Any]], alive: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Render a list of jobs into the store named by STIMULUS_STORE; results come in the order of the jobs.

    The list is done as `render_many` does it, in this process: a clip that is wanted at several rates of a model is encoded once,
    and on a GPU clips are coded in batches. Delivering a list twice is harmless: what is in the store already is not rendered again.
    Once in ``every_s`` (or TELL_EVERY_S) seconds whoever is told the results is told those there are.
    """
    with _signs_of_life(self.app, alive, jobs):
        return _render(self, jobs, alive["every_s"] if alive else TELL_EVERY_S)


def _render(task: Task, jobs: Sequence[Mapping[str, Any]], tell_every_s: float) -> list[dict[str, Any]]:
    read = [_read(values) for values in jobs]
    store = Store(os.environ.get("STIMULUS_STORE", ""))
    rendered: dict[str, RenderResult] = {}
    untold, told = [], monotonic()
    for result in render_many((job for job in read if isinstance(job, RenderJob)), store, workers=1):
        rendered[result.key] = result
        untold.append(result.to_dict())
        if monotonic() - told >= tell_every_s:
            with suppress(OperationalError):  # a broker that is away is told later, all of it
                for callback in task.request.callbacks or ():
                    signature(callback).delay(untold)
                untold = []
            told = monotonic()
    return [(rendered[each.key] if isinstance(each, RenderJob) else each).to_dict() for each in read]


@shared_task(name="codecs_runner.score_jobs", bind=True)  # type: ignore[untyped-decorator]
def score_jobs(self: Task, jobs: Sequence[Mapping[str, Any]], alive: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Measure stimuli of the store named by STIMULUS_STORE, in this process; results carry the keys that were ordered."""
    ordered = {}
    for values in jobs:
        job = ScoreJob(values["reference_key"], values["degraded_key"], values["sample_rate"], tuple(values["measures"]))
        ordered[job.key] = job, values["key"]
    store = Store(os.environ.get("STIMULUS_STORE", ""))
    with _signs_of_life(self.app, alive, jobs):
        found = score_many([job for job, _ in ordered.values()], store, workers=1)
        return [ScoreResult(ordered[result.key][1], result.scores).to_dict() for result in found]


@contextmanager
def _signs_of_life(app: Celery, wanted: Mapping[str, Any] | None, jobs: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Tell who sent the list that it is begun and then, from a thread, that it is being done. A broker that is away stops no work."""
    if wanted is None:
        yield
        return
    over, keys = Event(), [values["key"] for values in jobs]
    task = signature(wanted["task"], app=app)  # another thread does not know which application is ours

    def tell(begun: bool) -> None:
        with suppress(OperationalError):
            task.apply_async(kwargs={"keys": keys, "worker": socket.gethostname(), "begun": begun})

    def go_on() -> None:
        while not over.wait(wanted["every_s"]):
            tell(begun=False)

    tell(begun=True)  # before the first clip: one that kills its worker has been begun
    Thread(target=go_on, daemon=True).start()
    try:
        yield
    finally:
        over.set()


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
