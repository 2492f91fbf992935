"""STOI and ESTOI: how well third-octave envelopes of the degraded speech follow those of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.fft import rfft

from analysis.audio import Samples
from analysis.objective.base import Clip, Measure, Pair, Undefined, once

RATE = 10_000
FRAME, HOP, N_FFT = 256, 128, 512
N_BANDS, LOWEST_HZ = 15, 150.0
SEGMENT = 30  # frames that are correlated at a time, 384 ms
RANGE_DB = 40.0  # frames of the reference further below its loudest are silence
CLIP = 1 + 10 ** (15 / 20)  # of the reference's envelope: more than 15 dB of distortion counts as 15
WINDOW: Samples = np.hanning(FRAME + 2)[1:-1]

Envelopes = npt.NDArray[np.float64]


def _bands() -> npt.NDArray[np.float64]:
    """Which bins belong to which third of an octave, shape [257, 15]; edges fall on the nearest bin."""
    bins = np.linspace(0, RATE / 2, N_FFT // 2 + 1)
    bands = np.zeros((len(bins), N_BANDS))
    for band in range(N_BANDS):
        low, high = (LOWEST_HZ * 2 ** ((2 * band + side) / 6) for side in (-1, 1))
        bands[np.argmin((bins - low) ** 2) : np.argmin((bins - high) ** 2), band] = 1
    return bands


BANDS = _bands()


@dataclass(frozen=True)
class ReferenceSpeech:
    """What STOI needs of a reference at 10 kHz: which frames are speech, and its envelopes, shape [segments, bands, 30]."""

    speech: npt.NDArray[np.bool_]
    segments: Envelopes

    @classmethod
    def of(cls, samples: Samples, shift: int = 0) -> ReferenceSpeech:
        """``shift`` looks for speech that many samples earlier, which only Codec-SUPERB does. Raises Undefined."""
        if not samples.any():
            raise Undefined("The reference is silent.")
        energies = np.linalg.norm(_frames(np.roll(samples, shift)), axis=1)
        speech = energies > energies.max(initial=0) * 10 ** (-RANGE_DB / 20)
        return cls(speech, segments(samples, speech))

    def follow(self, degraded: Samples) -> Envelopes:
        """The envelopes of a degraded recording (10 kHz) where the reference is speech, shape [segments, bands, 30]."""
        return segments(degraded, self.speech)

    @cached_property
    def norms(self) -> Envelopes:
        return np.asarray(np.linalg.norm(self.segments, axis=2, keepdims=True))

    @cached_property
    def over_time(self) -> Envelopes:
        return _normalised(self.segments, 2)

    @cached_property
    def over_bands(self) -> Envelopes:
        return _normalised(self.over_time, 1)


def segments(samples: Samples, speech: npt.NDArray[np.bool_]) -> Envelopes:
    """Third-octave envelopes of the frames that are speech in the reference, in overlapping stretches of 30 frames.

    Shape [segments, 15, 30]. Raises Undefined where there is less than one stretch.
    """
    kept = _frames(samples)[speech]
    joined = np.zeros((len(kept) + 1) * HOP)
    joined[:-HOP] = kept[:, :HOP].ravel()
    joined[HOP:] += kept[:, HOP:].ravel()
    spectra = rfft(_frames(joined), N_FFT, axis=1) if len(joined) > FRAME else np.empty((0, N_FFT // 2 + 1))
    if len(spectra) < SEGMENT:
        raise Undefined("There are fewer than 384 ms of speech in the reference.")
    envelopes = np.sqrt(np.abs(spectra) ** 2 @ BANDS)
    return np.lib.stride_tricks.sliding_window_view(envelopes, SEGMENT, axis=0)


def stoi(reference: ReferenceSpeech, degraded: Envelopes) -> float:
    """Mean correlation of envelopes over bands and stretches (Taal et al. 2011), −1 to 1; ``degraded`` as `follow` gives it."""
    scale = reference.norms / _nonzero(np.linalg.norm(degraded, axis=2, keepdims=True))
    clipped = np.minimum(degraded * scale, reference.segments * CLIP)
    return float(np.mean(np.sum(reference.over_time * _normalised(clipped, 2), axis=2)))


def estoi(reference: ReferenceSpeech, degraded: Envelopes) -> float:
    """The extended measure (Jensen & Taal 2016), −1 to 1: stretches normalised over time, then over bands."""
    y = _normalised(_normalised(degraded, 2), 1)
    return float(np.sum(reference.over_bands * y) / (SEGMENT * len(y)))


def _frames(samples: Samples) -> Samples:
    """Windowed frames, shape [k, 256]; like the original code, one that would end with the signal is left out."""
    if len(samples) <= FRAME:
        return np.empty((0, FRAME))
    return np.lib.stride_tricks.sliding_window_view(samples, FRAME)[:-1][::HOP] * WINDOW


def _normalised(values: Envelopes, axis: int) -> Envelopes:
    """Mean 0 and norm 1 along an axis; what does not vary becomes 0."""
    values = values - values.mean(axis=axis, keepdims=True)
    return np.asarray(values / _nonzero(np.linalg.norm(values, axis=axis, keepdims=True)))


def _nonzero(norms: Envelopes) -> Envelopes:
    return norms + np.finfo(np.float64).eps


@once
def _speech(clip: Clip) -> ReferenceSpeech:
    return ReferenceSpeech.of(clip.at(RATE))


@once
def _envelopes(pair: Pair) -> tuple[ReferenceSpeech, Envelopes]:
    reference, degraded = pair.in_time
    speech = _speech(reference)
    return speech, speech.follow(degraded.at(RATE))


def _stoi(pair: Pair) -> float:
    return stoi(*_envelopes(pair))


def _estoi(pair: Pair) -> float:
    return estoi(*_envelopes(pair))


STOI = Measure("STOI", _stoi, "Taal et al. 2011, IEEE TASLP 19(7)", "higher", -1, 1, rate=RATE)
ESTOI = Measure("ESTOI", _estoi, "Jensen & Taal 2016, IEEE/ACM TASLP 24(11)", "higher", -1, 1, rate=RATE)
