"""Ten thousand clips need no more memory than a hundred: neither the command nor the processes that render for it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile as sf

from tests.unit.codecs_runner.voices import make_speech

REPO = Path(__file__).resolve().parents[3]
FEW, MANY = 100, 10_000
CONDITIONS = "opus-24kbps,amr-nb-12.2kbps"
WORKER_MB = 16  # the heap of one clip more or less
COMMAND_KB = 4  # for each stimulus: its job, its row of the manifest

# Peaks in kB of this process and of the largest it started, written when its pool has ended.
COMMAND = """
import atexit, json, resource, sys
from pathlib import Path
from codecs_runner.__main__ import main
def write():
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    Path(sys.argv[1]).write_text(json.dumps(peaks))
if __name__ == "__main__":
    atexit.register(write)
    sys.exit(main(sys.argv[2:]))
"""


def peaks_mb(folder: Path, n_clips: int) -> tuple[float, float]:
    """Peak memory of the command and of the largest of its processes, in MB."""
    recordings, command, peaks = folder / "in", folder / "command.py", folder / "peaks.json"
    recordings.mkdir(parents=True)
    command.write_text(COMMAND)
    for i in range(n_clips):
        sf.write(recordings / f"{i:05d}.wav", make_speech(0.2 + 0.01 * (i % 10), 16_000, seed=i % 50) * 0.9999**i, 16_000)
    arguments = ["render", str(recordings), "--condition", CONDITIONS, "--out", str(folder / "out"), "--workers", "2"]
    done = subprocess.run(
        [sys.executable, str(command), str(peaks), *arguments],
        cwd=REPO,
        env={"PYTHONPATH": str(REPO), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len((folder / "out" / "manifest.csv").read_text().splitlines()) == 1 + 2 * n_clips
    command_kb, worker_kb = json.loads(peaks.read_text())
    return command_kb / 1024, worker_kb / 1024


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Keeping the 48 kHz samples of every clip (94 kB of floats each) would cost 900 MB; the command keeps a few kB of names."""
    few, many = peaks_mb(tmp_path / "few", FEW), peaks_mb(tmp_path / "many", MANY)
    print(f"\npeak MB at {FEW} and {MANY} clips: command {few[0]:.0f}, {many[0]:.0f}; workers {few[1]:.0f}, {many[1]:.0f}")
    assert many[1] - few[1] < WORKER_MB, (few, many)
    assert (many[0] - few[0]) * 1024 / (2 * (MANY - FEW)) < COMMAND_KB, (few, many)
