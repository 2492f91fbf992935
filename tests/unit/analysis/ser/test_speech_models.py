"""Self-supervised speech models through their true path, on small checkpoints in the published format."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from analysis.ser.errors import SerError
from analysis.ser.speech import Speech
from analysis.ser.upstreams import Weights, get_upstream, open_upstream
from tests.unit.analysis.ser.speech_checkpoints import PUBLISHED, write_checkpoint

pytestmark = pytest.mark.neural


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sub-folder for each model."""
    folder = tmp_path_factory.mktemp("speech-models")
    for key in PUBLISHED:
        write_checkpoint(folder / key, key, "model.safetensors" if key == "wavlm-large" else "pytorch_model.bin")
    return folder


@pytest.fixture
def speech() -> list[Speech]:
    rng = np.random.default_rng(5)
    return [rng.standard_normal(n).astype(np.float32) for n in (16_000, 9_000, 12_345)]


@pytest.mark.parametrize("key", PUBLISHED)
def test_all_layers_are_those_of_the_published_model(key: str, checkpoints: Path, speech: list[Speech]) -> None:
    import torch
    import transformers

    layers = open_upstream(key, Weights(checkpoints, device="cpu")).extract(speech[:1])[0]
    family = PUBLISHED[key][0]
    model = getattr(transformers, f"{family}Model").from_pretrained(checkpoints / key, local_files_only=True).eval()
    with torch.inference_mode():
        expected = torch.cat(model(torch.from_numpy(speech[0])[None], output_hidden_states=True).hidden_states).numpy()
    assert layers.shape == (4, 49, 32)
    assert layers.dtype == np.float16
    assert np.allclose(layers, expected, atol=4e-3)
    assert np.ptp(layers[1:], axis=1).min() > 0, "the layers do not depend on the speech"


@pytest.mark.parametrize("key", ["xls-r-1b", "wavlm-large", "wav2vec2-large-robust", "hubert-large"])
def test_a_clip_gets_the_same_in_a_batch_as_alone(key: str, checkpoints: Path, speech: list[Speech]) -> None:
    upstream = open_upstream(key, Weights(checkpoints, device="cpu"))
    together = upstream.extract(speech)
    for clip, found in zip(speech, together, strict=True):
        alone = upstream.extract([clip])[0]
        assert found.shape == alone.shape
        assert np.allclose(found, alone, atol=4e-3)


@pytest.mark.parametrize("key", ["wav2vec2-large-960h", "data2vec-large"])
def test_a_model_that_padding_would_reach_gets_clips_one_by_one_on_a_gpu_too(key: str, checkpoints: Path, monkeypatch) -> None:
    import torch

    monkeypatch.setattr("analysis.ser.upstreams.speech_models.open_device", lambda *_: torch.device("cuda"))
    monkeypatch.setattr(torch.nn.Module, "to", lambda model, _: model)
    assert open_upstream("hubert-large", Weights(checkpoints)).batch > 1
    assert open_upstream(key, Weights(checkpoints)).batch == 1


def test_the_fingerprint_follows_the_weights(checkpoints: Path, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hubert-large")
    same, other = (open_upstream("hubert-large", Weights(folder, device="cpu")) for folder in (checkpoints, tmp_path))
    assert same.fingerprint == other.fingerprint
    import torch

    tensors = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    tensors["encoder.layer_norm.bias"] += 1
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    assert open_upstream("hubert-large", Weights(tmp_path, device="cpu")).fingerprint != same.fingerprint


def test_the_cache_of_the_hub_is_read_without_a_network(checkpoints: Path, tmp_path: Path, monkeypatch) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert "has, of microsoft/wavlm-large, no config.json" in get_upstream("wavlm-large").problem(Weights())
    repository = tmp_path / "models--microsoft--wavlm-large"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("abc")
    (repository / "snapshots").mkdir()
    (repository / "snapshots" / "abc").symlink_to(checkpoints / "wavlm-large")
    assert get_upstream("wavlm-large").problem(Weights()) == ""
    assert open_upstream("wavlm-large", Weights(device="cpu")).fingerprint.startswith("wavlm-large-")


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "pytorch_model.bin"])
def test_the_file_that_is_missing_is_named(name: str, tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "xls-r-1b")
    (tmp_path / name).unlink()
    with pytest.raises(SerError, match=f"'xls-r-1b' cannot be used here.*{tmp_path} has no .*{name}"):
        open_upstream("xls-r-1b", Weights(tmp_path))


def test_another_models_checkpoint_is_refused(checkpoints: Path) -> None:
    with pytest.raises(SerError, match="holds a hubert model, and 'wavlm-large' is wavlm"):
        open_upstream("wavlm-large", Weights(checkpoints / "hubert-large"))


def test_a_checkpoint_that_lacks_a_tensor_is_refused(tmp_path: Path) -> None:
    import torch

    write_checkpoint(tmp_path, "data2vec-large")
    tensors = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    del tensors["feature_projection.projection.weight"]
    torch.save(tensors, tmp_path / "pytorch_model.bin")
    with pytest.raises(SerError, match=r"lacks feature_projection\.projection\.weight"):
        open_upstream("data2vec-large", Weights(tmp_path))


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("ran"),)  # type: ignore[return-value]


def test_a_checkpoint_that_would_run_code_is_not_run(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_checkpoint(tmp_path, "wav2vec2-large-robust")
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps({"weights": _Runs()}, protocol=2))
    with pytest.raises(SerError, match="damaged"):
        open_upstream("wav2vec2-large-robust", Weights(tmp_path))
    assert not (tmp_path / "ran").exists()


def test_a_damaged_config_is_named(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, "hubert-large")
    (tmp_path / "config.json").write_text(json.dumps({})[:1])
    with pytest.raises(SerError, match=r"config\.json is missing or damaged"):
        open_upstream("hubert-large", Weights(tmp_path))
