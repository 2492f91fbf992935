"""Active speech level against a literal reading of P.56, and the gain that every stimulus gets."""

from math import exp, floor, isnan, log10

import numpy as np
import pytest

from analysis.active_level import Activity, active_speech_level
from codecs_runner.audio import Samples
from codecs_runner.level import TARGET_DBOV
from tests.unit.codecs_runner.voices import make_speech


def gain_to_target(samples: Samples, rate: int) -> float:
    return Activity(samples, rate).gain_to(TARGET_DBOV)


def literal_p56(samples: Samples, rate: int) -> float:
    """Sample by sample, as Recommendation P.56 and the STL's sv-p56.c describe it."""
    g, hangover = exp(-1 / (rate * 0.03)), floor(0.2 * rate + 0.5)
    thresholds = [0.5**k for k in range(15, 0, -1)]
    activity, hang = [0] * 15, [hangover] * 15
    p = q = energy = 0.0
    for x in samples.tolist():
        energy += x * x
        p = g * p + (1 - g) * abs(x)
        q = g * q + (1 - g) * p
        for j, c in enumerate(thresholds):
            if q >= c:
                activity[j], hang[j] = activity[j] + 1, 0
            elif hang[j] < hangover:
                activity[j], hang[j] = activity[j] + 1, hang[j] + 1
    above = None
    for count, c in zip(activity, thresholds, strict=True):
        level = 10 * log10(energy / count)
        excess = level - 20 * log10(c) - 15.9
        if excess <= 0 and above:
            return above[0] + (level - above[0]) * above[1] / (above[1] - excess)
        above = (level, excess)
    raise AssertionError("no level")


@pytest.mark.parametrize("gain", [1.0, 0.2, 0.013])
def test_level_is_that_of_the_recommendation(gain: float) -> None:
    samples = gain * np.concatenate([make_speech(1.2, 8_000), np.zeros(8_000)])
    assert active_speech_level(samples, 8_000).level_dbov == pytest.approx(literal_p56(samples, 8_000), abs=1e-9)


def test_a_full_scale_sine_is_3_db_below_overload() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(10 * 16_000) / 16_000)
    level = active_speech_level(tone, 16_000)
    assert level.level_dbov == pytest.approx(-3.01, abs=0.02)
    assert level.activity == pytest.approx(1, abs=0.005)


def test_pauses_lower_the_activity_not_the_level() -> None:
    voice = make_speech(2, 16_000)
    spoken = active_speech_level(voice, 16_000)
    paused = active_speech_level(np.concatenate([voice, np.zeros(6 * 16_000)]), 16_000)
    assert paused.level_dbov == pytest.approx(spoken.level_dbov, abs=0.7)
    assert paused.activity < 0.35 < spoken.activity


@pytest.mark.parametrize("samples", [np.zeros(16_000), np.ones(1), np.full(10, 0.5)], ids=["silence", "one sample", "a click"])
def test_what_has_no_level_is_undefined(samples: Samples) -> None:
    level = active_speech_level(samples, 16_000)
    assert isnan(level.level_dbov) and level.activity == 0


@pytest.mark.parametrize("gain_db", [-45.0, -20.0, 0.0, 10.0])
def test_the_gain_reaches_the_target(gain_db: float) -> None:
    samples = make_speech(1.5, 16_000) * 10 ** (gain_db / 20)
    found = gain_to_target(samples, 16_000)
    assert active_speech_level(samples * 10 ** (found / 20), 16_000).level_dbov == pytest.approx(TARGET_DBOV, abs=0.02)


def test_the_gain_undoes_another_gain_exactly() -> None:
    samples = make_speech(1.5, 16_000)
    assert gain_to_target(samples, 16_000) - gain_to_target(2 * samples, 16_000) == pytest.approx(20 * log10(2), abs=0.02)


def test_silence_has_no_gain() -> None:
    assert isnan(gain_to_target(np.zeros(100), 16_000))
