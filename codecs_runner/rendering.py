"""What one process does with jobs: read the recording, code it, finish the stimulus, store it."""

import hashlib
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from math import isfinite
from typing import Any

from codecs_runner import weights
from codecs_runner.audio import STIMULUS_RATE, AudioLimits, Samples, load_audio
from codecs_runner.codecs.base import Codec, CodecError, Coded
from codecs_runner.errors import AudioError, RunnerError
from codecs_runner.jobs import RECIPE, RenderJob, RenderResult
from codecs_runner.model_codec import ModelCodec
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.stimulus import StimulusAudio, codec_input, finish_stimulus
from codecs_runner.store import Store

ANY_LENGTH = AudioLimits(min_duration_s=0)  # whoever made the job has applied stricter limits if wanted
PACKAGES = ("numpy", "scipy", "soundfile", "soxr")


def render(job: RenderJob, store: Store) -> RenderResult:
    """Render a job into the store, or find that it is there already. Expected failures are returned, not raised."""
    return render_together([job], store)[0]


def render_together(jobs: Sequence[RenderJob], store: Store) -> list[RenderResult]:
    """Render jobs of one `group` into the store: read once, and encoded once if their conditions share a model.

    Returns:
        Results in the order of the jobs; expected failures are among them, not raised.
    """
    results: dict[str, RenderResult] = {}
    waiting: list[RenderJob] = []
    for job in jobs:
        try:
            sidecar = store.sidecar(job.key)
        except RunnerError as error:
            results[job.key] = RenderResult.failure(job.key, error)
            continue
        if sidecar is None:
            waiting.append(job)
        else:
            results[job.key] = RenderResult(job.key, ok=True, sidecar=sidecar)
    if waiting:
        results |= {result.key: result for result in _render(waiting, store)}
    return [results[job.key] for job in jobs]


def group(job: RenderJob) -> tuple[str, ...]:
    """Jobs of one group may be rendered together: the same recording, through conditions of one model."""
    condition = get_condition(job.condition)
    return condition.model or condition.slug, job.source, job.source_sha256, str(sorted((job.weights or {}).items()))


def read_recording(job: RenderJob) -> tuple[Samples, int]:
    """Samples and rate of a job's recording; raises AudioError, also where it is no longer the one that was ordered."""
    samples, info = load_audio(job.source, ANY_LENGTH)
    if info.pcm_sha256 != job.source_sha256:
        raise AudioError("source_changed", f"{job.source} is not the recording that was ordered: its content has changed.")
    return samples, info.sample_rate


def open_for(job: RenderJob) -> Codec:
    """The codec of a job, with the weights that the job was made for; raises CodecError."""
    condition = get_condition(job.condition)
    found = weights.checksums(condition.weights)
    codec = _open(condition.slug, frozenset(found.items()))
    if found != job.weights:
        raise CodecError("weights_differ", f"The weights of {condition.label} here are not those that the job was made for.")
    return codec


def finish(job: RenderJob, store: Store, samples: Samples, sample_rate: int, coded: Coded, made: "Made") -> RenderResult:
    """From decoded audio to the file and its sidecar."""
    started = time.perf_counter()
    condition = get_condition(job.condition)
    try:
        audio = finish_stimulus(samples, sample_rate, condition, coded)
        flac = audio.flac()
        sidecar = {
            "key": job.key,
            "condition": condition.slug,
            "source_sha256": job.source_sha256,
            "audio_sha256": hashlib.sha256(flac).hexdigest(),
            **_measured(audio),
            "versions": {"codecs_runner recipe": RECIPE, **{name: version(name) for name in PACKAGES}, **made.versions},
            "weights": dict(job.weights or {}),
            "device": made.device,
            "rendered_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(made.seconds + time.perf_counter() - started, 4),
        }
        store.put(job.key, flac, sidecar)
    except RunnerError as error:
        return RenderResult.failure(job.key, error)
    return RenderResult(job.key, ok=True, sidecar=sidecar)


class Made:
    """By what a decoded clip was made, and its share of the time; plain enough to be sent to another process."""

    def __init__(self, codec: Codec, seconds: float) -> None:
        self.device, self.versions, self.seconds = codec.device, dict(codec.versions), seconds


def _render(jobs: Sequence[RenderJob], store: Store) -> Iterable[RenderResult]:
    started = time.perf_counter()
    try:
        samples, sample_rate = read_recording(jobs[0])
    except RunnerError as error:
        return [RenderResult.failure(job.key, error) for job in jobs]
    if len(jobs) > 1:
        try:
            return _render_shared(jobs, store, samples, sample_rate, started)
        except RunnerError:  # each by itself then says what is wrong with it
            started = time.perf_counter()
    return [_render_one(job, store, samples, sample_rate, started) for job in jobs]


def _render_shared(
    jobs: Sequence[RenderJob], store: Store, samples: Samples, sample_rate: int, started: float
) -> list[RenderResult]:
    conditions = [get_condition(job.condition) for job in jobs]
    codec = open_for(jobs[0])
    if not isinstance(codec, ModelCodec):
        return [_render_one(job, store, samples, sample_rate, started) for job in jobs]
    [decoded] = codec.code_many([codec_input(samples, sample_rate, conditions[0])], conditions)
    made = Made(codec, (time.perf_counter() - started) / len(jobs))
    return [finish(job, store, samples, sample_rate, coded, made) for job, coded in zip(jobs, decoded, strict=True)]


def _render_one(job: RenderJob, store: Store, samples: Samples, sample_rate: int, started: float) -> RenderResult:
    try:
        codec = open_for(job)
        coded = codec.code(codec_input(samples, sample_rate, get_condition(job.condition)))
    except RunnerError as error:
        return RenderResult.failure(job.key, error)
    return finish(job, store, samples, sample_rate, coded, Made(codec, time.perf_counter() - started))


@lru_cache(maxsize=1)
def _open(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    """The codec opened last; a changed checksum opens it again."""
    return open_codec(get_condition(slug))


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
