"""FFmpeg's codecs: a process for each step of each file, as harnesses and shell loops do, against this room, on one core each.

All ways read WAV at 48 kHz and end with a FLAC at 48 kHz on the same disk. The other way runs two processes for each clip and
condition, WAV → coded file → FLAC, with the program that imageio-ffmpeg brings. "Coding" is what those do, in our process; "whole" is
all that a stimulus gets: delay, level, hashes, description, synced files. They take turns; medians of three rounds of the time that
the core worked (and, in brackets, of the clock). That both made the same codec's sound is checked, levels and delays matched.
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

from analysis.align import find_delay
from codecs_runner.audio import STIMULUS_RATE, inspect_audio, resample
from codecs_runner.jobs import RenderJob
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.rendering import render
from codecs_runner.stimulus import Recording
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
    times: dict[str, list[tuple[float, float]]] = {"processes": [], "coding": [], "whole": []}
    for turn in range(ROUNDS + 1):  # the first warms up
        store, jobs = Store(tmp_path / f"store{turn}"), {}
        start = _now()
        for clip, sha256 in zip(clips, hashes, strict=True):
            for slug in WAYS:
                jobs[clip, slug] = RenderJob(str(clip), sha256, slug)
                assert render(jobs[clip, slug], store).ok
        times["whole"].append(_since(start))
        start = _now()
        for clip in clips:
            _code_only(clip)
        times["coding"].append(_since(start))
        start = _now()
        for clip in clips:
            for slug in WAYS:
                _two_processes(clip, slug)
        times["processes"].append(_since(start))
    likeness = min(_likeness(store.flac_path(job.key), _target(clip, slug)) for (clip, slug), job in jobs.items())
    print(f"\n{seconds} s clips through {len(WAYS)} conditions; least SNR of ours against theirs {likeness:.1f} dB")
    work, clock = ({way: statistics.median(t[k] for t in times[way][1:]) for way in times} for k in (0, 1))
    for way in times:
        milliseconds = (1000 * t[way] / (CLIPS * len(WAYS)) for t in (work, clock))
        ratios = (t["processes"] / t[way] for t in (work, clock))
        print("  {:10} {:6.1f} ({:6.1f}) ms, ratio {:.1f} ({:.1f})".format(way, *milliseconds, *ratios))
    assert likeness > 15


def _code_only(clip: Path) -> None:
    samples, rate = sf.read(clip)
    recording = Recording(samples, rate)
    for slug in WAYS:
        condition = get_condition(slug)
        coded = open_codec(condition).code(recording.input_for(condition))
        sf.write(
            clip.with_suffix(".flac"),
            resample(coded.samples.astype(np.float64), coded.sample_rate, STIMULUS_RATE),
            STIMULUS_RATE,
        )


def _now() -> tuple[float, float]:
    """Seconds of work by this process and those that it has seen end, and of the clock."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system, perf_counter()


def _since(start: tuple[float, float]) -> tuple[float, float]:
    now = _now()
    return now[0] - start[0], now[1] - start[1]


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
