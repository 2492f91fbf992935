"""One channel of samples: read from a file, and the one resampler of the project."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile as sf
import soxr

Samples = npt.NDArray[np.float64]  # one channel, shape [n_samples], full scale ±1


class AudioReadError(Exception):
    """A file that is no usable recording; the message is a sentence for people."""


def read_audio(path: Path) -> tuple[Samples, int]:
    """A recording in a form that libsndfile knows (WAV, FLAC, Ogg, …) as one channel, channels averaged, and its rate in Hz.

    Raises AudioReadError where it is missing, damaged, empty, or holds samples that are not numbers.
    """
    if not path.is_file():
        raise AudioReadError(f"There is no file {path}.")
    try:
        frames, rate = sf.read(path, dtype="float64", always_2d=True)
    except (sf.LibsndfileError, RuntimeError, TypeError) as error:
        raise AudioReadError(f"{path.name} cannot be decoded as audio ({str(error).rstrip('.')}).") from error
    if not len(frames):
        raise AudioReadError(f"{path.name} holds no samples.")
    if not np.isfinite(frames).all():
        raise AudioReadError(f"{path.name} contains samples that are not numbers (NaN or infinity).")
    return frames.mean(axis=1), int(rate)


def resample(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Change the rate with soxr at its very high quality: linear phase, no delay, length `resampled_length`."""
    if from_rate == to_rate:
        return samples
    changed = np.asarray(soxr.resample(samples, from_rate, to_rate, "VHQ"))
    return fit(changed, resampled_length(len(samples), from_rate, to_rate))


def resampled_length(n_samples: int, from_rate: int, to_rate: int) -> int:
    """Samples of the same duration at another rate, at least one.

    >>> resampled_length(44_100, 44_100, 48_000), resampled_length(1, 48_000, 16_000)
    (48000, 1)
    """
    return max(1, round(n_samples * to_rate / from_rate))


def fit(samples: Samples, n_samples: int) -> Samples:
    """Cut or zero-pad the end so that exactly ``n_samples`` remain.

    >>> fit(np.ones(2), 3).tolist()
    [1.0, 1.0, 0.0]
    """
    return np.pad(samples[:n_samples], (0, max(0, n_samples - len(samples))))
