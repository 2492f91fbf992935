"""Every measure of the registry, held to what it says of itself. Pairs are shared by all measures, as in real use."""

from collections.abc import Callable
from functools import cache
from math import isnan
from pathlib import Path

import numpy as np
import pytest

from analysis.audio import Samples, read_audio, resample
from analysis.objective import MEASURES, Clip, Pair, get_measure
from analysis.objective.base import Measure, Score
from tests.conftest import absent

SPEECH = Path(__file__).resolve().parents[3] / "analysis/corpora/synthetic/audio/m1_sadness_a.flac"
RATE, LENGTH = 16_000, 37_000  # 2.3 s: DNSMOS repeats it into one window
COMPARING = [key for key in MEASURES if get_measure(key).needs_reference]
JUDGING = [key for key in COMPARING if get_measure(key).best != "neither"]
GAIN_DB, DELAY_MS = -6.0, 10.0
QUIET = ("gain_db", "loudness_lufs", "active_level_dbov")  # what follows a gain


@cache
def speech() -> Samples:
    samples, rate = read_audio(SPEECH)
    return resample(samples, rate, RATE)[:LENGTH]


def noisy(snr_db: float) -> Samples:
    noise = np.random.default_rng(1).standard_normal(LENGTH)
    return speech() + noise * np.sqrt(np.mean(speech() ** 2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)


SIGNALS: dict[str, Callable[[], Samples]] = {
    "the same": speech,
    "little noise": lambda: noisy(25),
    "noise": lambda: noisy(15),
    "much noise": lambda: noisy(5),
    "quieter": lambda: 10 ** (GAIN_DB / 20) * noisy(15),
    "late": lambda: np.concatenate([np.zeros(round(DELAY_MS / 1000 * RATE)), noisy(15)]),
    "silence": lambda: np.zeros(LENGTH),
    "half": lambda: speech()[: LENGTH // 2],
    "a few samples": lambda: speech()[:100],
}


@cache
def pair(name: str) -> Pair:
    return Pair(reference=reference(), degraded=Clip(SIGNALS[name](), RATE))


@cache
def reference() -> Clip:
    return Clip(speech(), RATE)


@pytest.fixture(params=MEASURES)
def key(request: pytest.FixtureRequest) -> str:
    measure = get_measure(str(request.param))
    if measure.missing:
        absent(measure.missing)
    return str(request.param)


@cache
def measured(key: str, name: str) -> Score:
    return get_measure(key).score(pair(name))


def tolerance(measure: Measure) -> float:
    """Of a score that should not change: P.56 reads to 0.01 dB, and a delay takes a few samples off the end."""
    return min(0.05, (measure.maximum - measure.minimum) / 50)


def test_the_value_lies_in_the_range_that_is_told(key: str) -> None:
    score, measure = measured(key, "noise"), get_measure(key)
    assert measure.minimum <= score.value <= measure.maximum, score
    assert score.reason == ""
    assert measure.source and measure.version


@pytest.mark.parametrize("key", JUDGING, indirect=True)
def test_identical_signals_have_the_best_value_and_more_noise_a_worse_one(key: str) -> None:
    best, good, bad = (measured(key, name).value for name in ("the same", "little noise", "much noise"))
    measure = get_measure(key)
    assert best == pytest.approx(measure.maximum if measure.best == "higher" else measure.minimum, abs=0.01)
    assert best > good > bad if measure.best == "higher" else best < good < bad


def test_a_gain_has_the_effect_that_is_told(key: str) -> None:
    plain, quieter = measured(key, "noise").value, measured(key, "quieter").value
    if get_measure(key).ignores_gain:
        assert quieter == pytest.approx(plain, abs=tolerance(get_measure(key)))
    elif key in QUIET:
        assert quieter - plain == pytest.approx(GAIN_DB, abs=1)  # P.56 itself follows a gain to about 1 dB only
    elif key != "dnsmos_p808":  # which may or may not follow it
        assert abs(quieter - plain) > 0.001


@pytest.mark.parametrize("key", COMPARING, indirect=True)
def test_a_delay_has_the_effect_that_is_told(key: str) -> None:
    plain, late = measured(key, "noise").value, measured(key, "late").value
    if key == "delay_ms":
        assert late - plain == pytest.approx(DELAY_MS)
    elif get_measure(key).ignores_delay:
        assert late == pytest.approx(plain, abs=tolerance(get_measure(key)))
    else:
        assert abs(late - plain) > 0.001


def test_silence_is_undefined_with_a_reason_or_plainly_worse(key: str) -> None:
    score, measure = measured(key, "silence"), get_measure(key)
    if isnan(score.value):
        assert score.reason.endswith(".")
    elif measure.best != "neither":
        least = measured(key, "little noise").value
        assert score.value < least if measure.best == "higher" else score.value > least


@pytest.mark.parametrize("key", COMPARING, indirect=True)
def test_a_silent_reference_and_a_few_samples_never_raise(key: str) -> None:
    silent = get_measure(key).score(Pair(reference=Clip(np.zeros(RATE), RATE), degraded=Clip(speech()[:RATE], RATE)))
    for score in (silent, measured(key, "a few samples")):
        assert isnan(score.value) == (score.reason != "")


@pytest.mark.parametrize("key", COMPARING, indirect=True)
def test_another_rate_is_brought_to_that_of_the_reference(key: str) -> None:
    at_48k = Clip(resample(SIGNALS["noise"](), RATE, 48_000), 48_000)
    same = measured(key, "noise").value
    assert get_measure(key).score(Pair(reference=reference(), degraded=at_48k)).value == pytest.approx(same, abs=0.1, rel=0.1)


@pytest.mark.parametrize("key", JUDGING, indirect=True)
def test_half_of_a_recording_is_not_taken_for_the_whole(key: str) -> None:
    score = measured(key, "half")
    if not key.startswith("codec_superb"):
        assert isnan(score.value)
        assert "covers only 50%" in score.reason
    elif key != "codec_superb_f0corr":  # padded with silence, which the warping of F0 steps over
        assert abs(score.value - measured(key, "the same").value) > 0.005


@pytest.mark.parametrize("key", COMPARING, indirect=True)
def test_measuring_anew_gives_the_same_to_the_bit(key: str) -> None:
    anew = Pair(reference=Clip(speech(), RATE), degraded=Clip(SIGNALS["noise"](), RATE))
    assert get_measure(key).score(anew) == measured(key, "noise")
