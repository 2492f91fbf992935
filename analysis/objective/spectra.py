"""Magnitude spectra as the STFT and mel distances take them."""

from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft
from scipy.signal import get_window

from analysis.audio import Samples
from analysis.objective.base import Undefined

Spectrum = npt.NDArray[np.float32]  # shape [n_frames, n_bins]

FLOOR = 1e-5  # magnitudes below it count as it

_BREAK_HZ, _BREAK_MEL = 1000.0, 15.0  # Slaney's scale: linear below, logarithmic above
_LOG_STEP = np.log(6.4) / 27


def magnitudes(samples: Samples, window: int) -> Spectrum:
    """|STFT| with a periodic Hann window, hop window/4, frames centred on the signal, which is mirrored at its ends.

    Shape [1 + n // hop, 1 + window // 2]; raises Undefined where the signal is too short to be mirrored.
    """
    half, hop = window // 2, window // 4
    if len(samples) <= half:
        raise Undefined(f"The recording is too short for spectra over {window} samples.")
    padded = np.pad(samples.astype(np.float32), half, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]
    return np.asarray(np.abs(rfft(frames * get_window("hann", window).astype(np.float32), axis=1)), dtype=np.float32)


def log_power(magnitude: Spectrum) -> Spectrum:
    """lg of the squared magnitude, at least lg(1e-10)."""
    return np.asarray(2 * np.log10(np.maximum(magnitude, np.float32(FLOOR))))


@lru_cache(maxsize=16)
def mel_filters(rate: int, window: int, n_mels: int) -> Spectrum:
    """Triangles on Slaney's mel scale from 0 Hz to half the rate, each of unit area, shape [1 + window // 2, n_mels].

    The same as ``librosa.filters.mel``. Narrow ones between two bins are empty, as there.
    """
    edges = _hz(np.linspace(0, _mel(rate / 2), n_mels + 2))
    bins = np.linspace(0, rate / 2, 1 + window // 2)
    rise = (bins[:, None] - edges[:-2]) / np.diff(edges)[:-1]
    fall = (edges[2:] - bins[:, None]) / np.diff(edges)[1:]
    triangles = np.maximum(0, np.minimum(rise, fall))
    return np.asarray(triangles * 2 / (edges[2:] - edges[:-2]), dtype=np.float32)


def _mel(hz: float) -> float:
    return hz * _BREAK_MEL / _BREAK_HZ if hz < _BREAK_HZ else _BREAK_MEL + float(np.log(hz / _BREAK_HZ)) / _LOG_STEP


def _hz(mel: Samples) -> Samples:
    return np.where(mel < _BREAK_MEL, mel * _BREAK_HZ / _BREAK_MEL, _BREAK_HZ * np.exp(_LOG_STEP * (mel - _BREAK_MEL)))
