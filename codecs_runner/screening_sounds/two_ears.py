"""What only two ears with a sound each can tell: Huggins pitch, and tones in opposite phase."""

import numpy as np

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import Samples, at_rms, dual, join, ramp

HUGGINS_HZ = 600.0
HUGGINS_WIDTH = 0.06
INTERVALS = 3
GAP_S = 0.5


def huggins(target: int, rng: np.random.Generator) -> Samples:
    """Three noises of 1 s, one of which has a faint tone in it for whoever hears a channel in each ear.

    White Gaussian noise, alike in both channels; in interval ``target`` (0 to 2) the left channel's spectrum is turned over within
    600 Hz ± 6 % (interaural phase 180° there, 0° elsewhere). No single channel differs from plain noise, and their sum over
    loudspeakers only has a dent. As in Milne et al., "An online headphone screening test based on dichotic pitch", Behav. Res.
    Methods 53 (2021), whose code turns a channel over in the same band. Shape [n_samples, 2], −26 dBov in each channel.
    """
    intervals = []
    for number in range(INTERVALS):
        right = rng.standard_normal(STIMULUS_RATE)
        left = right
        if number == target:
            spectrum = np.fft.rfft(right)
            hz = np.fft.rfftfreq(len(right), 1 / STIMULUS_RATE)
            spectrum[np.abs(hz - HUGGINS_HZ) <= HUGGINS_WIDTH * HUGGINS_HZ] *= -1
            left = np.fft.irfft(spectrum, len(right))
        intervals.append(ramp(at_rms(dual(left, right)), 0.02))
    return join(intervals, GAP_S)


def antiphase(order: tuple[int, int, int]) -> Samples:
    """Three tones of 200 Hz and 1 s, of which one is softer for whoever hears a channel in each ear.

    ``order`` arranges the standard (0: both channels in phase, −20 dBov), the foil (1: the same level, the right channel turned over)
    and the target (2: in phase, 6.02 dB softer). Over loudspeakers the foil cancels itself and seems the softest. After Woods et
    al., "Headphone screening to facilitate web-based auditory experiments", Atten. Percept. Psychophys. 79 (2017).
    Shape [n_samples, 2].
    """
    time = np.arange(STIMULUS_RATE) / STIMULUS_RATE
    tone = ramp(at_rms(np.sin(2 * np.pi * 200 * time), -20.0), 0.1)
    kinds = (dual(tone, tone), dual(tone, -tone), dual(tone / 2, tone / 2))
    return join([kinds[kind] for kind in order], GAP_S)
