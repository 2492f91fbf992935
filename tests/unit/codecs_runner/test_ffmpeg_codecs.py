"""Opus, MP3 and AAC on real speech: bit rates against measured ones, and alignment to the sample.

Expected rates: ffmpeg 5.1.9 with libopus 1.3.1 and LAME 3.100 on Lyra's sample1_16kHz.wav, counting packet bytes.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from codecs_runner.align import find_delay
from codecs_runner.audio import STIMULUS_RATE, load_audio, resample
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.stimulus import make_stimulus

RATES = {"opus-6kbps": 5_880, "opus-24kbps": 22_900, "mp3-8kbps": 8_180, "mp3-24kbps": 24_550, "aac-24kbps": 24_800}


@pytest.mark.parametrize("slug", RATES)
def test_rate_and_alignment_on_real_speech(shared: Path, slug: str) -> None:
    samples, info = load_audio(shared / "data" / "lyra_speech" / "sample1_16kHz.wav")
    condition = get_condition(slug)
    audio = make_stimulus(samples, info.sample_rate, condition, open_codec(condition))
    assert audio.payload_bps == pytest.approx(RATES[slug], rel=0.02)
    original = resample(samples, info.sample_rate, STIMULUS_RATE)
    again = find_delay(original, audio.pcm / 32768.0, STIMULUS_RATE)
    assert (again.delay_samples, again.method) == (0, "waveform")
    assert abs(audio.delay_samples) <= 6  # what Opus's low-rate mode disperses; the containers' priming is gone already
    assert abs(audio.gain.codec_db) < 1.5


def test_opus_alignment_survives_a_wrong_start(shared: Path, opened: Callable) -> None:
    samples, _ = load_audio(shared / "data" / "lyra_speech" / "sample2_16kHz.wav")
    _, codec = opened("opus-24kbps")
    decoded = codec.code(samples.astype(np.float32)).samples.astype(float)
    late = np.concatenate([np.zeros(312), decoded])
    assert find_delay(resample(samples, 16_000, 48_000), late, 48_000).delay_samples == 312
