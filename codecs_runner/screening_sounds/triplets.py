"""Digit triplets in noise."""

from functools import lru_cache

import numpy as np
from scipy.fft import next_fast_len

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import Samples, at_rms, join, ramp, silence
from codecs_runner.screening_sounds.speech import Speaker

DIGITS = "0123456789"
GAP_S = 0.15
LEAD_S = 0.5


def triplet(digits: str, snr_db: float, speaker: Speaker, rng: np.random.Generator) -> Samples:
    """Three spoken digits in steady noise that has their long-term spectrum.

    SNR: RMS of the digits without the pauses between them over RMS of the noise. The noise begins and ends half a second outside
    the digits, and the mixture lies at −26 dBov. The method is that of Smits, Kapteyn & Houtgast, Int. J. Audiol. 43 (2004), and
    of the hearing check of ITU-T P.808's toolkit; thresholds depend on the voice, so theirs hold for their recordings alone.
    Shape [n_samples].
    """
    words = [at_rms(_digit(digit, speaker), 0.0) for digit in digits]
    lead = silence(LEAD_S)
    speech = np.concatenate([lead, join(words, GAP_S), lead])
    noise = at_rms(shaped_noise(len(speech), speaker, rng), -snr_db)
    return at_rms(ramp(speech + noise, 0.05))


def shaped_noise(n_samples: int, speaker: Speaker, rng: np.random.Generator) -> Samples:
    """Gaussian noise with the long-term spectrum of the speaker's ten digits."""
    hz, magnitude = _spectrum(speaker)
    n = next_fast_len(n_samples, real=True)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    spectrum *= np.interp(np.fft.rfftfreq(n, 1 / STIMULUS_RATE), hz, magnitude)
    return np.asarray(np.fft.irfft(spectrum, n))[:n_samples]


@lru_cache(maxsize=16)
def _spectrum(speaker: Speaker, n_fft: int = 2048) -> tuple[Samples, Samples]:
    """Frequencies in Hz and RMS magnitudes of the ten digits, over frames of 43 ms."""
    frames: list[Samples] = []
    for digit in DIGITS:
        word = at_rms(_digit(digit, speaker), 0.0)
        frames += [word[i : i + n_fft] * np.hanning(n_fft) for i in range(0, len(word) - n_fft, n_fft // 2)]
    power = np.mean(np.abs(np.fft.rfft(np.stack(frames))) ** 2, axis=0)
    return np.arange(len(power)) * STIMULUS_RATE / n_fft, np.asarray(np.sqrt(power), dtype=np.float64)


def _digit(digit: str, speaker: Speaker) -> Samples:
    return speaker.say(digit, digit)
