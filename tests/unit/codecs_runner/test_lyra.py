"""Lyra against values measured once with an independent script (torch STFT, librosa mel) on Lyra's own test recording.

Distances as in Codec-SUPERB: magnitude and log10-power differences, summed over two resolutions, averaged over bins and frames.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pystoi import stoi
from scipy.signal import get_window

from codecs_runner.audio import Samples, load_audio
from codecs_runner.codecs.base import Codec

RATE = 16_000
GOLDEN = {  # slug: (mel, STFT, waveform, STOI)
    "lyra-3.2kbps": (0.8989, 1.9304, 0.0367, 0.9146),
    "lyra-6kbps": (0.8117, 1.8224, 0.0296, 0.9404),
    "lyra-9.2kbps": (0.7615, 1.7582, 0.0265, 0.9456),
}
GOLDEN_PESQ = {"lyra-3.2kbps": 2.4514, "lyra-6kbps": 3.3542, "lyra-9.2kbps": 3.4422}


def magnitudes(samples: Samples, width: int) -> Samples:
    padded = np.pad(samples, width // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, width)[:: width // 4]
    return np.abs(np.fft.rfft(frames * get_window("hann", width), axis=1))


def mel_filters(n_mels: int, width: int) -> Samples:
    """Slaney's mel scale and area normalisation, shape [n_mels, width // 2 + 1]."""
    hertz = np.fft.rfftfreq(width, 1 / RATE)

    def to_mel(f: float) -> float:
        return 3 * f / 200 if f < 1000 else 15 + 27 * np.log(f / 1000) / np.log(6.4)

    mels = np.linspace(0, to_mel(RATE / 2), n_mels + 2)
    edges = np.where(mels < 15, 200 * mels / 3, 1000 * np.exp(np.log(6.4) / 27 * (mels - 15)))
    rising = (hertz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz) / np.diff(edges)[1:, None]
    return np.maximum(0, np.minimum(rising, falling)) * (2 / (edges[2:] - edges[:-2]))[:, None]


def distance(a: Samples, b: Samples) -> float:
    log_a, log_b = (2 * np.log10(np.maximum(x, 1e-5)) for x in (a, b))
    return float(np.abs(log_a - log_b).mean() + np.abs(a - b).mean())


def recording(shared: Path, codec: Codec) -> tuple[Samples, Samples]:
    reference, _ = load_audio(shared / "data" / "lyra_speech" / "sample1_16kHz.wav")
    return reference, codec.code(reference.astype(np.float32)).samples.astype(float)


@pytest.mark.parametrize("slug", GOLDEN)
def test_golden_distances(shared: Path, opened: Callable, slug: str) -> None:
    _, codec = opened(slug)
    reference, degraded = recording(shared, codec)
    stft = sum(distance(magnitudes(reference, w), magnitudes(degraded, w)) for w in (2048, 512))
    mel = sum(
        distance(*(magnitudes(x, w) @ mel_filters(n_mels, w).T for x in (reference, degraded)))
        for n_mels, w in ((150, 2048), (80, 512))
    )
    waveform = np.abs(reference - degraded).mean()
    assert (mel, stft, waveform, stoi(reference, degraded, RATE)) == pytest.approx(GOLDEN[slug], rel=0.01)


@pytest.mark.parametrize("slug", GOLDEN_PESQ)
def test_golden_pesq(shared: Path, opened: Callable, pesq: Callable, slug: str) -> None:
    _, codec = opened(slug)
    assert pesq(RATE, *recording(shared, codec), "wb") == pytest.approx(GOLDEN_PESQ[slug], rel=0.01)
