"""The numbers of Codec-SUPERB (Wu et al. 2024) as its code computes them, what one would do otherwise included.

The degraded recording is brought to the reference's rate; the shorter of the two is padded with zeros at its end; neither delay nor
level is undone. Mel, STFT and waveform distance are taken at the reference's rate. PESQ then resamples both in place to 16 kHz, so
STOI and F0 correlation see 16 kHz; and F0 correlation believes that to be 22.05 kHz, whatever it is. Where that code makes a number
of a failure (1 for a PESQ or an F0 correlation that has none), there is none here.
"""

from functools import lru_cache, partial
from math import ceil, gcd, inf

import numpy as np
import numpy.typing as npt
from scipy.signal import resample_poly

from analysis.audio import Samples
from analysis.objective.base import Clip, Measure, Pair, Undefined, once
from analysis.objective.distances import spectral_distance
from analysis.objective.intelligibility import RATE as STOI_RATE
from analysis.objective.intelligibility import ReferenceSpeech, stoi
from analysis.objective.overall import overall_score
from analysis.objective.perceptual import RATE, pesq_of
from analysis.objective.pitch import pearson, track_pitch

BELIEVED_RATE, F0_HOP, F0_RANGE_HZ, VOICING = 22_050, 256, (50, 1100), 0.6
ZEROS, ROLLOFF = 24, 0.945  # of the resampler of julius


@lru_cache(maxsize=16)
def _kernel(old: int, new: int) -> tuple[int, Samples]:
    """Half-width and the phases of a windowed sinc, shape [new, 2·width + old]."""
    rate = min(old, new) * ROLLOFF
    width = ceil(ZEROS * old / rate)
    t = (np.arange(-width, width + old) / old - np.arange(new)[:, None] / new) * rate
    t = np.clip(t, -ZEROS, ZEROS)
    kernel = np.sinc(t) * np.cos(np.pi * t / ZEROS / 2) ** 2
    return width, kernel / kernel.sum(axis=1, keepdims=True)


def resample_frac(samples: Samples, from_rate: int, to_rate: int) -> Samples:
    """Change the rate as ``julius.resample_frac`` does, with which audiotools and so Codec-SUPERB resamples."""
    if from_rate == to_rate:
        return samples
    common = gcd(from_rate, to_rate)
    old, new = from_rate // common, to_rate // common
    width, kernel = _kernel(old, new)
    padded = np.pad(samples, (width, width + old), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[1])[::old]
    return np.asarray((windows @ kernel.T).ravel()[: int(to_rate * len(samples) / from_rate)])


def _padded(clip: Clip, n: int) -> Clip:
    missing = n - len(clip.samples)
    return clip.once(("padded", n), lambda: Clip(np.pad(clip.samples, (0, missing)), clip.rate)) if missing else clip


@once
def _equal_length(pair: Pair) -> tuple[Clip, Clip]:
    """Both at the reference's rate and as long as the longer one."""
    reference, degraded = pair.reference, pair.degraded
    if degraded.rate != reference.rate:
        degraded = Clip(resample_frac(degraded.samples, degraded.rate, reference.rate), reference.rate)
    n = max(len(reference.samples), len(degraded.samples))
    return _padded(reference, n), _padded(degraded, n)


@once
def _at_16k(clip: Clip) -> Samples:
    return resample_frac(clip.samples, clip.rate, RATE)


def _pesq(pair: Pair) -> float:
    reference, degraded = _equal_length(pair)
    return pesq_of(pair, "wb", reference=_at_16k(reference), degraded=_at_16k(degraded))


@once
def _stoi(pair: Pair) -> float:
    reference, degraded = _equal_length(pair)
    speech = _speech(reference)
    return float(np.clip(stoi(speech, speech.follow(_at_10k(degraded))), 0, 1))


@once
def _speech(reference: Clip) -> ReferenceSpeech:
    """What that code takes for speech: it looks one sample early."""
    return ReferenceSpeech.of(_at_10k(reference), shift=1)


