"""Neural codecs, ours beside what others do, on the same clips in one run: a loop over clips and rates with one clip at a time, and a
process for each file. All on one core. Random weights: the work is the same as with trained ones. Figures compare within one run.
"""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import soundfile as sf

from codecs_runner.audio import inspect_audio, load_audio, resample
from codecs_runner.jobs import RenderJob
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import model_errors, open_device
from codecs_runner.pipeline import render_many
from codecs_runner.registry import get_condition, open_codec
from codecs_runner.store import Store

CLIPS = sorted((Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic/audio").glob("*_a.flac"))[:6]
KBPS = (1.5, 6.0, 24.0)
SLUGS = [f"encodec-24k-{kbps:g}kbps" for kbps in KBPS]
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


@pytest.fixture(scope="module")
def weights_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    torch = pytest.importorskip("torch")
    open_device()  # before encodec is imported: makes torchaudio importable
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(7)
    with model_errors(folder):  # silences what the package warns of
        model = pytest.importorskip("encodec.model")
        state = model.EncodecModel.encodec_model_24khz(pretrained=False).state_dict()
    for name, value in state.items():
        if name.endswith("codebook.embed"):
            value.normal_()
    torch.save(state, folder / "part")
    digest = hashlib.sha256((folder / "part").read_bytes()).hexdigest()
    (folder / "part").rename(folder / f"encodec_24khz-{digest[:8]}.th")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEC_WEIGHTS", str(folder))
        yield folder


def test_rendering_against_a_loop_and_against_a_process_for_each_file(weights_folder: Path, tmp_path: Path) -> None:
    seconds = sum(inspect_audio(clip).duration_s for clip in CLIPS) * len(KBPS)
    codec = open_codec(get_condition(SLUGS[-1]))
    assert isinstance(codec, ModelCodec)
    check_outputs(codec)

    jobs = [RenderJob(str(clip), inspect_audio(clip).pcm_sha256, slug) for clip in CLIPS for slug in SLUGS]
    list(render_many(jobs[:3], Store(tmp_path / "warm"), workers=1))  # model loaded
    start = perf_counter()
    assert all(result.ok for result in render_many(jobs, Store(tmp_path / "ours"), workers=1))
    ours = perf_counter() - start

    start = perf_counter()
    loop_over_clips(codec, tmp_path)
    loop = perf_counter() - start

    start = perf_counter()
    checkpoint = next(weights_folder.glob("*.th"))
    for clip in CLIPS[:2]:
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
    per_file = (perf_counter() - start) * len(jobs) / 2

    print(f"\nEnCodec 24 kHz at {len(KBPS)} rates, {len(CLIPS)} clips, {seconds:.0f} s of audio in all, on {codec.device}")
    for name, took in (("ours, to levelled 48 kHz FLAC", ours), ("loop, to WAV", loop), ("process per file (of 2)", per_file)):
        print(f"  {name:32} {took:7.2f} s  {seconds / took:6.1f} × real time  {took / ours:5.2f} × ours")


def loop_over_clips(codec: ModelCodec, folder: Path) -> None:
    """One clip at one rate at a time, resampled by librosa, on one thread as ours, written as 16-bit WAV at the codec's rate."""
    import librosa
    import torch

    for kbps in KBPS:
        codec.model.set_target_bandwidth(kbps)
        for clip in CLIPS:
            samples, rate = sf.read(clip, dtype="float32")
            resampled = librosa.resample(samples, orig_sr=rate, target_sr=24_000)
            with torch.no_grad():
                decoded = codec.model.decode(codec.model.encode(torch.from_numpy(resampled)[None, None].to(codec.torch_device)))
            sf.write(folder / "loop.wav", decoded[0, 0, : len(resampled)].cpu().numpy().clip(-0.99, 0.99), 24_000)


def check_outputs(codec: ModelCodec) -> None:
    """Our codes are the library's own to 99.9 %, and from the same codes we decode what it decodes to 60 dB."""
    import torch

    codec.model.set_target_bandwidth(KBPS[-1])
    same, worst = [], np.inf
    with torch.inference_mode():
        for clip in CLIPS[:2]:
            samples, info = load_audio(clip)
            input_ = resample(samples, info.sample_rate, 24_000).astype(np.float32)
            input_ = np.pad(input_, (0, codec.padded(len(input_)) - len(input_)))
            batch = torch.from_numpy(input_)[None].to(codec.torch_device)
            [(theirs, _)] = codec.model.encode(batch[:, None])
            ours = codec.encode(batch, theirs.shape[1])
            same.append((ours.transpose(0, 1) == theirs).double().mean().item())
            one, other = codec.decode(theirs.transpose(0, 1), theirs.shape[1])[0], codec.model.decode([(theirs, None)])[0, 0]
            worst = min(worst, float(10 * torch.log10(other.square().sum() / (one - other).square().sum().clamp_min(1e-30))))
    assert np.mean(same) >= 0.999 and worst >= 60
    print(f"\ncodes equal: {100 * np.mean(same):.3f} %, SNR from the same codes: {min(worst, 300.0):.0f} dB or more")
