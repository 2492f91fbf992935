"""Recordings and weights for the audio room's tests."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
import soundfile as sf

from codecs_runner.audio import Samples
from codecs_runner.codecs.base import Codec, Condition
from codecs_runner.registry import availability, get_condition, open_codec
from codecs_runner.rendering import _open
from tests.conftest import absent
from tests.unit.codecs_runner import published
from tests.unit.codecs_runner.checkpoints import write_random_checkpoints
from tests.unit.codecs_runner.voices import make_speech


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
        write_random_checkpoints(folder)
        published.write_all(folder)
    return folder


@pytest.fixture
def with_weights(weights_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("CODEC_WEIGHTS", str(weights_folder))
    yield weights_folder
    _open.cache_clear()


@pytest.fixture(scope="session")
def opened(weights_folder: Path) -> Callable[[str], tuple[Condition, Codec]]:
    """Open a condition by its slug, once for the whole run. One that is not available skips with its reason, and fails in CI."""
    cache: dict[str, Codec] = {}

    def open_once(slug: str) -> tuple[Condition, Codec]:
        condition = get_condition(slug)
        if slug not in cache:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("CODEC_WEIGHTS", str(weights_folder))
                found = availability(slug)
                if not found.ok:
                    # Lyra's weights lie with the shared recordings, which a clone may lack even in CI.
                    (pytest.skip if condition.family == "Lyra" else absent)(found.reason)
                cache[slug] = open_codec(condition)
        return condition, cache[slug]

    return open_once
