"""Media of other kinds: decoded as they sound, and never able to reach beyond themselves."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from codecs_runner import ingest
from codecs_runner.audio import AudioError, AudioLimits, Samples, inspect_audio, load_audio
from codecs_runner.processes import ProcessFailed, run_limited

Convert = Callable[..., Path]


@pytest.fixture
def convert(recording: Path, tmp_path: Path) -> Convert:
    def run(name: str, *options: str) -> Path:
        target = tmp_path / name
        subprocess.run([ingest._program(), "-v", "error", "-i", recording, *options, target], check=True)
        return target

    return run


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.mp3", ["-b:a", "64k"]),
        ("a.m4a", ["-b:a", "64k"]),
        ("a.webm", ["-b:a", "64k"]),
        ("a.opus", ["-b:a", "64k"]),
        ("a.avi", ["-c:a", "pcm_s16le"]),
        ("film.mkv", ["-f", "lavfi", "-i", "testsrc=d=1.5:s=64x64", "-c:a", "flac", "-map", "1:v", "-map", "0:a"]),
    ],
)
def test_what_comes_out_is_what_went_in(convert: Convert, speech: Samples, name: str, options: list[str]) -> None:
    samples, info = load_audio(convert(name, *options))
    assert info.channels == 1 and info.duration_s == pytest.approx(1.5, abs=0.001)
    assert np.corrcoef(samples[:: info.sample_rate // 16_000][:24_000], speech[: len(samples)])[0, 1] > 0.97


def test_the_same_file_gives_the_same_hash(convert: Convert) -> None:
    path = convert("a.m4a")
    assert inspect_audio(path).pcm_sha256 == inspect_audio(path).pcm_sha256


def code_of(path: Path, **limits: Any) -> str:
    with pytest.raises(AudioError) as caught:
        inspect_audio(path, AudioLimits(**limits))
    assert path.name in caught.value.sentence and caught.value.sentence.endswith(".")
    return caught.value.code


def test_limits_hold_as_for_any_recording(convert: Convert) -> None:
    assert code_of(convert("a.m4a"), max_duration_s=1) == "too_long"
    assert code_of(convert("a.mp3"), min_duration_s=2) == "too_short"
    assert code_of(convert("six.mka", "-ac", "6", "-c:a", "flac")) == "too_many_channels"


def test_a_film_without_sound_and_what_is_no_media_are_sentences(convert: Convert, tmp_path: Path) -> None:
    assert code_of(convert("mute.mkv", "-f", "lavfi", "-i", "testsrc=d=1:s=64x64", "-map", "1:v")) == "undecodable"
    (tmp_path / "text.mp3").write_text("not audio at all")
    assert code_of(tmp_path / "text.mp3") == "undecodable"
    whole = convert("cut.m4a")
    whole.write_bytes(whole.read_bytes()[:2_000])
    assert code_of(whole) == "undecodable"


@pytest.mark.parametrize(
    "playlist",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {secret}\n",
        '<?xml version="1.0"?><MPD><Period><BaseURL>file://{secret}</BaseURL></Period></MPD>',
    ],
    ids=["hls", "concat", "dash"],
)
def test_a_playlist_in_disguise_reads_no_other_file(convert: Convert, tmp_path: Path, playlist: str) -> None:
    secret = convert("secret.mp3")
    for name in ("innocent.mp3", "innocent.webm"):
        (tmp_path / name).write_text(playlist.format(secret=secret))
        assert code_of(tmp_path / name) == "undecodable"


def test_a_file_name_is_never_an_option_or_an_address(
    convert: Convert, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("-i.mp3", "http:x.mp3", "concat:a|b.mp3"):
        convert("plain.mp3").rename(tmp_path / name)
        assert inspect_audio(Path(name)).duration_s > 1


def test_time_and_memory_are_limited() -> None:
    with pytest.raises(ProcessFailed, match="longer than"):
        run_limited(["sleep", "30"], timeout_s=0.2)
    with pytest.raises(ProcessFailed):
        run_limited(["python3", "-c", "import time; time.sleep(0.3); bytearray(4 << 30)"], timeout_s=20)
    with pytest.raises(ProcessFailed, match="could not be run"):
        run_limited(["no-such-program"], timeout_s=1)


def test_what_lies_in_a_folder_for_a_while_is_gone_afterwards(convert: Convert) -> None:
    with ingest.decoded_media(convert("a.mp3"), 60) as decoded:
        assert sf.info(decoded).subtype == "FLOAT"
    assert not decoded.parent.exists()
