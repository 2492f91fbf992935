"""From jobs to files: render one here, or many over the machine's cores."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from math import isfinite
from multiprocessing import get_context
from typing import Any

from codecs_runner import weights
from codecs_runner.audio import STIMULUS_RATE, AudioLimits, load_audio
from codecs_runner.codecs.base import Codec, CodecError
from codecs_runner.errors import AudioError, RunnerError
from codecs_runner.jobs import RECIPE, RenderJob, RenderResult
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.stimulus import StimulusAudio, make_stimulus
from codecs_runner.store import Store

IN_PROCESS = 8  # so few jobs are done before other processes have started
HEAVY_WORKERS = 4  # processes that hold a neural model, at most
ANY_LENGTH = AudioLimits(min_duration_s=0)  # whoever made the job has applied stricter limits if wanted
PACKAGES = ("numpy", "scipy", "soundfile", "soxr")

Progress = Callable[[int, int], None]


def render(job: RenderJob, store: Store) -> RenderResult:
    """Render a job into the store, or find that it is there already. Expected failures are returned, not raised."""
    try:
        sidecar = store.sidecar(job.key)
        if sidecar is None:
            sidecar = _render(job, store)
        return RenderResult(job.key, ok=True, sidecar=sidecar)
    except RunnerError as error:
        return RenderResult.failure(job.key, error)


def render_many(
    jobs: Iterable[RenderJob], store: Store, progress: Progress | None = None, workers: int | None = None
) -> Iterator[RenderResult]:
    """Render jobs over several processes and yield each result as it is ready; equal keys are rendered once.

    Processes are started afresh, not forked, so that they share no database connection with the caller; they stay for the next
    call and keep their models. Clips of one condition follow one another, so a model is loaded once in each process.

    Args:
        progress: called with (done, total) after each result.
        workers: number of processes; by default one for each core. 1 renders everything in this process.
    """
    unique = {job.key: job for job in jobs}
    results = _render_unique(sorted(unique.values(), key=lambda job: job.condition), store, workers or os.cpu_count() or 1)
    for done, result in enumerate(results, start=1):
        if progress:
            progress(done, len(unique))
        yield result


def _render_unique(jobs: Sequence[RenderJob], store: Store, workers: int) -> Iterator[RenderResult]:
    waiting = [job for job in jobs if not store.has(job.key)]
    if workers == 1 or len(waiting) <= IN_PROCESS:
        yield from (render(job, store) for job in jobs)
        return
    yield from (render(job, store) for job in jobs if store.has(job.key))
    yield from _in_processes([job for job in waiting if not get_condition(job.condition).heavy], store, workers)
    yield from _in_processes([job for job in waiting if get_condition(job.condition).heavy], store, min(workers, HEAVY_WORKERS))


def _in_processes(jobs: Sequence[RenderJob], store: Store, workers: int) -> Iterator[RenderResult]:
    if not jobs:
        return
    executor = _executor(workers, str(weights.folder()))
    futures: dict[Future[RenderResult], RenderJob] = {executor.submit(render, job, store): job for job in jobs}
    try:
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                _executor.cache_clear()
                sentence = "A rendering process was killed, perhaps for want of memory; run again with fewer workers."
                yield RenderResult.failure(futures[future].key, CodecError("worker_died", sentence))
    finally:
        for future in futures:
            future.cancel()


@cache
def _executor(workers: int, weights_folder: str) -> ProcessPoolExecutor:
    """One pool for each set-up, kept until the program ends; its processes inherit the environment of the first call."""
    ignore_interrupts = (signal.SIGINT, signal.SIG_IGN)  # the caller hears Ctrl-C and cancels what has not begun
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=signal.signal, initargs=ignore_interrupts)


@lru_cache(maxsize=1)
def _open(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    """The codec opened last; a changed checksum opens it again."""
    return open_codec(get_condition(slug))


def _render(job: RenderJob, store: Store) -> dict[str, Any]:
    started = time.perf_counter()
    condition = get_condition(job.condition)
    samples, info = load_audio(job.source, ANY_LENGTH)
    if info.pcm_sha256 != job.source_sha256:
        raise AudioError("source_changed", f"{job.source} is not the recording that was ordered: its content has changed.")
    found = weights.checksums(condition.weights)
    codec = _open(condition.slug, frozenset(found.items()))
    if found != job.weights:
        raise CodecError("weights_differ", f"The weights of {condition.label} here are not those that the job was made for.")
    audio = make_stimulus(samples, info.sample_rate, condition, codec)
    flac = audio.flac()
    sidecar = {
        "key": job.key,
        "condition": condition.slug,
        "source_sha256": job.source_sha256,
        "audio_sha256": hashlib.sha256(flac).hexdigest(),
        **_measured(audio),
        "versions": {"codecs_runner recipe": RECIPE, **{name: version(name) for name in PACKAGES}, **codec.versions},
        "weights": found,
        "device": codec.device,
        "rendered_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(time.perf_counter() - started, 4),
    }
    store.put(job.key, flac, sidecar)
    return sidecar


def _measured(audio: StimulusAudio) -> dict[str, Any]:
    return {
        "n_samples": len(audio.pcm),
        "sample_rate": STIMULUS_RATE,
        "duration_s": len(audio.pcm) / STIMULUS_RATE,
        "payload_bps": None if audio.payload_bps is None else round(audio.payload_bps, 1),
        "delay_samples": audio.delay_samples,
        "alignment": audio.alignment.method,
        "correlation": round(audio.alignment.correlation, 4),
        "codec_gain_db": round(audio.gain.codec_db, 3),
        "level_gain_db": round(audio.gain.level_db, 3),
        "level_dbov": round(audio.level_dbov, 2) if isfinite(audio.level_dbov) else None,
        "peak": round(audio.peak, 4),
        "clipped": audio.limited_samples > 0,
        "limited_samples": audio.limited_samples,
    }
