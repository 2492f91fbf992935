"""Stimulus sets: complete, described, and unharmed by whoever stops the work."""

import csv
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner.__main__ import main
from tests.unit.codecs_runner.voices import make_speech

REPO = Path(__file__).resolve().parents[3]
CONDITIONS = ["original", "opus-24kbps", "mp3-24kbps", "aac-24kbps"]
N_CLIPS = 24


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(N_CLIPS):
        sf.write(folder / f"{i:02}.wav", make_speech(1.0, 16_000, seed=i), 16_000)
    return folder


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def command(clips: Path, out: Path) -> list[str]:
    return ["render", str(clips), "--condition", ",".join(CONDITIONS), "--out", str(out), "--workers", "2"]


@pytest.mark.parametrize("form", ["flac", "wav"])
def test_the_manifest_describes_each_file(recording: Path, tmp_path: Path, form: str) -> None:
    out = tmp_path / "out"
    for condition in ("original", "emo-codec:M1"):  # the second run adds to what the first one made
        assert main(["render", str(recording), "--condition", condition, "--out", str(out), "--format", form]) == 0
    manifest = rows(out / "manifest.csv")
    assert [row["condition"] for row in manifest] == ["mp3-8kbps", "original"]
    for row in manifest:
        path = out / row["file"]
        assert path.suffix == f".{form}" and sf.info(path).samplerate == 48_000 and sf.info(path).subtype == "PCM_16"
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["file_sha256"]
        assert json.loads(path.with_suffix(".json").read_text())["key"] == row["key"]
    mp3 = manifest[0]
    assert (mp3["nominal_bps"], mp3["true_bps"], mp3["label"]) == ("6000", "8000", "MP3 6 → 8 kbps")
    assert float(mp3["payload_bps"]) == pytest.approx(8_000, rel=0.1)


def test_wav_and_flac_hold_the_same_samples(recording: Path, tmp_path: Path) -> None:
    for form in ("flac", "wav"):
        assert main(["render", str(recording), "--condition", "original", "--out", str(tmp_path), "--format", form]) == 0
    flac, wav = (sf.read(tmp_path / "original" / f"recording.{form}", dtype="int16")[0] for form in ("flac", "wav"))
    assert (flac == wav).all()


def test_what_failed_is_listed_and_tried_again_on_demand(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, good = tmp_path / "out", recording.read_bytes()
    recording.write_bytes(b"damaged")
    order = ["render", str(recording), "--condition", "original,mp3-24kbps", "--out", str(out)]
    assert main(order) == 1
    assert "retry" in capsys.readouterr().out
    assert [(row["condition"], row["code"]) for row in rows(out / "failed.csv")] == [
        ("original", "undecodable"),
        ("mp3-24kbps", "undecodable"),
    ]
    assert main(["retry", str(out)]) == 1
    recording.write_bytes(good)
    assert main(["retry", str(out)]) == 0
    assert rows(out / "failed.csv") == [] and len(rows(out / "manifest.csv")) == 2
    capsys.readouterr()
    assert main(["retry", str(out)]) == 0
    assert capsys.readouterr().out == "Nothing has failed.\n"
    assert main(["retry", str(tmp_path)]) == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_whoever_stops_it_loses_no_finished_clip_and_leaves_no_half_file(
    clips: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "codecs_runner", *command(clips, out)],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: len(placed(out)) >= 6 or process.poll() is not None)
    process.send_signal(how)
    assert process.wait(20) == (-signal.SIGKILL if how == signal.SIGKILL else 130)
    until(lambda: not group_lives(process.pid))  # its workers do not outlive it

    finished = {
        path: path.stat().st_mtime_ns for path in (out / ".store").rglob("*.flac") if path.with_suffix(".json").exists()
    }
    assert 6 <= len(finished) < N_CLIPS * len(CONDITIONS), "stopped in the middle"
    assert not list(out.rglob(".part-*"))
    for path in [*placed(out), *finished]:
        assert len(sf.read(path)[0]) == 48_000
    for path in finished:
        sidecar = json.loads(path.with_suffix(".json").read_text())
        assert hashlib.sha256(path.read_bytes()).hexdigest() == sidecar["audio_sha256"]
    if how == signal.SIGINT:
        assert {row["file"] for row in rows(out / "manifest.csv")} == {str(path.relative_to(out)) for path in placed(out)}

    assert main(command(clips, out)) == 0
    assert {path: path.stat().st_mtime_ns for path in finished} == finished, "finished clips were rendered again"
    assert len(rows(out / "manifest.csv")) == len(placed(out)) == N_CLIPS * len(CONDITIONS)


def placed(out: Path) -> list[Path]:
    return [path for condition in CONDITIONS for path in (out / condition).glob("*.flac")]


def group_lives(pid: int) -> bool:
    try:
        os.killpg(pid, 0)
    except ProcessLookupError:
        return False
    return True


def until(condition, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
