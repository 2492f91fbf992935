"""Active speech level by ITU-T P.56, method B, as the ITU-T Software Tool Library (G.191) computes it."""

from dataclasses import dataclass
from math import exp, floor, isfinite, log10, nan

import numpy as np
import scipy  # its parts are loaded where they are first used: they are slow to load, and every command comes by here

from analysis.audio import Samples

TIME_CONSTANT_S = 0.03
HANGOVER_S = 0.2
MARGIN_DB = 15.9
READINGS = 20  # at most, to find the gain to the target
TOLERANCE_DB = 0.01
THRESHOLDS: Samples = np.asarray(0.5 ** np.arange(15, 0, -1), dtype=np.float64)  # of the envelope, ascending, full scale 1.0


@dataclass(frozen=True)
class SpeechLevel:
    """``level_dbov``: mean power while speech is active, 0 dBov = RMS 1.0; NaN where no activity could be found.
    ``activity``: share of the time that is active, 0 to 1."""

    level_dbov: float
    activity: float


class Activity:
    """A channel prepared for readings of its active level at any gain: the costly part of P.56 is done once.

    The rectified signal passes twice through a first-order smoother g = exp(−1/(f·T)), T = 30 ms. A sample is active at a
    threshold if the envelope reached it there or within the last 200 ms, in other words if the greatest envelope value of those
    200 ms did. Those maxima, sorted, give the number of active samples for any threshold by bisection, and a gain scales them.

    Args:
        samples: shape [n_samples], full scale ±1.
        sample_rate: Hz.
    """

    def __init__(self, samples: Samples, sample_rate: int) -> None:
        self.n_samples, self.energy = len(samples), float(np.sum(samples**2))
        g = exp(-1 / (sample_rate * TIME_CONSTANT_S))
        smooth = scipy.signal.lfilter([1 - g], [1, -g], np.abs(samples))
        envelope = scipy.signal.lfilter([1 - g], [1, -g], smooth)
        width = floor(HANGOVER_S * sample_rate + 0.5) + 1
        # shifted so that the window ends at its sample
        self.reached = np.sort(
            scipy.ndimage.maximum_filter1d(envelope, width, mode="constant", cval=0.0, origin=(width - 1) // 2)
        )

    def level(self, gain_db: float = 0.0) -> float:
        """Active level after a gain, in dBov; NaN where it is silent or never rises 15.9 dB above the lowest threshold.

        For each threshold c_j = 2^j, j = −15 … −1, a_j samples are active. With A_j = 10·lg(Σx²/a_j) and C_j = 20·lg(c_j), the level
        is A where A − C falls to the margin of 15.9 dB, on the straight line between the two neighbouring thresholds. (The STL
        bisects that line until within 0.5 dB; here it is solved exactly.)
        """
        thresholds = THRESHOLDS / 10 ** (gain_db / 20)
        counts = self.n_samples - np.searchsorted(self.reached, thresholds)
        active = counts > 0
        if self.energy == 0 or not active.any():
            return nan
        level = 10 * np.log10(self.energy / counts[active])
        excess = level - 20 * np.log10(thresholds[active]) - MARGIN_DB
        below = np.flatnonzero(excess <= 0)
        if len(below) == 0 or below[0] == 0:
            return nan
        j = below[0]
        share = excess[j - 1] / (excess[j - 1] - excess[j])
        return gain_db + float(level[j - 1] + share * (level[j] - level[j - 1]))

    def gain_to(self, target_dbov: float) -> float:
        """Gain in dB after which `level` reads ``target_dbov``; NaN where there is no level to be read.

        P.56 interpolates between thresholds 6 dB apart, so a reading follows a gain only to about 1 dB. The gain is therefore
        found by repeated reading, and signals are compared at the same place between the thresholds.
        """
        if self.energy == 0:
            return nan
        gain_db = target_dbov - 10 * log10(self.energy / self.n_samples)
        for _ in range(READINGS):
            reading = self.level(gain_db)
            gain_db += target_dbov - reading
            if not abs(reading - target_dbov) > TOLERANCE_DB:
                break
        return gain_db


def active_speech_level(samples: Samples, sample_rate: int) -> SpeechLevel:
    """Active speech level of one channel by ITU-T P.56, method B; `Activity` says how.

    Args:
        samples: shape [n_samples], full scale ±1.
        sample_rate: Hz.

    Returns:
        Level and activity; NaN and 0 where the signal is silent or never rises 15.9 dB above the lowest threshold (−90 dBov).

    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(480_000) / 48_000)
    >>> round(active_speech_level(tone, 48_000).level_dbov, 1)
    -3.0
    """
    activity = Activity(samples, sample_rate)
    level_dbov = activity.level()
    if not isfinite(level_dbov):
        return SpeechLevel(nan, 0.0)
    power_db = 10 * log10(activity.energy / activity.n_samples)
    return SpeechLevel(level_dbov, min(1.0, 10 ** ((power_db - level_dbov) / 10)))
