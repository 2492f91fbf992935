"""Which recordings may enter, and what is said about those that may not."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from codecs_runner.audio import AudioError, Samples, inspect_audio, load_audio, resample


def code_of(path: Path) -> str:
    with pytest.raises(AudioError) as caught:
        inspect_audio(path)
    assert caught.value.sentence.endswith(".") and path.name in caught.value.sentence
    return caught.value.code


def write(path: Path, frames: Samples, rate: int = 16_000, subtype: str = "PCM_16") -> Path:
    sf.write(path, frames, rate, subtype=subtype)
    return path


def test_a_good_recording(recording: Path, speech: Samples) -> None:
    info = inspect_audio(recording)
    assert (info.sample_rate, info.channels, info.n_samples, info.duration_s) == (16_000, 1, 24_000, 1.5)
    assert info.rms_dbfs == pytest.approx(-20, abs=0.01)
    assert info.peak == pytest.approx(np.abs(speech).max(), abs=1e-4)


def test_the_hash_is_of_the_sound_not_of_the_file(recording: Path, tmp_path: Path) -> None:
    frames, rate = sf.read(recording)
    flac = write(tmp_path / "same.flac", frames, rate)
    faster = write(tmp_path / "faster.wav", frames, 2 * rate)
    assert inspect_audio(flac).pcm_sha256 == inspect_audio(recording).pcm_sha256 != inspect_audio(faster).pcm_sha256


def test_two_channels_are_averaged(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "stereo.wav", np.stack([speech, 0 * speech], axis=1), subtype="FLOAT")
    mono, info = load_audio(path)
    assert info.channels == 2
    assert mono == pytest.approx(speech / 2, abs=1e-6)


def test_a_missing_file(tmp_path: Path) -> None:
    assert code_of(tmp_path / "nowhere.wav") == "missing"


@pytest.mark.parametrize("content", [b"", b"not audio at all", b"RIFF\x24\x00\x00\x00WAVEfmt "])
def test_a_corrupt_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "corrupt.wav"
    path.write_bytes(content)
    assert code_of(path) == "undecodable"


def test_a_flac_that_ends_early(tmp_path: Path, speech: Samples) -> None:
    path = write(tmp_path / "cut.flac", speech)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert code_of(path) == "undecodable"


def test_silence(tmp_path: Path) -> None:
    assert code_of(write(tmp_path / "silent.wav", np.zeros(16_000))) == "silent"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_not_numbers(tmp_path: Path, speech: Samples, value: float) -> None:
    frames = speech.copy()
    frames[100] = value
    assert code_of(write(tmp_path / "nan.wav", frames, subtype="FLOAT")) == "not_finite"


def test_no_samples(tmp_path: Path) -> None:
    assert code_of(write(tmp_path / "empty.wav", np.zeros(0))) == "empty"


def test_too_short(tmp_path: Path, speech: Samples) -> None:
    assert code_of(write(tmp_path / "click.wav", speech[:1600])) == "too_short"


def test_eight_channels_and_an_hour_are_refused_from_the_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = write(tmp_path / "many.wav", np.zeros((16_000, 8)))
    long = tmp_path / "hour.flac"
    with sf.SoundFile(long, "w", 8_000, 1) as file:
        for _ in range(60):
            file.write(np.zeros(60 * 8_000, np.int16))
    monkeypatch.setattr(sf.SoundFile, "read", lambda *a, **k: pytest.fail("decoded"))
    assert code_of(many) == "too_many_channels"
    assert code_of(long) == "too_long"


def test_a_rate_out_of_range(tmp_path: Path, speech: Samples) -> None:
    assert code_of(write(tmp_path / "slow.wav", speech, 4_000)) == "bad_rate"


def test_resampling_there_and_back_keeps_speech_in_place(speech: Samples) -> None:
    back = resample(resample(speech, 16_000, 48_000), 48_000, 16_000)
    assert len(back) == len(speech)
    assert np.abs(back - speech)[200:-200].max() < 0.02 * np.abs(speech).max()
