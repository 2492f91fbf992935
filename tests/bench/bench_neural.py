"""Neural codecs, ours beside what others do, on the same clips in one run: a loop over clips and rates with one clip at a time through
the package's own model, and a process for each file. All on one core. Random weights: the work is the same as with trained ones, but
DAC's model is a narrow one on a CPU (its full size takes minutes there). Figures compare within one run.

On a GPU run ``CODEC_DEVICE=cuda make bench``: ours then codes in batches, the loop stays at one clip, and DAC has its full size.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pytest
import soundfile as sf

from codecs_runner.audio import inspect_audio, load_audio, resample
from codecs_runner.jobs import RenderJob
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import open_device, runs_in_batches
from codecs_runner.pipeline import render_many
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.store import Store
from tests.unit.codecs_runner.checkpoints import DAC_KWARGS, write_random_dac, write_random_encodec

CLIPS = sorted((Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic/audio").glob("*_a.flac"))[:6]
TIMES = 50  # as often each clip where there is a GPU to be filled
PER_FILE = """
import sys
import soundfile, torch
from analysis.torchaudio_repair import repair_torchaudio
repair_torchaudio()
from encodec.model import EncodecModel
from encodec.utils import convert_audio
weights, source, target, kbps = sys.argv[1:]
model = EncodecModel.encodec_model_24khz(pretrained=False)
model.load_state_dict(torch.load(weights))
model.set_target_bandwidth(float(kbps))
samples, rate = soundfile.read(source, dtype="float32")
wav = convert_audio(torch.from_numpy(samples)[None], rate, model.sample_rate, model.channels)
with torch.no_grad():
    decoded = model.decode(model.encode(wav[None]))[0, :, : wav.shape[-1]]
soundfile.write(target, decoded[0].numpy().clip(-0.99, 0.99), model.sample_rate)
"""


@dataclass(frozen=True)
class Family:
    """``loop``: the package's own way from a clip, shape [1, 1, n], to codes [rows, codebooks, frames] and audio [1, 1, m]."""

    slugs: tuple[str, ...]
    loop: Callable[[Any, Any, int], tuple[Any, Any]]


def encodec_loop(model: Any, clip: Any, depth: int) -> tuple[Any, Any]:
    model.bandwidth = depth * 0.75
    frames = model.encode(clip)
    return frames[0][0], model.decode(frames)


def dac_loop(model: Any, clip: Any, depth: int) -> tuple[Any, Any]:
    _, codes, *_ = model.encode(model.preprocess(clip, model.sample_rate), n_quantizers=depth)
    return codes, model.decode(model.quantizer.from_codes(codes)[0])


