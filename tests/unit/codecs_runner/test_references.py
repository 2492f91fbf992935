"""Reference conditions against their recommendations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import freqz, welch

from codecs_runner.codecs.references import LowPass, Mnru
from codecs_runner.registry import get_condition
from tests.unit.codecs_runner.voices import make_speech

QS = (8, 16, 24, 32, 40)


@pytest.mark.parametrize("corner", [3_500, 7_000])
def test_the_anchor_keeps_to_the_mask_of_bs_1534(corner: int) -> None:
    condition = get_condition(f"anchor-{corner / 1000:g}khz")
    hertz, response = freqz(LowPass(condition).taps, worN=1 << 15, fs=48_000)
    gain = 20 * np.log10(np.maximum(np.abs(response), 1e-9))
    assert np.abs(gain[hertz <= corner]).max() <= 0.1
    assert gain[hertz >= corner * 4 / 3.5].max() <= -25
    assert gain[hertz >= corner * 4.5 / 3.5].max() <= -50


@pytest.mark.parametrize("q_db", QS)
def test_mnru_noise_follows_speech_at_q(q_db: int) -> None:
    """The codec at a Q so high that no noise is left gives the speech path; what differs from it is the noise path."""
    condition = get_condition(f"mnru-{q_db}db")
    speech = make_speech(8.0, 16_000).astype(np.float32)
    clean = Mnru(replace(condition, params={**condition.params, "q_db": 200})).code(speech).samples.astype(float)
    noise = Mnru(condition).code(speech).samples.astype(float) - clean
    in_band = 7_000 / 8_000  # what the low-pass leaves of white noise
    snr_db = 10 * np.log10(np.sum(clean**2) / np.sum(noise**2))
    assert snr_db == pytest.approx(q_db - 10 * np.log10(in_band), abs=0.25)

    loud = np.abs(speech) > np.quantile(np.abs(speech), 0.9)
    quiet = np.abs(speech) < np.quantile(np.abs(speech), 0.1)
    assert np.mean(noise[loud] ** 2) > 20 * np.mean(noise[quiet] ** 2), "it is modulated by the speech"


def test_mnru_is_wide_band_and_the_same_each_time() -> None:
    condition = get_condition("mnru-8db")
    signal = np.random.default_rng(1).standard_normal(160_000).astype(np.float32) * 0.1
    first = Mnru(condition).code(signal).samples
    assert np.array_equal(first, Mnru(condition).code(signal).samples)
    hertz, power = welch(first, 16_000, nperseg=1024)
    assert power[hertz > 7_900].max() < 1e-4 * power[(hertz > 1_000) & (hertz < 6_500)].mean()


def test_steps_of_q_differ_in_nothing_but_the_noises_level() -> None:
    signal = make_speech(1.0, 16_000).astype(np.float32)
    conditions = [get_condition(f"mnru-{q}db") for q in (8, 16)]
    silent = replace(conditions[0], params={**conditions[0].params, "q_db": 200})
    clean, loud, soft = (Mnru(c).code(signal).samples.astype(float) for c in (silent, *conditions))
    assert (loud - clean) * 10 ** (-8 / 20) == pytest.approx(soft - clean, abs=1e-5)
