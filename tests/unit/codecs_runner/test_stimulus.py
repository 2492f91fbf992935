"""The chain of every condition: delay, gain, length and level, with codecs whose faults are known."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from analysis.align import find_delay
from codecs_runner.audio import Samples
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.stimulus import make_stimulus
from tests.unit.codecs_runner.voices import make_speech


@dataclass
class Faulty:
    """Delays by ``late`` samples, of which it admits ``declared``, and changes the level by ``gain``."""

    late: int = 0
    declared: int = 0
    gain: float = 1.0
    device: str = "cpu"
    versions: dict[str, str] = field(default_factory=dict)

    def code(self, samples: Signal) -> Coded:
        late = np.concatenate([np.zeros(self.late, np.float32), samples]).astype(np.float32)
        return Coded(np.float32(self.gain) * late, 16_000, 160, self.declared)


def condition(codec: Any) -> Condition:
    return Condition("faulty", "test", "Faulty", lambda _: codec, sample_rate=16_000)


ORIGINAL = make_stimulus(make_speech(1.5, 16_000), 16_000, condition(Faulty()), Faulty())


@pytest.mark.parametrize(("late", "declared"), [(0, 0), (7, 0), (222, 222), (230, 222), (0, 5), (800, 0)])
def test_delay_is_removed_to_the_sample(speech: Samples, late: int, declared: int) -> None:
    codec = Faulty(late, declared)
    audio = make_stimulus(speech, 16_000, condition(codec), codec)
    assert audio.delay_samples == 3 * late
    assert len(audio.pcm) == 3 * len(speech)
    assert np.abs(audio.pcm[: -3 * 800].astype(int) - ORIGINAL.pcm[: -3 * 800]).max() <= 40  # the gain reads a lost end


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.9])
def test_the_codecs_gain_is_undone(speech: Samples, gain: float) -> None:
    codec = Faulty(gain=gain)
    audio = make_stimulus(speech, 16_000, condition(codec), codec)
    assert audio.gain.codec_db == pytest.approx(20 * np.log10(gain), abs=0.02)
    assert audio.gain.level_db == ORIGINAL.gain.level_db
    assert audio.level_dbov == pytest.approx(-26, abs=0.02)
    assert np.abs(audio.pcm.astype(int) - ORIGINAL.pcm).max() <= 20


def test_over_full_scale_is_limited_and_said() -> None:
    quiet = 0.05 * make_speech(1.5, 16_000)
    quiet[5_000] = 0.9
    audio = make_stimulus(quiet, 16_000, condition(Faulty()), Faulty())
    assert audio.peak > 1 and audio.limited_samples > 0
    assert np.abs(audio.pcm.astype(int)).max() <= 32768


@pytest.mark.parametrize(("value", "code"), [(0.0, "silent_output"), (np.nan, "not_finite")])
def test_a_signal_nobody_can_listen_to_is_a_failure(speech: Samples, value: float, code: str) -> None:
    codec = Faulty(gain=value)
    with pytest.raises(CodecError) as caught:
        make_stimulus(speech, 16_000, condition(codec), codec)
    assert caught.value.code == code


def test_weak_evidence_never_moves_a_signal(speech: Samples) -> None:
    noise = np.random.default_rng(3).standard_normal(len(speech))
    assert find_delay(speech, noise, 16_000).method == "declared"
    assert find_delay(speech, np.zeros(100), 16_000).delay_samples == 0


def test_envelopes_find_a_delay_that_waveforms_cannot() -> None:
    original = make_speech(2, 16_000)
    noise = np.random.default_rng(4).standard_normal(len(original))
    vocoded = noise * np.sqrt(np.convolve(original**2, np.ones(160) / 160, "same"))
    found = find_delay(original, np.concatenate([np.zeros(400), vocoded]), 16_000)
    assert found.method == "envelope"
    assert found.delay_samples == pytest.approx(400, abs=32)
    assert find_delay(original, vocoded, 16_000).delay_samples == 0
