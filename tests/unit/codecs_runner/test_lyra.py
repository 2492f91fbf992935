"""Lyra against Codec-SUPERB's numbers, measured once with its own code on Lyra's own test recording."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from analysis.objective import score
from codecs_runner.audio import load_audio

RATE = 16_000
MEASURES = ("mel", "stft", "waveform", "pesq", "stoi", "f0corr")
GOLDEN = {
    "lyra-3.2kbps": (0.8989, 1.9304, 0.0367, 2.4514, 0.9146, 0.9852),
    "lyra-6kbps": (0.8117, 1.8224, 0.0296, 3.3542, 0.9404, 0.9926),
    "lyra-9.2kbps": (0.7615, 1.7582, 0.0265, 3.4422, 0.9456, 0.9850),
}


@pytest.mark.parametrize("slug", GOLDEN)
def test_golden_values(shared: Path, opened: Callable, pesq: Callable, slug: str) -> None:
    _, codec = opened(slug)
    reference, _ = load_audio(shared / "data" / "lyra_speech" / "sample1_16kHz.wav")
    degraded = codec.code(reference.astype(np.float32)).samples.astype(float)
    keys = [f"codec_superb_{name}" for name in MEASURES]
    found = score(keys, reference=reference, degraded=degraded, sample_rate=RATE)
    assert [found[key].value for key in keys] == pytest.approx(GOLDEN[slug], rel=0.01)
