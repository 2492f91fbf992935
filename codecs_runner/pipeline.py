"""From jobs to files: render one here, or many over the machine's cores."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import groupby

from analysis.pool import executor, spread
from codecs_runner import weights
from codecs_runner.codecs.base import CodecError
from codecs_runner.device import render_on_device
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.neural import runs_in_batches
from codecs_runner.registry import get_condition
from codecs_runner.rendering import render, render_together
from codecs_runner.store import Store

__all__ = ["render", "render_many"]

IN_PROCESS = 8  # so few jobs are done before other processes have started
LIGHT_IN_PROCESS = 48  # and so many of codecs that need no model
HEAVY_WORKERS = 4  # processes that hold a neural model, at most
THREADS = 4  # that read and finish beside a device where there are no other processes

Progress = Callable[[int, int], None]


def render_many(
    jobs: Iterable[RenderJob], store: Store, progress: Progress | None = None, workers: int | None = None
) -> Iterator[RenderResult]:
    """Render jobs over several processes and yield each result as it is ready; equal keys are rendered once.

    Processes are started afresh, not forked, so that they share no database connection with the caller; they stay for the next
    call and keep their models. Of a light codec, all conditions of a clip follow one another in one process and share its decoding
    and resampling; of a neural one, all clips of a model, so that it is loaded once in each process, and a clip that is wanted at
    several of its rates is encoded once. Where models code in batches (on a GPU), they do so in this process, and the others read and
    finish.

    Args:
        progress: called with (done, total) after each result.
        workers: number of processes; by default one for each core, and none where this process is done before others have started. 1
            renders everything in this process, in the same groups.
    """
    unique = {job.key: job for job in jobs}
    few_light = IN_PROCESS if workers else LIGHT_IN_PROCESS
    results = _render_unique(list(unique.values()), store, workers or os.cpu_count() or 1, few_light)
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, len(unique))
        yield result


def _render_unique(jobs: Sequence[RenderJob], store: Store, workers: int, few_light: int) -> Iterator[RenderResult]:
    yield from (render(job, store) for job in jobs if store.has(job.key))
    waiting = [job for job in jobs if not store.has(job.key)]
    light = [job for job in waiting if not get_condition(job.condition).heavy]
    heavy = [job for job in waiting if get_condition(job.condition).heavy]
    alone = workers == 1 or len(waiting) <= IN_PROCESS
    light_alone = alone or (not heavy and len(light) <= few_light)
    yield from _here(light, store) if light_alone else _in_processes(_groups(light, _clip), store, workers)
    batched = [job for job in heavy if get_condition(job.condition).model]
    if len(batched) > IN_PROCESS and runs_in_batches():
        with _beside(workers) as pool:
            yield from render_on_device(_groups(batched, _model), store, pool)
        heavy = [job for job in heavy if not get_condition(job.condition).model]
    if alone:
        yield from _here(heavy, store)
    else:
        yield from _in_processes(_groups(heavy, _model), store, min(workers, HEAVY_WORKERS))


def _here(jobs: Iterable[RenderJob], store: Store) -> Iterator[RenderResult]:
    for group in _groups(jobs, _model):
        yield from render_together(group, store)


@contextmanager
def _beside(workers: int) -> Iterator[Executor]:
    """What reads and finishes beside a device: other processes, or threads where a caller (a Celery worker) may start none."""
    if workers > 1:
        yield executor(workers, str(weights.folder()))
    else:
        with ThreadPoolExecutor(THREADS) as threads:
            yield threads


def _clip(job: RenderJob) -> tuple[str, ...]:
    return job.source, job.source_sha256


def _model(job: RenderJob) -> tuple[str, ...]:
    """Model first, so that all clips of one follow one another; then the clip."""
    return get_condition(job.condition).work_group, *_clip(job)


def _groups(jobs: Iterable[RenderJob], key: Callable[[RenderJob], tuple[str, ...]]) -> list[list[RenderJob]]:
    return [list(group) for _, group in groupby(sorted(jobs, key=key), key=key)]


def _in_processes(groups: Sequence[Sequence[RenderJob]], store: Store, workers: int) -> Iterator[RenderResult]:
    """Each group in one process; those that a killed process had are told to be failed."""
    for group, results in spread(groups, partial(render_together, store=store), workers, str(weights.folder())):
        if results is not None:
            yield from results
            continue
        sentence = "A rendering process was killed, perhaps for want of memory; run again with fewer workers."
        for job in group:
            yield RenderResult.failure(job.key, CodecError("worker_died", sentence))
