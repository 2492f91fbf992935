"""Test signals."""

import numpy as np

from codecs_runner.audio import Samples


def make_speech(seconds: float, rate: int, seed: int = 0) -> Samples:
    """A voice-like signal: harmonics of a gliding pitch in syllables of 4 Hz, over faint noise; −20 dB of full scale."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * np.cumsum(140 + 30 * np.sin(2 * np.pi * 0.7 * time + seed)) / rate
    voice = sum(np.sin(k * phase + rng.uniform(0, 6)) / k for k in range(1, 20))
    signal = voice * np.clip(np.sin(2 * np.pi * 4 * time), 0, 1) + 0.002 * rng.standard_normal(len(time))
    return 0.1 * signal / np.sqrt(np.mean(signal**2) + 1e-12)
