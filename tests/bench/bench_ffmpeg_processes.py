"""FFmpeg's codecs: a process for each step of each file, as harnesses and shell loops do, against this room, on one core each.

All ways read WAV at 48 kHz and end with a file at 48 kHz on the same disk. The other way runs two processes for each clip and
condition, WAV → coded file → WAV, with the program that this machine has (what a loop in a shell would call) and with the one that
imageio-ffmpeg brings, which is linked statically and starts faster. Ours is timed in three steps: "codec", encoding and decoding in
memory alone, which no way can do without; "coding", what those processes do, to a WAV; "whole", all that a stimulus gets: delay,
level, hashes, FLAC, description, synced files. They take turns; medians of the rounds of the time that the core worked (and, in
brackets, of the clock). That all made the same codec's sound is checked, levels and delays matched; other builds encode differently.
"""

import os
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from time import perf_counter

import imageio_ffmpeg
import numpy as np
import pytest
import soundfile as sf

from analysis.align import find_delay
from codecs_runner.audio import STIMULUS_RATE, inspect_audio, resample
from codecs_runner.codecs.base import Condition, Signal
from codecs_runner.jobs import RenderJob
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.rendering import render
from codecs_runner.stimulus import Recording
from codecs_runner.store import Store
from tests.unit.codecs_runner.voices import make_speech

CLIPS, ROUNDS = 4, 3
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
    jobs = {(clip, slug): RenderJob(str(clip), inspect_audio(clip).pcm_sha256, slug) for clip in clips for slug in WAYS}
    inputs = [(get_condition(slug), Recording(*sf.read(clip)).input_for(get_condition(slug))) for clip, slug in jobs]
    programs = {"imageio's ffmpeg": imageio_ffmpeg.get_ffmpeg_exe(), "this machine's ffmpeg": shutil.which("ffmpeg")}
    store = Store(tmp_path / "store")
    ways: dict[str, Callable[[], None]] = {
        "codec": lambda: _codec_only(inputs),
        "coding": lambda: _code(clips),
        "whole": lambda: _render(jobs.values(), store),
    }
    for name, program in programs.items():
        if program:
            ways[name] = partial(_in_processes, program, jobs)
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(ROUNDS + 1):  # the first warms up
        shutil.rmtree(tmp_path / "store", ignore_errors=True)
        for way, work in ways.items():
            start = _now()
            work()
            times[way].append(_since(start))
    likeness = {
        name: min(_likeness(store.flac_path(job.key), _target(program, *made)) for made, job in jobs.items())
        for name, program in programs.items()
        if program
    }
    least = ", ".join(f"{snr:.1f} dB ({name})" for name, snr in likeness.items())
    print(f"\n{seconds} s clips through {len(WAYS)} conditions; least SNR of ours against theirs: {least}")
    work_ms, clock_ms = (
        {way: 1000 * statistics.median(t[k] for t in times[way][1:]) / len(jobs) for way in ways} for k in (0, 1)
    )
    for way in ways:
        ratios = (f"{work_ms[name] / work_ms[way]:.1f} of {name}" for name in programs if name in ways and name != way)
        print(f"  {way:22} {work_ms[way]:6.1f} ({clock_ms[way]:6.1f}) ms, ratio {', '.join(ratios)}")
    assert likeness["imageio's ffmpeg"] > 15 and min(likeness.values()) > 10


def _codec_only(inputs: Iterable[tuple[Condition, Signal]]) -> None:
    for condition, samples in inputs:
        open_codec(condition).code(samples)


def _code(clips: Iterable[Path]) -> None:
    for clip in clips:
        recording = Recording(*sf.read(clip))
        for slug in WAYS:
            condition = get_condition(slug)
            coded = open_codec(condition).code(recording.input_for(condition))
            audio = resample(coded.samples.astype(np.float64), coded.sample_rate, STIMULUS_RATE)
            sf.write(clip.with_suffix(".out.wav"), audio, STIMULUS_RATE)


def _render(jobs: Iterable[RenderJob], store: Store) -> None:
    for job in jobs:
        assert render(job, store).ok


def _in_processes(program: str, files: Iterable[tuple[Path, str]]) -> None:
    for clip, slug in files:
        options, container = WAYS[slug]
        decoded = _target(program, clip, slug)
        coded = decoded.with_suffix(f".{container}")
        command = [program, "-nostdin", "-v", "error", "-y", "-i"]
        subprocess.run([*command, clip, "-ar", "16000", "-ac", "1", *options, coded], check=True)
        subprocess.run([*command, coded, "-ar", "48000", "-sample_fmt", "s16", decoded], check=True)


def _target(program: str, clip: Path, slug: str) -> Path:
    return clip.with_name(f"{clip.stem}-{slug}-{Path(program).name}.wav")


def _now() -> tuple[float, float]:
    """Seconds of work by this process and those that it has seen end, and of the clock."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system, perf_counter()


def _since(start: tuple[float, float]) -> tuple[float, float]:
    now = _now()
    return now[0] - start[0], now[1] - start[1]


def _likeness(ours: Path, theirs: Path) -> float:
    """SNR in dB of one against the other, after the best gain and shift."""
    a, b = (sf.read(path)[0] for path in (ours, theirs))
    shift = find_delay(a, b, STIMULUS_RATE).delay_samples
    b = b[shift:] if shift >= 0 else np.pad(b, (-shift, 0))
    n = min(len(a), len(b))
    a, b = a[:n], b[:n]
    error = a - b * (a @ b) / (b @ b)
    return float(10 * np.log10((a @ a) / (error @ error)))
