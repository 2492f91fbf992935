"""Recordings and weights for the audio room's tests."""

import hashlib
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner.audio import Samples
from codecs_runner.codecs.base import Codec, Condition
from codecs_runner.pipeline import _open
from codecs_runner.registry import availability, get_condition, open_codec
from tests.unit.codecs_runner import published
from tests.unit.codecs_runner.voices import make_speech

DAC_KWARGS = {  # the published 16 and 24 kHz models' strides and codebooks in narrow layers
    "encoder_dim": 8,
    "encoder_rates": [2, 4, 5, 8],
    "decoder_dim": 128,
    "decoder_rates": [8, 5, 4, 2],
    "codebook_dim": 8,
    "quantizer_dropout": 0.5,
}


@pytest.fixture(scope="session")
def speech() -> Samples:
    """1.5 s at 16 kHz."""
    return make_speech(1.5, 16_000)


@pytest.fixture
def recording(tmp_path: Path, speech: Samples) -> Path:
    path = tmp_path / "recording.wav"
    sf.write(path, speech, 16_000, subtype="PCM_16")
    return path


@pytest.fixture(scope="session")
def weights_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Checkpoints in the published formats with seeded random numbers in them, and Lyra's real files where there are any."""
    folder = tmp_path_factory.mktemp("weights")
    with suppress(pytest.skip.Exception):  # the Lyra conditions then say that their weights are missing
        (folder / "lyra").symlink_to(request.getfixturevalue("shared") / "weights" / "lyra")
    if find_spec("encodec") and find_spec("dac") and find_spec("torch"):
        _write_random_checkpoints(folder)
        published.write_all(folder)
    return folder


@pytest.fixture
def with_weights(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CODEC_WEIGHTS", str(weights_folder))
    yield weights_folder
    _open.cache_clear()


@pytest.fixture(scope="session")
def opened(weights_folder: Path) -> Callable[[str], tuple[Condition, Codec]]:
    """Open a condition by its slug, once for the whole run; skips with the reason where it is not available."""
    cache: dict[str, Codec] = {}

    def open_once(slug: str) -> tuple[Condition, Codec]:
        condition = get_condition(slug)
        if slug not in cache:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CODEC_WEIGHTS", str(weights_folder))
                found = availability(slug)
                if not found.ok:
                    pytest.skip(found.reason)
                cache[slug] = open_codec(condition)
        return condition, cache[slug]

    return open_once


def _write_random_checkpoints(folder: Path) -> None:
    import torch

    from codecs_runner.neural import open_device

    open_device()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the packages' own, on import
        import dac
        from encodec.model import EncodecModel

        torch.manual_seed(7)
        state = EncodecModel.encodec_model_24khz(pretrained=False).state_dict()
        for name, value in state.items():
            if name.endswith("codebook.embed"):
                value.normal_()
        torch.save(state, folder / "part")
        digest = hashlib.sha256((folder / "part").read_bytes()).hexdigest()
        (folder / "part").rename(folder / f"encodec_24khz-{digest[:8]}.th")
        for rate, n_codebooks in ((16_000, 12), (24_000, 32)):
            kwargs = {**DAC_KWARGS, "sample_rate": rate, "n_codebooks": n_codebooks}
            package = {
                "state_dict": dac.DAC(**kwargs).state_dict(),
                "metadata": {"kwargs": {**kwargs, "of_an_older_version": 1}},
            }
            torch.save(package, folder / f"weights_{rate // 1000}khz.pth")
