"""Many jobs in batches, on a GPU: others read, resample and finish while this process keeps the device busy."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import groupby

from codecs_runner.batches import Clip, code_stream
from codecs_runner.codecs.base import CodecError, Coded, Signal
from codecs_runner.errors import RunnerError
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.model_codec import ModelCodec
from codecs_runner.registry import get_condition
from codecs_runner.rendering import Making, finish, open_for, read_recording
from codecs_runner.store import Store

AHEAD = 128  # recordings being read, and clips being finished, at most: what bounds memory

Group = Sequence[RenderJob]


@dataclass
class Reading:
    """A recording on its way in."""

    jobs: Group
    future: "Future[Signal | RunnerError]"


def render_on_device(groups: Sequence[Group], store: Store, pool: Executor) -> Iterator[RenderResult]:
    """Render groups of jobs, each one recording through conditions of one model, and yield results as they are finished.

    Args:
        groups: those of one model follow one another.
        pool: processes or threads for the work before and after the device.
    """
    died = CodecError(
        "worker_died", "A rendering process was killed, perhaps for want of memory; run again with fewer workers."
    )
    done: set[str] = set()
    try:
        for _model, of_model in groupby(groups, key=lambda together: get_condition(together[0].condition).model):
            for result in _render_model(list(of_model), store, pool):
                done.add(result.key)
                yield result
    except BrokenProcessPool:
        left = (job for together in groups for job in together if job.key not in done)
        yield from (RenderResult.failure(job.key, died) for job in left)


def _render_model(groups: Sequence[Group], store: Store, pool: Executor) -> Iterator[RenderResult]:
    try:
        codec = open_for(groups[0][0])
        if not isinstance(codec, ModelCodec):
            raise CodecError("codec_failed", f"{codec} has no batched path.")
    except RunnerError as error:
        yield from (RenderResult.failure(job.key, error) for together in groups for job in together)
        return
    failed: deque[RenderResult] = deque()
    finishing: deque[Future[list[RenderResult]]] = deque()
    started, n_done = time.perf_counter(), 0
    for clip, decoded in code_stream(codec, _clips(groups, pool, failed)):
        while failed:
            yield failed.popleft()
        if isinstance(decoded, CodecError):
            yield from (RenderResult.failure(job.key, decoded) for job in clip.tag)
            continue
        n_done += len(clip.tag)
        making = Making(codec.device, dict(codec.versions), (time.perf_counter() - started) / n_done)
        finishing.append(pool.submit(_finish, clip.tag, store, decoded, making))
        while finishing and (finishing[0].done() or len(finishing) > AHEAD):
            yield from finishing.popleft().result()
    yield from failed
    for future in finishing:
        yield from future.result()


def _clips(groups: Sequence[Group], pool: Executor, failed: deque[RenderResult]) -> Iterator[Clip[Group]]:
    """Recordings in the groups' order, read ahead; those that cannot be read go to ``failed``."""
    reading: deque[Reading] = deque()
    coming = iter(groups)
    while True:
        while len(reading) < AHEAD and (together := next(coming, None)) is not None:
            reading.append(Reading(together, pool.submit(_read, together[0])))
        if not reading:
            return
        first = reading.popleft()
        samples = first.future.result()
        if isinstance(samples, RunnerError):
            failed.extend(RenderResult.failure(job.key, samples) for job in first.jobs)
        else:
            yield Clip(samples, tuple(get_condition(job.condition) for job in first.jobs), first.jobs)


def _read(job: RenderJob) -> Signal | RunnerError:
    try:
        return read_recording(job).input_for(get_condition(job.condition))
    except RunnerError as error:
        return error


def _finish(jobs: Group, store: Store, decoded: Sequence[Coded], making: Making) -> list[RenderResult]:
    return [finish(job, store, coded, making) for job, coded in zip(jobs, decoded, strict=True)]
