"""Conditions without a codec: the original, noise in proportion to speech (MNRU), and low-pass anchors."""

from collections.abc import Mapping
from functools import partial

import numpy as np
from scipy.signal import fftconvolve, firwin, kaiserord

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.codecs.base import Coded, Condition, Signal

WIDE_BAND_HZ = (6_900.0, 7_100.0)  # end of the pass band, begin of the stop band
ATTENUATION_DB = 60.0


class Identity:
    """Gives back what it gets."""

    device = "cpu"
    versions: Mapping[str, str] = {}

    def __init__(self, condition: Condition) -> None:
        self.sample_rate = condition.sample_rate

    def code(self, samples: Signal) -> Coded:
        return Coded(samples, self.sample_rate, payload_bits=None)


class LowPass(Identity):
    """A linear-phase filter whose stop band begins ``stop_hz``; as anchors of ITU-R BS.1534-3 want it: flat to 0.1 dB up to the
    corner, 25 dB down at 4 kHz and 50 at 4.5 for a corner of 3.5 kHz, and in proportion for others. It is exceeded: 60 dB."""

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        corner = float(condition.params["corner_hz"])
        self.taps = _low_pass(corner, float(condition.params["stop_hz"]), self.sample_rate)

    def code(self, samples: Signal) -> Coded:
        return Coded(_filter(samples, self.taps), self.sample_rate, payload_bits=None)


class Mnru(Identity):
    """Modulated noise reference unit (ITU-T P.810, wide band).

    y = lowpass(x · (1 + 10^(−Q/20) · n)), with n white Gaussian noise of power 1 and a low-pass at 7 kHz: the noise follows the speech
    at a distance of Q dB. Every clip gets the noise of the same seed from its beginning, so steps of Q differ in nothing else.
    """

    def __init__(self, condition: Condition) -> None:
        super().__init__(condition)
        self.q_db, self.seed = float(condition.params["q_db"]), int(condition.params["seed"])
        self.taps = _low_pass(*WIDE_BAND_HZ, self.sample_rate)

    def code(self, samples: Signal) -> Coded:
        noise = np.random.default_rng(self.seed).standard_normal(len(samples))
        noisy = samples * (1 + 10 ** (-self.q_db / 20) * noise)
        return Coded(_filter(noisy.astype(np.float32), self.taps), self.sample_rate, payload_bits=None)


def _low_pass(corner_hz: float, stop_hz: float, sample_rate: int) -> Signal:
    """An odd number of taps, symmetric: pass band to ``corner_hz``, stop band from ``stop_hz``."""
    n_taps, beta = kaiserord(ATTENUATION_DB, (stop_hz - corner_hz) / (sample_rate / 2))
    taps = firwin(n_taps | 1, (corner_hz + stop_hz) / 2, window=("kaiser", beta), fs=sample_rate)
    return np.asarray(taps, dtype=np.float32)


def _filter(samples: Signal, taps: Signal) -> Signal:
    """Same length, no delay."""
    half = len(taps) // 2
    return np.asarray(fftconvolve(samples, taps.astype(np.float64))[half : half + len(samples)], dtype=np.float32)


_reference = partial(Condition, family="Reference", sample_rate=STIMULUS_RATE)
_anchor = partial(_reference, open=LowPass)
_mnru = partial(_reference, family="MNRU", open=Mnru, sample_rate=16_000)

ORIGINAL = _reference(
    slug="original",
    label="Original",
    open=Identity,
    note="No codec; the same level, rate and length as every other condition.",
)
ANCHOR_3500 = _anchor(
    slug="anchor-3.5khz",
    label="Low-pass 3.5 kHz",
    params={"corner_hz": 3_500, "stop_hz": 4_000},
    note="The low anchor of ITU-R BS.1534.",
)
ANCHOR_7000 = _anchor(
    slug="anchor-7khz",
    label="Low-pass 7 kHz",
    params={"corner_hz": 7_000, "stop_hz": 8_000},
    note="The mid anchor of ITU-R BS.1534.",
)
MNRU_8 = _mnru(slug="mnru-8db", label="MNRU Q = 8 dB", params={"q_db": 8, "seed": 810})
MNRU_16 = _mnru(slug="mnru-16db", label="MNRU Q = 16 dB", params={"q_db": 16, "seed": 810})
MNRU_24 = _mnru(slug="mnru-24db", label="MNRU Q = 24 dB", params={"q_db": 24, "seed": 810})
MNRU_32 = _mnru(slug="mnru-32db", label="MNRU Q = 32 dB", params={"q_db": 32, "seed": 810})
MNRU_40 = _mnru(slug="mnru-40db", label="MNRU Q = 40 dB", params={"q_db": 40, "seed": 810})
