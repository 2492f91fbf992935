"""From jobs to files: render one here, or many over the machine's cores."""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from itertools import groupby, islice
from math import isfinite
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Thread
from typing import Any

from codecs_runner import weights
from codecs_runner.audio import STIMULUS_RATE, AudioLimits, load_audio
from codecs_runner.codecs.base import Codec, CodecError, Condition
from codecs_runner.errors import AudioError, RunnerError
from codecs_runner.jobs import RECIPE, RenderJob, RenderResult
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.stimulus import Recording, StimulusAudio, finish_stimulus
from codecs_runner.store import Store

IN_PROCESS = 8  # so few jobs are done before other processes have started
IN_FLIGHT = 4  # groups of jobs handed to each process at a time
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
    call and keep their models. Of a light codec, all conditions of a clip follow one another in one process and share its decoding
    and resampling; of a neural one, all clips of a condition, so that a model is loaded once in each process.

    Args:
        progress: called with (done, total) after each result.
        workers: number of processes; by default one for each core. 1 renders everything in this process.
    """
    unique = {job.key: job for job in jobs}
    results = _render_unique(sorted(unique.values(), key=_clip), store, workers or os.cpu_count() or 1)
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
    light = [job for job in waiting if not get_condition(job.condition).heavy]
    heavy = sorted((job for job in waiting if get_condition(job.condition).heavy), key=lambda job: job.condition)
    yield from _in_processes([list(clip) for _, clip in groupby(light, key=_clip)], store, workers)
    yield from _in_processes([[job] for job in heavy], store, min(workers, HEAVY_WORKERS))


def _clip(job: RenderJob) -> tuple[str, str]:
    return job.source, job.source_sha256


def _in_processes(groups: Sequence[Sequence[RenderJob]], store: Store, workers: int) -> Iterator[RenderResult]:
    """Each group in one process. Few are handed out at a time, so that what waits and what is done takes no memory.

    A process that is killed takes those few along; the others go to new processes.
    """
    waiting = iter(groups)
    running: dict[Future[list[RenderResult]], Sequence[RenderJob]] = {}
    try:
        while True:
            for group in islice(waiting, IN_FLIGHT * workers - len(running)):
                running[_executor(workers, str(weights.folder())).submit(_render_group, group, store)] = group
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                group = running.pop(future)
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    _executor.cache_clear()
                    sentence = "A rendering process was killed, perhaps for want of memory; run again with fewer workers."
                    for job in group:
                        yield RenderResult.failure(job.key, CodecError("worker_died", sentence))
    finally:
        for future in running:
            future.cancel()


def _render_group(jobs: Sequence[RenderJob], store: Store) -> list[RenderResult]:
    return [render(job, store) for job in jobs]


@cache
def _executor(workers: int, weights_folder: str) -> ProcessPoolExecutor:
    """One pool for each set-up, kept until the program ends; its processes inherit the environment of the first call."""
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_process)


def _start_process() -> None:
    """Leave Ctrl-C to the caller, which cancels what has not begun, and do not outlive a caller that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    caller = parent_process()
    if caller is not None:
        Thread(target=_end_with, args=[caller], daemon=True).start()


def _end_with(caller: BaseProcess) -> None:
    caller.join()
    os._exit(1)


def _codec(condition: Condition, checksums: frozenset[tuple[str, str]]) -> Codec:
    return _open(condition.slug, checksums) if condition.heavy else _open_light(condition.slug, checksums)


@lru_cache(maxsize=1)
def _open(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    """The heavy codec opened last; a changed checksum opens it again."""
    return open_codec(get_condition(slug))


@lru_cache(maxsize=64)
def _open_light(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    return open_codec(get_condition(slug))


def _load(job: RenderJob) -> Recording:
    """The recording, and that it is the one ordered; raises AudioError ``source_changed`` and whatever `load_audio` raises."""
    try:
        changed_ns = Path(job.source).stat().st_mtime_ns
    except OSError:
        changed_ns = 0  # there is none, which decoding says in words
    recording, sha256 = _decode(job.source, changed_ns)
    if sha256 != job.source_sha256:
        raise AudioError("source_changed", f"{job.source} is not the recording that was ordered: its content has changed.")
    return recording


@lru_cache(maxsize=1)
def _decode(source: str, changed_ns: int) -> tuple[Recording, str]:
    """The recording read last, with its hash: conditions of one clip follow one another and share what it holds."""
    samples, info = load_audio(source, ANY_LENGTH)
    return Recording(samples, info.sample_rate), info.pcm_sha256


def _render(job: RenderJob, store: Store) -> dict[str, Any]:
    started = time.perf_counter()
    condition = get_condition(job.condition)
    recording = _load(job)
    found = weights.checksums(condition.weights)
    codec = _codec(condition, frozenset(found.items()))
    if found != job.weights:
        raise CodecError("weights_differ", f"The weights of {condition.label} here are not those that the job was made for.")
    audio = finish_stimulus(recording, condition, codec.code(recording.input_for(condition)))
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
