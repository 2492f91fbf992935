"""What every condition keeps to, whoever wrote it. Run over the whole registry."""

from collections.abc import Callable

import numpy as np
import pytest

from codecs_runner.audio import STIMULUS_RATE, Samples, resampled_length
from codecs_runner.codecs.base import Codec, Condition
from codecs_runner.registry import CONDITIONS, get_condition, list_conditions
from codecs_runner.stimulus import StimulusAudio, make_stimulus
from tests.unit.codecs_runner.voices import make_speech

HOP = 320  # of every frame-based codec here
Opened = Callable[[str], tuple[Condition, Codec]]

every_condition = pytest.mark.parametrize(
    "slug", [pytest.param(c.slug, marks=[pytest.mark.neural] if c.heavy else []) for c in list_conditions()]
)


def render(opened: Opened, slug: str, samples: Samples) -> StimulusAudio:
    condition, codec = opened(slug)
    return make_stimulus(samples, condition.sample_rate, condition, codec)


@every_condition
@pytest.mark.parametrize("n_samples", [1, HOP - 1, HOP, HOP + 1, None], ids=str)
def test_length_is_exact(opened: Opened, slug: str, n_samples: int | None) -> None:
    rate = get_condition(slug).sample_rate
    samples = make_speech(1.0, rate)[:n_samples]
    audio = render(opened, slug, samples)
    assert len(audio.pcm) == resampled_length(len(samples), rate, STIMULUS_RATE)


@every_condition
def test_length_is_exact_for_a_recording_at_an_odd_rate(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    audio = make_stimulus(make_speech(0.731, 22_050), 22_050, condition, codec)
    assert len(audio.pcm) == round(round(0.731 * 22_050) * STIMULUS_RATE / 22_050)


@every_condition
def test_same_clip_gives_same_bytes_whatever_came_before(opened: Opened, slug: str) -> None:
    rate = get_condition(slug).sample_rate
    first = render(opened, slug, make_speech(0.5, rate, seed=1)).flac()
    render(opened, slug, make_speech(0.4, rate, seed=2))
    assert render(opened, slug, make_speech(0.5, rate, seed=1)).flac() == first


@every_condition
def test_silence_stays_silent_enough(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    coded = codec.code(np.zeros(condition.sample_rate // 2, np.float32))
    assert np.isfinite(coded.samples).all()
    if not condition.heavy:  # random weights do not know silence
        assert np.abs(coded.samples).max() < 0.01


@every_condition
def test_overdriven_input_is_survived(opened: Opened, slug: str) -> None:
    rate = get_condition(slug).sample_rate
    audio = render(opened, slug, np.clip(20 * make_speech(0.5, rate), -1, 1))
    assert audio.pcm.any()
    assert audio.level_dbov == pytest.approx(-26, abs=0.1)


@every_condition
def test_payload_is_what_is_said(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    seconds = 2.0
    coded = codec.code(make_speech(seconds, condition.sample_rate).astype(np.float32))
    if condition.nominal_bps is None:
        assert coded.payload_bits is None
    else:
        assert coded.payload_bits is not None
        assert coded.payload_bits / seconds == pytest.approx(
            condition.rate_bps, rel=0.2 if condition.packages == ("av",) or condition.family == "SNAC" else 0.03
        )


def test_slugs_and_aliases_are_unique() -> None:
    names = [name for c in list_conditions() for name in (c.slug, *c.aliases)]
    assert len(set(names)) == len(names)
    assert [c.slug for c in list_conditions()] == list(CONDITIONS)


@pytest.mark.parametrize(
    ("alias", "slug"),
    [
        ("emo-codec:E3", "encodec-24k-6kbps"),
        ("emo-codec:E5", "encodec-24k-24kbps"),
        ("codec-superb:E3", "encodec-24k-6kbps"),
        ("emo-codec:D1", "dac-16k-6kbps"),
        ("emo-codec:D2", "dac-24k-24kbps"),
        ("emo-codec:O1", "opus-6kbps"),
    ],
)
def test_aliases_lead_to_our_slug(alias: str, slug: str) -> None:
    assert get_condition(alias).slug == slug
