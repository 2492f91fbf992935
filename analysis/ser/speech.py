"""Speech as every upstream gets it: one channel, 16 kHz, at most ten seconds, zero mean and unit variance."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from analysis.audio import AudioReadError, read_audio, resample
from analysis.ser.errors import SerError

Speech = npt.NDArray[np.float32]  # shape [n_samples] at RATE

RATE = 16_000  # Hz
#: EMO-SUPERB reads the first ten seconds of a clip; so do we.
MAX_S = 10.0
#: Below this, a recording holds nothing that could be brought to unit variance.
_SILENT_RMS = 1e-5


def read_speech(path: Path) -> Speech:
    """One recording as a model hears it, shape [n_samples] at 16 kHz.

    EMO-SUPERB subtracts the mean of all training samples and divides by their standard deviation. Stimuli of a listening test have
    one level, the recordings that models are trained on may not; so every clip is brought to zero mean and unit variance by itself:
    the same thing where levels are alike, and no level can be mistaken for an emotion where they are not.

    Raises SerError where the file cannot be read or is silent.
    """
    try:
        samples, rate = read_audio(path)
    except AudioReadError as error:
        raise SerError(str(error)) from error
    samples = resample(samples[: int(MAX_S * rate)], rate, RATE)
    samples = samples - samples.mean()
    rms = float(np.sqrt(np.mean(samples**2)))
    if rms < _SILENT_RMS:
        raise SerError(f"{path.name} is silent in its first {MAX_S:g} seconds: no emotion can be recognised.")
    speech: Speech = (samples / rms).astype(np.float32)
    return speech


def speech_digest(speech: Speech) -> str:
    """SHA-256 of what a model hears: the address under which its features are kept.

    >>> speech_digest(np.zeros(2, dtype=np.float32))[:8]
    'af5570f5'
    """
    return hashlib.sha256(speech.astype("<f4").tobytes()).hexdigest()
