"""FFmpeg's codecs: a process for each step of each file, as harnesses and shell loops do, against this room, on one core each.

Both ways read WAV at 48 kHz and end with a FLAC at 48 kHz on the same disk. Ours also finds delay and level, hashes, and describes. The
other way runs two processes for each clip and condition: WAV → coded file → FLAC, with the program that imageio-ffmpeg brings. They take
turns; medians of three rounds. That both made the same codec's sound is checked: our stimulus against theirs, levels matched.
"""

import os
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile as sf

from codecs_runner.align import find_delay
from codecs_runner.audio import STIMULUS_RATE, inspect_audio, resample
from codecs_runner.jobs import RenderJob
from codecs_runner.pipeline import render
from codecs_runner.store import Store
from tests.unit.codecs_runner.voices import make_speech

CLIPS, ROUNDS = 6, 3
WAYS = {  # condition: encoder options and container of the other way
    "opus-24kbps": (["-c:a", "libopus", "-b:a", "24k", "-application", "audio"], "opus"),
    "mp3-24kbps": (["-c:a", "libmp3lame", "-b:a", "24k"], "mp3"),
    "aac-24kbps": (["-c:a", "aac", "-b:a", "24k"], "m4a"),
}


@pytest.fixture
def one_core() -> Iterator[None]:
    if hasattr(os, "sched_setaffinity"):  # processes started from here inherit it
        allowed = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(allowed)})
        yield
        os.sched_setaffinity(0, allowed)
    else:
        yield


@pytest.mark.parametrize("seconds", [2, 4, 8])
def test_ratio_to_a_process_per_file(seconds: int, tmp_path: Path, one_core: None) -> None:
    clips = []
    for i in range(CLIPS):
        clips.append(tmp_path / f"{i}.wav")
        sf.write(clips[-1], resample(make_speech(seconds, 16_000, seed=i), 16_000, STIMULUS_RATE), STIMULUS_RATE)
    hashes = [inspect_audio(clip).pcm_sha256 for clip in clips]
    ours, theirs = [], []
    for turn in range(ROUNDS + 1):  # the first warms up
        store = Store(tmp_path / f"store{turn}")
        start = perf_counter()
        jobs = {
            (clip, slug): RenderJob(str(clip), sha256, slug)
            for clip, sha256 in zip(clips, hashes, strict=True)
            for slug in WAYS
        }
        assert all(render(job, store).ok for job in jobs.values())
        ours.append(perf_counter() - start)
        start = perf_counter()
        for clip in clips:
            for slug in WAYS:
                _two_processes(clip, slug)
        theirs.append(perf_counter() - start)
    mine, other = statistics.median(ours[1:]), statistics.median(theirs[1:])
    likeness = min(_likeness(store.flac_path(job.key), _target(clip, slug)) for (clip, slug), job in jobs.items())
    n = CLIPS * len(WAYS)
    print(
        f"\n{seconds} s clips, {len(WAYS)} conditions each: processes {1000 * other / n:6.1f} ms, ours {1000 * mine / n:6.1f} ms, "
        f"ratio {other / mine:.1f}; least SNR of ours against theirs {likeness:.1f} dB"
    )
    assert likeness > 15


def _target(clip: Path, slug: str) -> Path:
    return clip.with_name(f"{clip.stem}-{slug}.flac")


def _two_processes(clip: Path, slug: str) -> None:
    options, container = WAYS[slug]
    coded = clip.with_name(f"{clip.stem}-{slug}.{container}")
    program = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y", "-i"]
    subprocess.run([*program, clip, "-ar", "16000", "-ac", "1", *options, coded], check=True)
    subprocess.run([*program, coded, "-ar", "48000", "-c:a", "flac", "-sample_fmt", "s16", _target(clip, slug)], check=True)


def _likeness(ours: Path, theirs: Path) -> float:
    """SNR in dB of one against the other, after the best gain and shift."""
    a, b = (sf.read(path)[0] for path in (ours, theirs))
    shift = find_delay(a, b, STIMULUS_RATE).delay_samples
    b = b[shift:] if shift >= 0 else np.pad(b, (-shift, 0))
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    error = a - b * (a @ b) / (b @ b)
    return float(10 * np.log10((a @ a) / (error @ error)))
