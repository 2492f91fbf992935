"""The neural families: opened the way that users open them, and what PyTorch is told."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from codecs_runner.audio import inspect_audio
from codecs_runner.jobs import RenderJob
from codecs_runner.pipeline import render
from codecs_runner.store import Store
from tests.unit.codecs_runner.voices import make_speech

REPO = Path(__file__).resolve().parents[3]


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_room_imports_without_heavy_libraries() -> None:
    code = "import sys, codecs_runner.__main__; from codecs_runner.registry import list_conditions;"
    heavy = "{'torch', 'torchaudio', 'encodec', 'dac', 'ai_edge_litert', 'django'}"
    assert run(f"{code} list_conditions(); print({heavy} & set(sys.modules))") == "set()"


@pytest.mark.neural
def test_torchaudio_imports_beside_any_build_of_torch() -> None:
    code = "from codecs_runner.neural import open_device; open_device(); import torchaudio, torch;"
    assert run(f"{code} print(torchaudio.transforms.Resample(2, 1)(torch.ones(8)).shape[0])") == "4"


@pytest.mark.neural
@pytest.mark.parametrize("slug", ["encodec-24k-6kbps", "dac-16k-6kbps"])
def test_a_neural_stimulus_says_what_made_it(with_weights: Path, tmp_path: Path, slug: str) -> None:
    sf.write(tmp_path / "clip.wav", make_speech(0.5, 16_000), 16_000)
    job = RenderJob(str(tmp_path / "clip.wav"), inspect_audio(tmp_path / "clip.wav").pcm_sha256, slug)
    result = render(job, Store(tmp_path / "store"))
    assert result.ok, result.message
    assert result.sidecar["versions"]["torch"] and result.sidecar["device"]
    assert dict(result.sidecar["weights"]) == job.weights and "missing" not in job.weights.values()


@pytest.mark.neural
def test_a_lower_rate_is_a_prefix_of_the_higher(opened) -> None:
    """Residual quantization: the first codebooks do not depend on how many follow."""
    import torch

    clip = torch.from_numpy(make_speech(0.3, 24_000).astype(np.float32))[None, None]
    with torch.inference_mode():
        low, high = (opened(slug)[1].model.encode(clip)[0][0] for slug in ("encodec-24k-6kbps", "encodec-24k-24kbps"))
    assert (low.shape[1], high.shape[1]) == (8, 32)
    assert torch.equal(low, high[:, :8])
