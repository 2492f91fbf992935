"""Distances between spectra and between waveforms."""

from math import inf

import numpy as np

from analysis.objective.base import Clip, Measure, Pair, Undefined
from analysis.objective.spectra import Spectrum, log_power, magnitudes, mel_filters

STFT_WINDOWS = (2048, 512)
MELS_OF_WINDOW = {2048: 150, 512: 80}
MOST_SI_SDR_DB = 100.0  # a 16-bit file cannot tell more


def spectral_distance(reference: Clip, degraded: Clip, *, mel: bool) -> float:
    """Sum over two windows (2048 and 512 samples) of the mean absolute difference of log power spectra plus that of magnitudes.

    lg power is lg max(|X|, 1e-5)²; with ``mel``, |X| is taken through 150 and 80 mel bands first. The multi-scale losses of
    audiotools as Codec-SUPERB sets them. Both clips at one rate and of one length.
    """
    distance = 0.0
    for window in STFT_WINDOWS:
        x, log_x = _spectra(reference, window, mel)
        y, log_y = _spectra(degraded, window, mel)
        distance += _mean_difference(log_x, log_y) + _mean_difference(x, y)
    return distance


def _mean_difference(x: Spectrum, y: Spectrum) -> float:
    difference = x - y
    return float(np.mean(np.abs(difference, out=difference), dtype=np.float64))


def _spectra(clip: Clip, window: int, mel: bool) -> tuple[Spectrum, Spectrum]:
    def compute() -> tuple[Spectrum, Spectrum]:
        magnitude = clip.once(("magnitudes", window), lambda: magnitudes(clip.samples, window))
        if mel:
            magnitude = magnitude @ mel_filters(clip.rate, window, MELS_OF_WINDOW[window])
        return magnitude, log_power(magnitude)

    return clip.once(("spectra", window, mel), compute)


def _stft_distance(pair: Pair) -> float:
    return spectral_distance(*pair.aligned, mel=False)


def _mel_distance(pair: Pair) -> float:
    return spectral_distance(*pair.aligned, mel=True)


def _si_sdr(pair: Pair) -> float:
    """10·lg(|αs|² / |αs − ŝ|²) with α = ⟨ŝ, s⟩ / |s|², both without their means (Le Roux et al. 2019)."""
    reference, degraded = pair.in_time
    s, y = reference.samples - reference.samples.mean(), degraded.samples - degraded.samples.mean()
    energy = float(s @ s)
    if energy == 0 or not y.any():
        raise Undefined("One of the recordings is silent, and silence has no signal-to-distortion ratio.")
    target = float(y @ s) / energy * s
    wanted, error = float(target @ target), float(np.sum((target - y) ** 2))
    if wanted <= error * 10 ** (-MOST_SI_SDR_DB / 10):
        return -MOST_SI_SDR_DB
    return min(MOST_SI_SDR_DB, 10 * np.log10(wanted / error)) if error else MOST_SI_SDR_DB


_SPECTRAL = "Wu et al. 2024 (Codec-SUPERB), after delay and level are undone"

STFT_DISTANCE = Measure("STFT distance", _stft_distance, _SPECTRAL, best="lower", minimum=0, maximum=inf)
MEL_DISTANCE = Measure("Mel distance", _mel_distance, _SPECTRAL, best="lower", minimum=0, maximum=inf)
SI_SDR = Measure(
    "SI-SDR",
    _si_sdr,
    "Le Roux et al. 2019, ICASSP; cut off at ±100 dB",
    best="higher",
    minimum=-MOST_SI_SDR_DB,
    maximum=MOST_SI_SDR_DB,
    unit="dB",
)
