"""``python -m codecs_runner`` as people use it."""

import json
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner.__main__ import main
from codecs_runner.registry import CONDITIONS


def test_list_shows_every_condition_and_why_one_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["list"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert list(lines)[1:] == list(CONDITIONS)
    assert "emo-codec:O1" in lines["opus-6kbps"] and lines["opus-6kbps"].endswith("available")
    assert lines["mp3-8kbps"].split()[1:4] == ["emo-codec:M1", "6", "8"]
    assert "Apache-2.0" in lines["lyra-6kbps"] and "Weights missing" in lines["lyra-6kbps"]


def test_render_writes_readable_names_and_lists_what_failed(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    recording.rename(folder / "clip.wav")
    (tmp_path / "in" / "broken.wav").write_bytes(b"broken")
    command = ["render", str(tmp_path / "in"), "--condition", "original,emo-codec:O1", "--out", str(tmp_path / "out")]
    for _ in range(2):  # the second time everything is there already
        assert main(command) == 1
        out = capsys.readouterr().out
        assert "broken.wav cannot be decoded" in out
    target = tmp_path / "out" / "opus-6kbps" / "deep" / "clip.flac"
    assert sf.info(target).samplerate == 48_000
    assert json.loads(target.with_suffix(".json").read_text())["condition"] == "opus-6kbps"


@pytest.mark.parametrize(
    ("condition", "said"), [("opus-6", "did you mean opus-6kbps"), ("lyra-6kbps", "lyra-6kbps is left out")]
)
def test_nothing_to_do_is_a_sentence(
    recording: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    condition: str,
    said: str,
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    assert main(["render", str(recording), "--condition", condition, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err


def test_same_names_from_two_folders_do_not_meet(recording: Path, tmp_path: Path, speech) -> None:
    other = tmp_path / "other"
    other.mkdir()
    sf.write(other / recording.name, speech[::-1], 16_000)
    out = tmp_path / "out"
    assert main(["render", str(recording), str(other / recording.name), "--condition", "original", "--out", str(out)]) == 0
    assert len(list((out / "original").rglob("*.flac"))) == 2


def test_weights_commands(with_weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "list"]) == 0
    assert main(["weights", "verify"]) == 0
    assert "lyra_encoder" in capsys.readouterr().out
    assert main(["weights", "download", "no-such"]) == 2
