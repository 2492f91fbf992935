"""FFmpeg's codecs on real speech, by pinned build: bit rate, likeness, gain and delay, and the rates that a format does not have."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from analysis.align import find_delay
from codecs_runner.audio import STIMULUS_RATE, load_audio, resample
from codecs_runner.codecs import ffmpeg_program
from codecs_runner.registry import availability, get_condition
from codecs_runner.stimulus import make_stimulus

PYAV = "18.1.0"
PROGRAM = "5.1."  # Debian 12
GOLDEN = {  # measured on Lyra's sample1_16kHz.wav: bits per second, correlation, the codec's gain in dB
    "opus-6kbps": (5904, 0.890, -0.94),
    "opus-24kbps": (22978, 0.994, -0.11),
    "mp3-8kbps": (8184, 0.969, -0.55),
    "mp3-24kbps": (24553, 0.991, -0.47),
    "mp3-160kbps": (163686, 0.999, -0.45),
    "aac-10kbps": (9402, 0.878, 1.38),
    "aac-24kbps": (24998, 0.986, 0.02),
    "aac-77kbps": (75765, 1.000, -0.01),
    "g722-64kbps": (64027, 0.999, 0.00),
    "amr-nb-4.75kbps": (4766, 0.551, -1.13),
    "amr-nb-7.4kbps": (7425, 0.572, -0.59),
    "amr-nb-12.2kbps": (12240, 0.555, -0.50),
    "speex-nb-8kbps": (8027, 0.503, -0.03),
    "speex-nb-15kbps": (15250, 0.530, 0.05),
    "speex-wb-16.8kbps": (16953, 0.600, 0.24),
    "speex-wb-27.8kbps": (28255, 0.617, 0.20),
    "codec2-3.2kbps": (3229, -0.036, 0.02),
    "codec2-2.4kbps": (2422, 0.067, -0.49),
    "codec2-1.3kbps": (1312, 0.051, -1.16),
    "codec2-0.7kbps": (706, -0.006, -1.92),
    "gsm-13kbps": (13043, 0.974, -0.42),
}
# ffmpeg 5.1.9 with libopus 1.3.1 and LAME 3.100 on the same recording, packet bytes: what another build gives
ELSEWHERE = {"opus-6kbps": 5_880, "opus-24kbps": 22_900, "mp3-8kbps": 8_180, "mp3-24kbps": 24_550, "mp3-160kbps": 163_700}
ELSEWHERE |= {"aac-10kbps": 10_100, "aac-24kbps": 24_800, "aac-77kbps": 77_100}
DELAYS = {"g722": 66, "amr": 240, "speex-nb": 480, "speex-wb": 669, "codec2": 960, "codec2-0.7kbps": 1440}  # at 48 kHz


@pytest.mark.parametrize("slug", GOLDEN)
def test_golden_values_of_the_pinned_build(shared: Path, opened: Callable, slug: str) -> None:
    condition, codec = opened(slug)
    build = codec.versions.get("ffmpeg", "")
    if av.__version__ != PYAV or (build and not build.startswith(PROGRAM)):
        pytest.skip(f"The values are those of PyAV {PYAV} and ffmpeg {PROGRAM}")
    samples, info = load_audio(shared / "data" / "lyra_speech" / "sample1_16kHz.wav")
    audio = make_stimulus(samples, info.sample_rate, condition, codec)
    bps, correlation, gain_db = GOLDEN[slug]
    assert audio.payload_bps == pytest.approx(bps, rel=0.002)
    assert audio.alignment.correlation == pytest.approx(correlation, abs=0.002)
    assert audio.gain.codec_db == pytest.approx(gain_db, abs=0.02)
    if slug in ELSEWHERE:
        assert audio.payload_bps == pytest.approx(ELSEWHERE[slug], rel=0.08)


@pytest.mark.parametrize("slug", GOLDEN)
def test_delay_is_what_was_measured(shared: Path, opened: Callable, slug: str) -> None:
    condition, codec = opened(slug)
    samples, info = load_audio(shared / "data" / "lyra_speech" / "sample2_16kHz.wav")
    audio = make_stimulus(samples, info.sample_rate, condition, codec)
    declared = DELAYS.get(slug) or next((delay for prefix, delay in DELAYS.items() if slug.startswith(prefix)), 0)
    assert abs(audio.delay_samples - declared) <= 6  # what Opus's low-rate mode disperses
    assert abs(audio.gain.codec_db) < 3
    if audio.alignment.method == "waveform" and not declared:
        again = find_delay(resample(samples, info.sample_rate, STIMULUS_RATE), audio.pcm / 32768.0, STIMULUS_RATE)
        assert (again.delay_samples, again.method) == (0, "waveform")


def test_opus_alignment_survives_a_wrong_start(shared: Path, opened: Callable) -> None:
    samples, _ = load_audio(shared / "data" / "lyra_speech" / "sample2_16kHz.wav")
    _, codec = opened("opus-24kbps")
    decoded = codec.code(samples.astype(np.float32)).samples.astype(float)
    late = np.concatenate([np.zeros(312), decoded])
    assert find_delay(resample(samples, 16_000, 48_000), late, 48_000).delay_samples == 312


@pytest.mark.parametrize(
    ("alias", "asked", "true"),
    [
        ("emo-codec:M1", 6_000, 8_000),
        ("emo-codec:M3", 192_000, 160_000),
        ("emo-codec:A1", 6_000, 10_000),
        ("emo-codec:A3", 192_000, 77_000),
    ],
)
def test_a_rate_that_cannot_be_is_labelled_as_what_it_is(alias: str, asked: int, true: int) -> None:
    condition = get_condition(alias)
    assert (condition.nominal_bps, condition.true_bps) == (asked, true)
    assert f"{asked // 1000} → {true // 1000} kbps" in condition.label
    assert condition.slug.endswith(f"-{true // 1000}kbps") and condition.note


@pytest.mark.parametrize(
    ("program", "encoders", "said"),
    [(None, "", "there is none"), ("/bin/ffmpeg", " A..... libopus  Opus", "/bin/ffmpeg was built without libspeex")],
)
def test_a_missing_program_or_encoder_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, program: str | None, encoders: str, said: str
) -> None:
    monkeypatch.setattr(ffmpeg_program, "find_program", lambda name: program)
    monkeypatch.setattr(ffmpeg_program, "ask", lambda *command: encoders)
    found = availability("speex-nb-8kbps")
    assert not found.ok and said in found.reason and "apt-get install ffmpeg" in found.reason
    assert availability("opus-6kbps").ok