def _at_10k(clip: Clip) -> Samples:
    return np.asarray(resample_poly(_at_16k(clip), STOI_RATE, RATE))


@once
def _stft(pair: Pair) -> float:
    return spectral_distance(*_equal_length(pair), mel=False)


@once
def _mel(pair: Pair) -> float:
    return spectral_distance(*_equal_length(pair), mel=True)


def _waveform(pair: Pair) -> float:
    reference, degraded = _equal_length(pair)
    return float(np.mean(np.abs(reference.samples - degraded.samples)))


def _f0corr(pair: Pair) -> float:
    reference, degraded = (_cents(clip) for clip in _equal_length(pair))
    path = warping_path(reference, degraded)
    return pearson(reference[path[:, 0]], degraded[path[:, 1]])


@once
def _cents(clip: Clip) -> npt.NDArray[np.float64]:
    """Voiced frames alone, in cents around their median."""
    floor, ceiling = F0_RANGE_HZ
    step = F0_HOP / BELIEVED_RATE
    hz = track_pitch(_at_16k(clip), BELIEVED_RATE, step_s=step, floor_hz=floor, ceiling_hz=ceiling, voicing=VOICING)
    cents = 1200 * np.log2(hz[hz > 0])
    if len(cents) <= 1:
        raise Undefined("At most one frame is voiced, which Codec-SUPERB counts as a correlation of 1.")
    return np.asarray(cents - np.median(cents))


def warping_path(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Dynamic time warping of two series with cost |x − y| and steps (1, 1), (0, 1), (1, 0), preferred in that order.

    Returns index pairs from the end to the beginning, shape [steps, 2], as ``librosa.sequence.dtw`` does.

    >>> warping_path(np.array([0.0, 1.0]), np.array([0.0, 0.0, 1.0]))[::-1].tolist()
    [[0, 0], [0, 1], [1, 2]]
    """
    n, m = len(x), len(y)
    total = np.full((n + 1, m + 1), inf)
    total[0, 0] = 0
    for diagonal in range(n + m - 1):  # cells of one anti-diagonal depend on the two before it only
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.minimum(np.minimum(total[i, j], total[i + 1, j]), total[i, j + 1])
        total[i + 1, j + 1] = before + np.abs(x[i] - y[j])
    row, column = n, m
    path = [(n - 1, m - 1)]
    while (row, column) != (1, 1):
        row, column = min(((row - 1, column - 1), (row, column - 1), (row - 1, column)), key=lambda cell: total[cell])
        path.append((row - 1, column - 1))
    return np.asarray(path)


def _overall(pair: Pair) -> float:
    return overall_score({"stft": _stft(pair), "mel": _mel(pair), "pesq": _pesq(pair), "stoi": _stoi(pair)}, "speech")


_measure = partial(
    Measure, source="Wu et al. 2024, Findings of ACL; metrics.py at 1452c71", ignores_gain=False, ignores_delay=False
)

PESQ = _measure(
    "Codec-SUPERB PESQ", _pesq, best="higher", minimum=1.04, maximum=4.65, rate=RATE, ignores_gain=True, packages=("pesq",)
)
STOI = _measure("Codec-SUPERB STOI", _stoi, best="higher", minimum=0, maximum=1, rate=RATE, ignores_gain=True)
STFT = _measure("Codec-SUPERB STFT", _stft, best="lower", minimum=0, maximum=inf)
MEL = _measure("Codec-SUPERB Mel", _mel, best="lower", minimum=0, maximum=inf)
WAVEFORM = _measure("Codec-SUPERB waveform", _waveform, best="lower", minimum=0, maximum=2)
F0CORR = _measure(
    "Codec-SUPERB F0CORR",
    _f0corr,
    best="higher",
    minimum=-1,
    maximum=1,
    rate=RATE,
    ignores_gain=True,
    ignores_delay=True,
    packages=("praat-parselmouth",),
)
OVERALL = _measure("Codec-SUPERB overall", _overall, best="higher", minimum=0, maximum=1, packages=("pesq",))
