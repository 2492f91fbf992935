"""Ten thousand clips need no more memory than a hundred: neither the command nor the processes that render for it."""

import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import soundfile as sf

from tests.unit.codecs_runner.voices import make_speech

REPO = Path(__file__).resolve().parents[3]
FEW, MANY = 100, 10_000
CONDITIONS = "opus-24kbps,amr-nb-12.2kbps"
WORKER_MB = 16  # the heap of one clip more or less
COMMAND_KB = 4  # for each stimulus: its job, its row of the manifest


def memory_peaks_kb(root: int) -> dict[int, int]:
    """Peak resident kB of a process and of all that it started, by process.

    As the kernel counts it for the running program (VmHWM); rusage's maximum begins with what the program that started it took.
    """
    parents, peaks = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
                parents[int(folder.name)] = int(status["PPid"])
                peaks[int(folder.name)] = int(status.get("VmHWM", "0 kB").split()[0])
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return {pid: peaks[pid] for pid in family & peaks.keys()}


def peaks_mb(folder: Path, n_clips: int) -> tuple[float, float]:
    """Peak memory of the command and of the largest of its processes, in MB."""
    recordings = folder / "in"
    recordings.mkdir(parents=True)
    for i in range(n_clips):
        sf.write(recordings / f"{i:05d}.wav", make_speech(0.2 + 0.01 * (i % 10), 16_000, seed=i % 50) * 0.9999**i, 16_000)
    arguments = ["render", str(recordings), "--condition", CONDITIONS, "--out", str(folder / "out"), "--workers", "2"]
    peaks: dict[int, int] = {}
    with (folder / "said").open("wb") as said:
        command = subprocess.Popen(
            [sys.executable, "-m", "codecs_runner", *arguments],
            cwd=REPO,
            env={"PYTHONPATH": str(REPO), "PATH": "/usr/bin:/bin"},
            stdout=said,
            stderr=said,
        )
        while command.poll() is None:
            for pid, peak in memory_peaks_kb(command.pid).items():
                peaks[pid] = max(peak, peaks.get(pid, 0))
            time.sleep(0.1)
    assert command.returncode == 0, (folder / "said").read_text()[-2000:]
    assert len((folder / "out" / "manifest.csv").read_text().splitlines()) == 1 + 2 * n_clips
    return peaks.pop(command.pid) / 1024, max(peaks.values()) / 1024


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no /proc")
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Keeping the 48 kHz samples of every clip (94 kB of floats each) would cost 900 MB; the command keeps a few kB of names."""
    few, many = peaks_mb(tmp_path / "few", FEW), peaks_mb(tmp_path / "many", MANY)
    print(f"\npeak MB at {FEW} and {MANY} clips: command {few[0]:.0f}, {many[0]:.0f}; workers {few[1]:.0f}, {many[1]:.0f}")
    assert many[1] - few[1] < WORKER_MB, (few, many)
    assert (many[0] - few[0]) * 1024 / (2 * (MANY - FEW)) < COMMAND_KB, (few, many)
