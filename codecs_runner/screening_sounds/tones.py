"""Tones to be counted."""

import numpy as np

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import Samples, at_rms, join, ramp, silence

LENGTH_S = 0.35


def counted_tones(count: int) -> Samples:
    """``count`` tones of 440 Hz, 0.35 s long and apart, each at −26 dBov; 0.35 s of silence at either end.

    >>> counted_tones(2).shape
    (84000,)
    """
    time = np.arange(round(LENGTH_S * STIMULUS_RATE)) / STIMULUS_RATE
    tone = ramp(at_rms(np.sin(2 * np.pi * 440 * time)), 0.02)
    return np.concatenate([silence(LENGTH_S), join([tone] * count, LENGTH_S), silence(LENGTH_S)])
