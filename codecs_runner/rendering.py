"""What one process does with jobs: read the recording, code it, finish the stimulus, store it."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from itertools import groupby
from math import isfinite
from typing import Any

from codecs_runner import weights
from codecs_runner.audio import STIMULUS_RATE, AudioLimits, load_audio
from codecs_runner.codecs.base import Codec, CodecError, Coded, Condition
from codecs_runner.errors import AudioError, RunnerError
from codecs_runner.jobs import RECIPE, RenderJob, RenderResult
from codecs_runner.model_codec import ModelCodec
from codecs_runner.places import local_file
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.stimulus import Recording, StimulusAudio, finish_stimulus
from codecs_runner.store import Store

ANY_LENGTH = AudioLimits(min_duration_s=0)  # whoever made the job has applied stricter limits if wanted
PACKAGES = ("numpy", "scipy", "soundfile", "soxr")


@dataclass(frozen=True)
class Making:
    """Where and with which libraries a clip was decoded, and its share of the time that took."""

    device: str
    versions: Mapping[str, str]
    seconds: float


def render(job: RenderJob, store: Store) -> RenderResult:
    """Render a job into the store, or find that it is there already. Expected failures are returned, not raised."""
    try:
        sidecar = store.sidecar(job.key)
        if sidecar is not None:
            return RenderResult(job.key, ok=True, sidecar=sidecar)
        started = time.perf_counter()
        clip = read_recording(job).input_for(get_condition(job.condition))
        codec = open_for(job)
        coded = codec.code(clip)
    except RunnerError as error:
        return RenderResult.failure(job.key, error)
    return finish(job, store, coded, Making(codec.device, codec.versions, time.perf_counter() - started))


def render_together(jobs: Sequence[RenderJob], store: Store) -> list[RenderResult]:
    """Render jobs, those of one recording and one model next to one another, which are then encoded once.

    Returns:
        Results in the order of the jobs; expected failures are among them, not raised.
    """
    found = {result.key: result for _, same in groupby(jobs, key=_shared) for result in _render_shared(list(same), store)}
    return [found[job.key] for job in jobs]


def read_recording(job: RenderJob) -> Recording:
    """The recording, and that it is the one ordered; raises AudioError ``source_changed`` and whatever `load_audio` raises."""
    try:
        path = local_file(job.source)
        changed_ns = path.stat().st_mtime_ns
    except FileNotFoundError as error:
        raise AudioError("missing", f"There is no recording {job.source}.") from error
    recording, sha256 = _decode(str(path), changed_ns)
    if sha256 != job.source_sha256:
        raise AudioError("source_changed", f"{job.source} is not the recording that was ordered: its content has changed.")
    return recording


def open_for(job: RenderJob) -> Codec:
    """The codec of a job, with the weights that the job was made for; raises CodecError."""
    condition = get_condition(job.condition)
    found = weights.checksums(condition.weights)
    codec = _codec(condition, frozenset(found.items()))
    if found != job.weights:
        raise CodecError("weights_differ", f"The weights of {condition.label} here are not those that the job was made for.")
    return codec


def finish(job: RenderJob, store: Store, coded: Coded, making: Making) -> RenderResult:
    """From decoded audio to the file and its sidecar; expected failures are returned."""
    started = time.perf_counter()
    condition = get_condition(job.condition)
    try:
        audio = finish_stimulus(read_recording(job), condition, coded)
        flac = audio.flac()
        sidecar = {
            "key": job.key,
            "condition": condition.slug,
            "source_sha256": job.source_sha256,
            "audio_sha256": hashlib.sha256(flac).hexdigest(),
            **_measured(audio),
            "versions": {"codecs_runner recipe": RECIPE, **_package_versions(), **making.versions},
            "weights": dict(job.weights or {}),
            "device": making.device,
            "rendered_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(making.seconds + time.perf_counter() - started, 4),
        }
        store.put(job.key, flac, sidecar)
    except RunnerError as error:
        return RenderResult.failure(job.key, error)
    return RenderResult(job.key, ok=True, sidecar=sidecar)


def _shared(job: RenderJob) -> tuple[str, ...]:
    condition = get_condition(job.condition)
    return condition.model or condition.slug, job.source, job.source_sha256, str(sorted((job.weights or {}).items()))


def _render_shared(jobs: Sequence[RenderJob], store: Store) -> Iterator[RenderResult]:
    together = [job for job in jobs if get_condition(job.condition).model and not store.has(job.key)]
    if len(together) > 1:
        started = time.perf_counter()
        try:
            conditions = [get_condition(job.condition) for job in together]
            clip = read_recording(together[0]).input_for(conditions[0])
            codec = open_for(together[0])
            decoded = codec.code_many([clip], conditions)[0] if isinstance(codec, ModelCodec) else []
            seconds = (time.perf_counter() - started) / len(together)
        except RunnerError:
            decoded = []  # each by itself then says what is wrong with it
        for job, coded in zip(together, decoded, strict=False):
            yield finish(job, store, coded, Making(codec.device, codec.versions, seconds))
        jobs = [job for job in jobs if not (decoded and job in together)]
    yield from (render(job, store) for job in jobs)


def _codec(condition: Condition, checksums: frozenset[tuple[str, str]]) -> Codec:
    return _open(condition.slug, checksums) if condition.heavy else _open_light(condition.slug, checksums)


@lru_cache(maxsize=1)
def _open(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    """The heavy codec opened last; a changed checksum opens it again."""
    return open_codec(get_condition(slug))


@lru_cache(maxsize=64)
def _open_light(slug: str, checksums: frozenset[tuple[str, str]]) -> Codec:
    return open_codec(get_condition(slug))


@lru_cache(maxsize=1)
def _decode(source: str, changed_ns: int) -> tuple[Recording, str]:
    """The recording read last, with its hash: conditions of one clip follow one another and share what it holds."""
    samples, info = load_audio(source, ANY_LENGTH)
    return Recording(samples, info.sample_rate), info.pcm_sha256


@lru_cache(maxsize=1)
def _package_versions() -> dict[str, str]:
    return {name: version(name) for name in PACKAGES}


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
