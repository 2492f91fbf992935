"""Recordings in: what may enter, how it becomes one channel, and how rates are changed.

The header is read before anything is decoded, so a file that is too long or has too many channels is refused for the price of a
few bytes. Compressed media go through `codecs_runner.ingest` first. Every change of rate goes through `analysis.audio.resample`,
one resampler at one quality.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

from analysis.audio import Samples, fit, resample, resampled_length
from codecs_runner.errors import AudioError
from codecs_runner.ingest import MEDIA_SUFFIXES, decoded_media

__all__ = [
    "STIMULUS_RATE",
    "AudioError",
    "AudioInfo",
    "AudioLimits",
    "Samples",
    "fit",
    "inspect_audio",
    "load_audio",
    "resample",
    "resampled_length",
]

STIMULUS_RATE = 48_000  # Hz, of every stimulus
#: What is read of all that libsndfile knows: files that say themselves what they are.
FORMATS = {"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "AIFF", "AU", "NIST", "CAF", "MP3"}


@dataclass(frozen=True)
class AudioLimits:
    """What a recording must keep to; both ends of each range are allowed."""

    min_duration_s: float = 0.2
    max_duration_s: float = 60.0
    max_channels: int = 2
    min_sample_rate: int = 8_000
    max_sample_rate: int = 192_000
    silence_dbfs: float = -80.0
    max_bytes: int = 200_000_000  # of the file; the longest allowed recording as 32-bit WAV has less than half


@dataclass(frozen=True)
class AudioInfo:
    """What `inspect_audio` found.

    ``peak`` and ``rms_dbfs`` are of the downmix, relative to full scale 1.0 (a full-scale sine has an RMS of −3.01 dB).
    ``pcm_sha256`` hashes rate, channel count and the decoded samples as 32-bit floats, so that the same recording as WAV and as
    FLAC has one hash.
    """

    sample_rate: int
    channels: int
    n_samples: int
    duration_s: float
    peak: float
    rms_dbfs: float
    pcm_sha256: str


def inspect_audio(path: str | Path, limits: AudioLimits = AudioLimits()) -> AudioInfo:
    """Decode a recording and say what it is, or why it cannot be used.

    Raises:
        AudioError: with code ``missing``, ``too_large``, ``undecodable``, ``empty``, ``too_short``, ``too_long``, ``too_many_channels``,
            ``bad_rate`` (all but a damaged body known from the header), ``not_finite`` or ``silent``.
    """
    return load_audio(path, limits)[1]


def load_audio(path: str | Path, limits: AudioLimits = AudioLimits()) -> tuple[Samples, AudioInfo]:
    """Decode a recording to one channel at its own rate; two channels are averaged.

    Returns:
        Samples, shape [n_samples], and what `inspect_audio` says about them. Raises as `inspect_audio` does.
    """
    path = Path(path)
    frames, rate = _decode(path, limits)
    if not np.isfinite(frames).all():
        raise AudioError("not_finite", f"{path.name} contains samples that are not numbers (NaN or infinity).")
    mono = frames[:, 0] if frames.shape[1] == 1 else frames.mean(axis=1)
    rms_dbfs = 10 * np.log10(max(np.mean(mono**2), 1e-20))
    if rms_dbfs < limits.silence_dbfs:
        raise AudioError("silent", f"{path.name} is silent (RMS below {limits.silence_dbfs:g} dB of full scale).")
    n, channels = frames.shape
    digest = hashlib.sha256(f"{rate}:{channels}:".encode() + frames.astype("<f4").tobytes())
    info = AudioInfo(rate, channels, n, n / rate, float(np.abs(mono).max()), round(float(rms_dbfs), 3), digest.hexdigest())
    return mono, info


def _decode(path: Path, limits: AudioLimits) -> tuple[Samples, int]:
    """Frames, shape [n_samples, channels], and the rate in Hz; the header is judged first."""
    if not path.is_file():
        raise AudioError("missing", f"There is no file {path}.")
    if (size := path.stat().st_size) > limits.max_bytes:
        allowed = f"at most {limits.max_bytes / 1e6:.0f} MB are accepted"
        raise AudioError("too_large", f"{path.name} has {size / 1e6:.0f} MB; {allowed}.")
    if path.suffix.lower() in MEDIA_SUFFIXES:
        with decoded_media(path, limits.max_duration_s) as decoded:
            return _read(decoded, path, limits)
    return _read(path, path, limits)


def _read(file_path: Path, path: Path, limits: AudioLimits) -> tuple[Samples, int]:
    """What `_decode` promises, from a file that libsndfile knows; ``path`` is its name in sentences."""
    try:
        with sf.SoundFile(file_path) as file:
            if file.format not in FORMATS:
                raise AudioError("undecodable", f"{path.name} is {file.format_info}, which is not among what is read here.")
            _check_header(path, file, limits)
            frames: Samples = file.read(file.frames, dtype="float64", always_2d=True)
            if len(frames) != file.frames:
                raise AudioError("undecodable", f"{path.name} ends after {len(frames)} of its {file.frames} samples.")
            return frames, int(file.samplerate)
    except (sf.LibsndfileError, RuntimeError, TypeError) as error:  # a TypeError: raw samples, which say nothing of themselves
        raise AudioError("undecodable", f"{path.name} cannot be decoded as audio ({_reason(error)}).") from error


def _reason(error: Exception) -> str:
    text = str(error.error_string) if isinstance(error, sf.LibsndfileError) else str(error)
    return text.strip().rstrip(".")


def _check_header(path: Path, file: sf.SoundFile, limits: AudioLimits) -> None:
    if not limits.min_sample_rate <= file.samplerate <= limits.max_sample_rate:
        allowed = f"{limits.min_sample_rate} to {limits.max_sample_rate} Hz"
        raise AudioError("bad_rate", f"{path.name} has a sample rate of {file.samplerate} Hz; {allowed} is accepted.")
    if file.channels > limits.max_channels:
        allowed = f"at most {limits.max_channels} are accepted"
        raise AudioError("too_many_channels", f"{path.name} has {file.channels} channels; {allowed}.")
    if file.frames == 0:
        raise AudioError("empty", f"{path.name} holds no samples.")
    duration = file.frames / file.samplerate
    if duration < limits.min_duration_s:
        raise AudioError("too_short", f"{path.name} lasts {duration:.3f} s; at least {limits.min_duration_s:g} s is needed.")
    if duration > limits.max_duration_s:
        raise AudioError("too_long", f"{path.name} lasts {duration:.0f} s; at most {limits.max_duration_s:g} s is accepted.")