FAMILIES = {
    "EnCodec 24 kHz": Family(tuple(f"encodec-24k-{kbps}kbps" for kbps in ("1.5", "6", "24")), encodec_loop),
    "DAC 16 kHz": Family(tuple(f"dac-16k-{kbps}kbps" for kbps in ("1.5", "3", "6")), dac_loop),
}


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("weights")
    write_random_encodec(folder / "encodec")
    write_random_dac(folder / "dac", {} if open_device().type == "cuda" else DAC_KWARGS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEC_WEIGHTS", str(folder))
        yield folder


@pytest.mark.parametrize("name", FAMILIES)
def test_rendering_against_a_loop_and_against_a_process_for_each_file(name: str, weights_folder: Path, tmp_path: Path) -> None:
    family, workers = FAMILIES[name], None if runs_in_batches() else 1
    times = TIMES if runs_in_batches() else 1
    codec = open_codec(get_condition(family.slugs[-1]))
    assert isinstance(codec, ModelCodec)
    check_outputs(codec, family)
    clips = [tmp_path / f"{i}.wav" for i in range(times * len(CLIPS))]
    for i, clip in enumerate(clips):
        samples, rate = sf.read(CLIPS[i % len(CLIPS)])
        sf.write(clip, samples * 0.999 ** (i // len(CLIPS)), rate)  # no two are one recording
    jobs = [RenderJob(str(clip), inspect_audio(clip).pcm_sha256, slug) for clip in clips for slug in family.slugs]
    seconds = sum(inspect_audio(clip).duration_s for clip in clips) * len(family.slugs)
    list(render_many(jobs[:3], Store(tmp_path / "warm"), workers=1))  # model loaded
    loop_over_clips(codec, family, clips[:1], tmp_path)

    times_s: dict[str, float] = {}
    start = now()
    assert all(result.ok for result in render_many(jobs, Store(tmp_path / "ours"), workers=workers))
    times_s["ours, whole: to levelled FLAC"] = now() - start
    if not runs_in_batches():
        start = now()
        code_clips(codec, family, clips, tmp_path)
        times_s["ours, coding: to WAV"] = now() - start
    start = now()
    loop_over_clips(codec, family, clips, tmp_path)
    times_s["loop: to WAV"] = now() - start
    if family.loop is encodec_loop:
        start = now()
        for clip in clips[:2]:
            checkpoint = next((weights_folder / "encodec").glob("encodec_24khz-*.th"))
            command: list[str | Path] = [
                sys.executable,
                "-W",
                "ignore",
                "-c",
                PER_FILE,
                checkpoint,
                clip,
                tmp_path / "file.wav",
                "6",
            ]
            subprocess.run(command, check=True, cwd=Path(__file__).resolve().parents[2])
        times_s["process per file (of 2)"] = (now() - start) * len(jobs) / 2

    print(f"\n{name} at {len(family.slugs)} rates, {len(clips)} clips, {seconds:.0f} s of audio in all, on {codec.device}")
    ours = times_s["ours, whole: to levelled FLAC"]
    for way, took in times_s.items():
        print(f"  {way:32} {took:7.2f} s  {seconds / took:6.1f} × real time  {took / ours:5.2f} × ours")


def now() -> float:
    """Seconds of the clock on a GPU; else of work by this process and those that it has seen end, whatever else the machine does."""
    used = os.times()
    return perf_counter() if runs_in_batches() else used.user + used.system + used.children_user + used.children_system


def code_clips(codec: ModelCodec, family: Family, clips: list[Path], folder: Path) -> None:
    """What the loop does, our way: each clip encoded once for all rates."""
    conditions = [get_condition(slug) for slug in family.slugs]
    for clip in clips:
        samples, rate = sf.read(clip)
        for coded in codec.code_many([resample(samples, rate, codec.sample_rate).astype(np.float32)], conditions)[0]:
            sf.write(folder / "coded.wav", coded.samples.clip(-0.99, 0.99), codec.sample_rate)


def loop_over_clips(codec: ModelCodec, family: Family, clips: list[Path], folder: Path) -> None:
    """One clip at one rate at a time, resampled by librosa, on one thread as ours, written as 16-bit WAV at the codec's rate."""
    import librosa
    import torch

    for slug in family.slugs:
        for clip in clips:
            samples, rate = sf.read(clip, dtype="float32")
            resampled = librosa.resample(samples, orig_sr=rate, target_sr=codec.sample_rate)
            with torch.no_grad():
                batch = torch.from_numpy(resampled)[None, None].to(codec.torch_device)
                _, decoded = family.loop(codec.model, batch, depth_of(slug))
            sf.write(folder / "loop.wav", decoded[0, 0, : len(resampled)].cpu().numpy().clip(-0.99, 0.99), codec.sample_rate)


def depth_of(slug: str) -> int:
    return int(get_condition(slug).params["n_quantizers"])


def check_outputs(codec: ModelCodec, family: Family) -> None:
    """Our codes are the library's own to 99.9 %, and from the same codes we decode what it decodes to 60 dB."""
    import torch

    depth, same, worst = depth_of(family.slugs[-1]), [], np.inf
    with torch.inference_mode():
        for clip in CLIPS[:2]:
            samples, info = load_audio(clip)
            input_ = resample(samples, info.sample_rate, codec.sample_rate).astype(np.float32)
            input_ = np.pad(input_, (0, codec.padded(len(input_)) - len(input_)))
            batch = torch.from_numpy(input_)[None].to(codec.torch_device)
            theirs, decoded = family.loop(codec.model, batch[:, None], depth)
            ours = codec.encode(batch, depth)
            if ours.shape != theirs.shape:
                ours = ours.transpose(0, 1)
            same.append((ours == theirs).double().mean().item())
            one, other = codec.decode(codec.encode(batch, depth), depth)[0], decoded[0, 0]
            n = min(len(one), len(other))
            error = (one[:n] - other[:n]).square().sum().clamp_min(1e-30)
            worst = min(worst, float(10 * torch.log10(other[:n].square().sum() / error)))
    assert np.mean(same) >= 0.999 and (worst >= 60 or np.mean(same) < 1)
    print(f"\ncodes equal: {100 * np.mean(same):.3f} %, SNR of what is decoded: {min(worst, 300.0):.0f} dB or more")
