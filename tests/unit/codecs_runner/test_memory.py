"""Many clips need no more memory than few."""

import resource
import sys
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner.audio import inspect_audio
from codecs_runner.jobs import RenderJob
from codecs_runner.rendering import ANY_LENGTH, render
from codecs_runner.store import Store
from tests.unit.codecs_runner.voices import make_speech

CONDITIONS = ("original", "opus-24kbps", "mp3-24kbps", "amr-nb-12.2kbps")
FEW, MANY = 100, 1_000
MEGABYTES = 12  # the heap of one clip more or less


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1 << 20)


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path) -> None:
    """Keeping the 48 kHz samples of every clip (38 kB of floats each) would cost 35 MB between the two readings."""
    store, peaks = Store(tmp_path / "store"), {}
    path = tmp_path / "clip.wav"
    for i in range(MANY):
        sf.write(path, make_speech(0.1 + 0.001 * (i % 10), 16_000, seed=i), 16_000)
        sha256 = inspect_audio(path, ANY_LENGTH).pcm_sha256
        for slug in CONDITIONS:
            result = render(RenderJob(str(path), sha256, slug), store)
            assert result.ok, result.message
            store.flac_path(result.key).unlink()
        if i + 1 in (FEW, MANY):
            peaks[i + 1] = peak_megabytes()
    assert peaks[MANY] - peaks[FEW] < MEGABYTES, peaks
