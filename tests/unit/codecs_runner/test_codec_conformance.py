"""What every condition keeps to, whoever wrote it. Run over the whole registry."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codecs_runner.audio import STIMULUS_RATE, AudioError, Samples, resampled_length
from codecs_runner.codecs.base import Codec, CodecError, Condition
from codecs_runner.registry import CONDITIONS, availability, get_condition, list_conditions, open_codec, weights_licence
from codecs_runner.stimulus import StimulusAudio, make_stimulus
from tests.unit.codecs_runner.voices import make_speech

HOP = 320  # of every frame-based codec here, or a multiple of it
FILL_S = 0.06  # at most: frames of 40 ms, and what a delay adds
FAR_FILL_S = {"SNAC": 0.4, "Mimi": 0.08}  # frames of 80 ms, attention windows of 32 frames
VARIABLE = {"Opus", "MP3", "AAC"}  # families whose rate is an average
KEEPS_PEAKS = {"original", "anchor-7khz", "mnru-40db", "opus-24kbps", "mp3-160kbps", "aac-77kbps", "g722-64kbps"}
LONG_S, LONG_NEURAL_S = 600, 30
Opened = Callable[[str], tuple[Condition, Codec]]


def marked(condition: Condition) -> list[pytest.MarkDecorator]:
    return [pytest.mark.neural] if condition.heavy else []


def marked_by_cost(condition: Condition) -> list[pytest.MarkDecorator]:
    """Rates of one model differ in the number of codebooks alone (`test_model_codec`): all but the first wait for the slow suite."""
    first = next(c for c in list_conditions() if (c.model or c.slug) == (condition.model or condition.slug))
    return [*marked(condition), *([] if condition is first else [pytest.mark.slow])]


every_condition = pytest.mark.parametrize("slug", [pytest.param(c.slug, marks=marked_by_cost(c)) for c in list_conditions()])
every_description = pytest.mark.parametrize("slug", [pytest.param(c.slug, marks=marked(c)) for c in list_conditions()])


def render(opened: Opened, slug: str, samples: Samples, rate: int | None = None) -> StimulusAudio:
    condition, codec = opened(slug)
    return make_stimulus(samples, rate or condition.sample_rate, condition, codec)


@every_condition
@pytest.mark.parametrize("n_samples", [1, HOP - 1, HOP, HOP + 1, 10 * HOP, None], ids=str)
def test_length_is_exact(opened: Opened, slug: str, n_samples: int | None) -> None:
    rate = get_condition(slug).sample_rate
    samples = make_speech(0.731, rate)[:n_samples]
    assert len(render(opened, slug, samples).pcm) == resampled_length(len(samples), rate, STIMULUS_RATE)


@every_condition
def test_no_samples_are_refused_with_a_sentence(opened: Opened, slug: str) -> None:
    with pytest.raises(AudioError) as caught:
        render(opened, slug, np.zeros(0))
    assert caught.value.code == "empty" and caught.value.sentence.endswith(".")


@every_condition
@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_length_and_level_are_exact_at_any_rate(opened: Opened, slug: str, rate: int) -> None:
    audio = render(opened, slug, make_speech(0.531, rate), rate)
    assert len(audio.pcm) == round(round(0.531 * rate) * STIMULUS_RATE / rate)
    assert audio.level_dbov == pytest.approx(-26, abs=0.1)


@every_condition
def test_clips_leave_no_trace_in_one_another_in_either_order(opened: Opened, slug: str) -> None:
    rate = get_condition(slug).sample_rate
    a, b = make_speech(0.4, rate, seed=1), make_speech(0.3, rate, seed=2)
    first = [render(opened, slug, clip).flac() for clip in (a, b)]
    assert [render(opened, slug, clip).flac() for clip in (b, a)] == first[::-1]


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
def test_a_constant_gives_a_stimulus_or_a_sentence(opened: Opened, slug: str) -> None:
    rate = get_condition(slug).sample_rate
    try:
        audio = render(opened, slug, np.full(rate // 4, 0.5))
    except CodecError as error:  # some codecs pass no direct current
        assert error.code == "silent_output" and error.sentence.endswith(".")
    else:
        assert len(audio.pcm) == STIMULUS_RATE // 4


@every_condition
def test_a_lone_impulse_stays_where_it_was(opened: Opened, slug: str) -> None:
    samples = np.zeros(STIMULUS_RATE)
    samples[24_000] = 0.9
    try:
        audio = render(opened, slug, samples, STIMULUS_RATE)
    except CodecError as error:
        assert error.code == "silent_output" and slug not in KEEPS_PEAKS
    else:
        assert len(audio.pcm) == STIMULUS_RATE
        if slug in KEEPS_PEAKS:
            assert abs(int(np.abs(audio.pcm.astype(int)).argmax()) - 24_000) <= 3


@every_condition
def test_payload_is_what_is_said(opened: Opened, slug: str) -> None:
    condition, codec = opened(slug)
    seconds = 3.0
    coded = codec.code(make_speech(seconds, condition.sample_rate).astype(np.float32))
    if condition.rate_bps is None:
        assert coded.payload_bits is None
    else:
        assert coded.payload_bits is not None
        if condition.family in VARIABLE:
            assert coded.payload_bits / seconds == pytest.approx(condition.rate_bps, rel=0.25)
        else:
            least = coded.payload_bits / (seconds + FAR_FILL_S.get(condition.family, FILL_S))
            assert least <= 1.005 * condition.rate_bps and coded.payload_bits / seconds >= 0.995 * condition.rate_bps


@every_condition
def test_wrong_parameters_are_a_sentence(opened: Opened, with_weights: Path, slug: str) -> None:
    condition, _ = opened(slug)
    for name in condition.params:
        wrong = replace(condition, params={**condition.params, name: "no-such"}, obstacle=None)
        with pytest.raises(CodecError) as caught:
            open_codec(wrong).code(np.zeros(condition.sample_rate, np.float32))
        assert caught.value.sentence.endswith(".") and len(caught.value.sentence) > 20


@every_condition
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_long_clip_keeps_its_length_and_its_end(opened: Opened, slug: str) -> None:
    condition, _ = opened(slug)
    rate = condition.sample_rate
    seconds = LONG_NEURAL_S if condition.heavy or condition.family == "Lyra" else LONG_S
    audio = render(opened, slug, np.resize(make_speech(7.0, rate), seconds * rate), rate)
    assert len(audio.pcm) == seconds * STIMULUS_RATE
    end = audio.pcm[-STIMULUS_RATE:].astype(float)
    assert condition.heavy or np.abs(end).max() > 300


@every_description
def test_a_condition_says_what_it_is(slug: str) -> None:
    condition = get_condition(slug)
    assert condition.label and condition.family
    assert condition.rate_bps is None or condition.licence, "whose code is it?"
    assert bool(condition.weights) == bool(weights_licence(condition))
    if condition.true_bps is not None and round(condition.true_bps, -2) != round(condition.nominal_bps or 0, -2):
        assert condition.note, "why the rate is another than the one asked for"
    assert availability(slug).ok or availability(slug).reason.endswith(".")


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
        ("emo-codec:M1", "mp3-8kbps"),
        ("emo-codec:M2", "mp3-24kbps"),
        ("emo-codec:M3", "mp3-160kbps"),
        ("emo-codec:O1", "opus-6kbps"),
        ("emo-codec:O2", "opus-24kbps"),
        ("emo-codec:A1", "aac-10kbps"),
        ("emo-codec:A2", "aac-24kbps"),
        ("emo-codec:A3", "aac-77kbps"),
    ],
)
def test_aliases_lead_to_our_slug(alias: str, slug: str) -> None:
    assert get_condition(alias).slug == slug
