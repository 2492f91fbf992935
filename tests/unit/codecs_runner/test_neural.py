"""The neural families: opened the way that users open them, and what PyTorch is told."""

import subprocess
import sys
from pathlib import Path

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
