"""Damaged recordings are refused in a sentence, or read within their limits; nothing else happens."""

import subprocess
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner import ingest
from codecs_runner.audio import AudioError, AudioLimits, Samples, inspect_audio, load_audio
from tests.damage import Search, damaged, searches

LIMITS = AudioLimits()
READ_HERE = {"a.wav": ("WAV", "PCM_16"), "b.wav": ("WAV", "FLOAT"), "c.flac": ("FLAC", "PCM_16"), "d.ogg": ("OGG", "VORBIS")}


def holds(path: Path) -> None:
    """What is promised of any file at all."""
    try:
        samples, info = load_audio(path)
    except AudioError as error:
        assert error.sentence.endswith(".") and "\n" not in error.sentence and path.name in error.sentence
    else:
        assert LIMITS.min_duration_s <= info.duration_s <= LIMITS.max_duration_s and info.channels <= LIMITS.max_channels
        assert LIMITS.min_sample_rate <= info.sample_rate <= LIMITS.max_sample_rate and samples.shape == (info.n_samples,)


@searches(fast=120, slow=5_000)
@pytest.mark.parametrize("name", READ_HERE)
def test_what_libsndfile_reads(search: Search, name: str, speech: Samples, tmp_path: Path) -> None:
    path = tmp_path / name
    kind, subtype = READ_HERE[name]
    sf.write(path, speech, 16_000, format=kind, subtype=subtype)
    holds(path)

    def check(content: bytes) -> None:
        path.write_bytes(content)
        holds(path)

    search(check, damaged(path.read_bytes()))


@searches(fast=12, slow=400)
@pytest.mark.parametrize("name", ["e.mp3", "f.m4a", "g.webm", "h.opus"])
def test_what_ffmpeg_reads(search: Search, name: str, recording: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    subprocess.run([ingest._program(), "-v", "error", "-i", recording, "-b:a", "64k", path], check=True)
    holds(path)

    def check(content: bytes) -> None:
        path.write_bytes(content)
        holds(path)

    search(check, damaged(path.read_bytes(), head=512))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".raw", ".mp3", ".txt", "", ".sd2", ".vox", ".aiff", ".au"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"RIFF", b"not audio", b"\xff" * 10_000], ids=["none", "0", "RIFF", "text", "1s"]
)
def test_what_is_no_recording_at_all(tmp_path: Path, suffix: str, content: bytes) -> None:
    path = tmp_path / f"file{suffix}"
    path.write_bytes(content)
    with pytest.raises(AudioError):
        inspect_audio(path)


def test_a_small_file_that_says_it_is_long_costs_nothing(tmp_path: Path) -> None:
    """A decompression bomb: minutes of silence in a few kilobytes are refused by the header, before anything is decoded."""
    path = tmp_path / "bomb.flac"
    sf.write(path, [0.0] * 48_000 * 120, 48_000)
    assert path.stat().st_size < 200_000
    with pytest.raises(AudioError) as caught:
        inspect_audio(path)
    assert caught.value.code == "too_long"


def test_a_file_that_is_larger_than_any_recording_within_the_limits_is_not_opened(tmp_path: Path) -> None:
    for name in ("huge.wav", "huge.mp3"):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(LIMITS.max_bytes + 1)
        with pytest.raises(AudioError) as caught:
            inspect_audio(path)
        assert caught.value.code == "too_large" and "MB" in caught.value.sentence
