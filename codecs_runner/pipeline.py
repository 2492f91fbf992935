"""From jobs to files: render one here, or many over the machine's cores."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import get_context

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError
from codecs_runner.device import render_on_device
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.neural import runs_on_gpu
from codecs_runner.registry import get_condition
from codecs_runner.rendering import group, render, render_together
from codecs_runner.store import Store

__all__ = ["render", "render_many"]

IN_PROCESS = 8  # so few jobs are done before other processes have started
HEAVY_WORKERS = 4  # processes that hold a neural model, at most

Progress = Callable[[int, int], None]


def render_many(
    jobs: Iterable[RenderJob], store: Store, progress: Progress | None = None, workers: int | None = None
) -> Iterator[RenderResult]:
    """Render jobs over several processes and yield each result as it is ready; equal keys are rendered once.

    Processes are started afresh, not forked, so that they share no database connection with the caller; they stay for the next
    call and keep their models. Clips of one model follow one another, so it is loaded once in each process, and a clip that is
    wanted at several rates of a model is encoded once. With a GPU, models with a batched path run in this process, and the other
    processes read, resample and finish beside it.

    Args:
        progress: called with (done, total) after each result.
        workers: number of processes; by default one for each core. 1 renders everything in this process.
    """
    unique = {job.key: job for job in jobs}
    results = _render_unique(list(unique.values()), store, workers or os.cpu_count() or 1)
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, len(unique))
        yield result


def _render_unique(jobs: Sequence[RenderJob], store: Store, workers: int) -> Iterator[RenderResult]:
    waiting = [job for job in jobs if not store.has(job.key)]
    if workers == 1 or len(waiting) <= IN_PROCESS:
        for together in _groups(jobs):
            yield from render_together(together, store)
        return
    yield from (render(job, store) for job in jobs if store.has(job.key))
    light: list[list[RenderJob]] = []
    heavy: list[list[RenderJob]] = []
    for together in _groups(waiting):
        (heavy if get_condition(together[0].condition).heavy else light).append(together)
    yield from _in_processes(light, store, workers)
    if heavy and runs_on_gpu():
        batched = [together for together in heavy if get_condition(together[0].condition).model]
        yield from render_on_device(batched, store, _executor(workers, str(weights.folder())))
        heavy = [together for together in heavy if not get_condition(together[0].condition).model]
    yield from _in_processes(heavy, store, min(workers, HEAVY_WORKERS))


def _groups(jobs: Iterable[RenderJob]) -> list[list[RenderJob]]:
    """Jobs that are rendered together; those of one model follow one another."""
    groups: dict[tuple[str, ...], list[RenderJob]] = {}
    for job in jobs:
        groups.setdefault(group(job), []).append(job)
    return [groups[key] for key in sorted(groups)]


def _in_processes(groups: Sequence[Sequence[RenderJob]], store: Store, workers: int) -> Iterator[RenderResult]:
    if not groups:
        return
    executor = _executor(workers, str(weights.folder()))
    futures: dict[Future[list[RenderResult]], Sequence[RenderJob]] = {
        executor.submit(render_together, together, store): together for together in groups
    }
    try:
        for future in as_completed(futures):
            try:
                yield from future.result()
            except BrokenProcessPool:
                _executor.cache_clear()
                sentence = "A rendering process was killed, perhaps for want of memory; run again with fewer workers."
                died = CodecError("worker_died", sentence)
                yield from (RenderResult.failure(job.key, died) for job in futures[future])
    finally:
        for future in futures:
            future.cancel()


@cache
def _executor(workers: int, weights_folder: str) -> ProcessPoolExecutor:
    """One pool for each set-up, kept until the program ends; its processes inherit the environment of the first call."""
    ignore_interrupts = (signal.SIGINT, signal.SIG_IGN)  # the caller hears Ctrl-C and cancels what has not begun
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=signal.signal, initargs=ignore_interrupts)
