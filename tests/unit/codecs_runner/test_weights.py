"""Weights: found, checked, fetched only on request, and never allowed to run code."""

import dataclasses
import sys
from pathlib import Path

import pytest

from codecs_runner import weights
from codecs_runner.__main__ import main
from codecs_runner.errors import CodecError
from codecs_runner.registry import availability, get_condition, open_codec
from codecs_runner.weight_files import FILES


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "weights").mkdir()
    return tmp_path / "weights"


@pytest.mark.parametrize("place", ["weights", "weights/dac", "cache/descript/dac"])
def test_files_are_found_in_the_folder_its_family_and_the_packages_cache(folder: Path, place: str) -> None:
    assert weights.find("dac_16khz") is None
    (folder.parent / place).mkdir(parents=True, exist_ok=True)
    name = "weights_16khz_8kbps_0.0.5.pth" if place.startswith("cache") else "weights_16khz.pth"
    path = folder.parent / place / name
    path.write_bytes(b"x")
    assert weights.find("dac_16khz") == path


def test_what_is_missing_is_named_with_its_place(folder: Path) -> None:
    with pytest.raises(CodecError) as caught:
        weights.require("dac_24khz")
    assert caught.value.code == "weights_missing"
    for part in ("weights_24khz.pth", str(folder), "python -m codecs_runner weights download"):
        assert part in caught.value.sentence


@pytest.mark.parametrize(
    ("key", "name"), [("lyra_encoder", "soundstream_encoder.tflite"), ("encodec_24khz", "encodec_24khz-d7cc33bc.th")]
)
def test_a_file_that_is_not_what_its_name_says_is_refused(folder: Path, key: str, name: str) -> None:
    (folder / name).write_bytes(b"not the weights")
    with pytest.raises(CodecError) as caught:
        weights.require(key)
    assert caught.value.code == "weights_damaged" and name in caught.value.sentence


def test_a_changed_file_is_hashed_again(folder: Path) -> None:
    path = folder / "weights_16khz.pth"
    path.write_bytes(b"one")
    first = weights.checksums(["dac_16khz"])
    path.write_bytes(b"other")
    assert weights.checksums(["dac_16khz"]) != first


def test_a_download_is_whole_and_checked(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "published.tflite"
    source.write_bytes(b"weights")
    right = dataclasses.replace(FILES["lyra_encoder"], url=source.as_uri(), sha256=weights.sha256(source), size=7)
    seen: list[int] = []
    monkeypatch.setitem(FILES, "lyra_encoder", right)
    assert weights.download("lyra_encoder", lambda done, total: seen.append(done)).read_bytes() == b"weights"
    assert seen == [7] and weights.require("lyra_encoder")

    monkeypatch.setitem(FILES, "lyra_decoder", dataclasses.replace(right, name="other.tflite", sha256="00"))
    with pytest.raises(CodecError):
        weights.download("lyra_decoder")
    assert [path.name for path in (folder / "lyra").iterdir()] == ["soundstream_encoder.tflite"]


@pytest.mark.parametrize("place", ["", "lyra"])
def test_a_damaged_file_is_fetched_again(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    source = tmp_path / "published.tflite"
    source.write_bytes(b"weights")
    right = dataclasses.replace(FILES["lyra_encoder"], url=source.as_uri(), sha256=weights.sha256(source), size=7)
    monkeypatch.setitem(FILES, "lyra_encoder", right)
    damaged = folder / place / right.name
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(b"weig")
    assert main(["weights", "verify"]) == 1
    assert main(["weights", "download", "lyra_encoder"]) == 0
    assert damaged.read_bytes() == b"weights" and main(["weights", "verify"]) == 0


def test_no_network_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = dataclasses.replace(FILES["dac_16khz"], url="http://127.0.0.1:9/weights_16khz.pth")
    monkeypatch.setitem(FILES, "dac_16khz", closed)
    with pytest.raises(CodecError) as caught:
        weights.download("dac_16khz")
    assert caught.value.code == "download_failed" and closed.url in caught.value.sentence


@pytest.mark.parametrize("slug", ["encodec-24k-6kbps", "dac-16k-6kbps"])
def test_without_torch_neural_conditions_say_what_to_install(slug: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    found = availability(slug)
    assert not found.ok and "make install, or NEURAL=1" in found.reason
    assert availability("opus-6kbps").ok


def test_an_unknown_condition_is_unavailable() -> None:
    assert not availability("opus-7kbps").ok


@pytest.mark.neural
@pytest.mark.parametrize("content", ["code", "tensors of another model", "text", "no tensors"])
def test_a_checkpoint_that_is_not_one_is_refused_by_name(folder: Path, content: str) -> None:
    import torch

    path = folder / "weights_16khz.pth"
    if content == "code":
        torch.save({"state_dict": {}, "metadata": {"kwargs": {}, "hook": dataclasses.replace}}, path)
    elif content == "tensors of another model":
        kwargs = {"encoder_rates": [2, 4, 5, 8], "encoder_dim": 4, "decoder_dim": 32, "n_codebooks": 12, "sample_rate": 16_000}
        torch.save({"state_dict": {"weight": torch.zeros(1)}, "metadata": {"kwargs": kwargs}}, path)
    elif content == "text":
        path.write_text("Not Found")
    else:
        torch.save([1, 2], path)
    with pytest.raises(CodecError) as caught:
        open_codec(get_condition("dac-16k-6kbps"))
    assert caught.value.code == "weights_damaged" and str(path) in caught.value.sentence
