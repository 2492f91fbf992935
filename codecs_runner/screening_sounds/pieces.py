"""What the sounds are made of: silence, ramps, levels, and the bytes that leave."""

import io

import numpy as np
import numpy.typing as npt
import soundfile as sf

from analysis.active_level import Activity
from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.level import TARGET_DBOV

Samples = npt.NDArray[np.float64]


def silence(seconds: float, like: Samples | None = None) -> Samples:
    """Zeros, in as many channels as ``like`` has."""
    n = round(seconds * STIMULUS_RATE)
    return np.zeros((n, *like.shape[1:])) if like is not None else np.zeros(n)


def join(parts: list[Samples], gap_s: float) -> Samples:
    """The parts in a row with silence between them."""
    pause = silence(gap_s, parts[0])
    return np.concatenate([piece for part in parts for piece in (part, pause)][:-1])


def ramp(samples: Samples, seconds: float) -> Samples:
    """Fade in and out with raised cosines of this length."""
    n = round(seconds * STIMULUS_RATE)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / n)
    shape = np.concatenate([rise, np.ones(len(samples) - 2 * n), rise[::-1]])
    return np.asarray(samples * (shape if samples.ndim == 1 else shape[:, None]))


def rms_dbov(samples: Samples) -> float:
    """Level over all samples and channels, 0 dBov = RMS 1.0."""
    return float(10 * np.log10(np.mean(samples**2)))


def at_rms(samples: Samples, dbov: float = TARGET_DBOV) -> Samples:
    """The same at this RMS level."""
    return samples * float(10 ** ((dbov - rms_dbov(samples)) / 20))


def at_speech_level(samples: Samples) -> Samples:
    """Speech at an active level of −26 dBov (ITU-T P.56); by RMS where a word is too short for an active level to be read."""
    gain_db = Activity(samples, STIMULUS_RATE).gain_to(TARGET_DBOV)
    return samples * float(10 ** (gain_db / 20)) if np.isfinite(gain_db) else at_rms(samples)


def dual(left: Samples, right: Samples) -> Samples:
    """Two ears, shape [n_samples, 2]."""
    return np.stack([left, right], axis=1)


def flac_bytes(samples: Samples) -> bytes:
    """16 bit at 48 kHz; what lies beyond full scale is limited."""
    memory = io.BytesIO()
    sf.write(memory, np.clip(samples, -1, 1), STIMULUS_RATE, format="FLAC", subtype="PCM_16")
    return memory.getvalue()
