"""The demo corpus: clips fit for import, and a prosody that differs between the emotions as SOURCE.txt says."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from numpy.typing import NDArray

from analysis.corpora import Corpus, read_corpus

FOLDER = Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic"
RATE = 16_000


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return read_corpus("manifest", FOLDER)


@pytest.fixture(scope="module")
def prosody(corpus: Corpus) -> pd.DataFrame:
    """Median pitch in Hz, characters per second, level and high-frequency energy in dB, for each clip."""
    return pd.DataFrame(
        [{**clip, **measure(Path(clip["path"]), clip["transcript"])} for clip in corpus.clips.to_dict("records")]
    )


def measure(path: Path, transcript: str) -> dict[str, float]:
    signal, rate = sf.read(path)
    power = np.abs(np.fft.rfft(signal)) ** 2
    split = round(1000 / (rate / len(signal)))
    return {
        "f0_hz": float(np.median([pitch(frame) for frame in loudest_frames(signal)])),
        "characters_per_s": len(transcript) / (len(signal) / rate),
        "level_dbfs": 10 * np.log10(np.mean(signal**2)),
        "high_db": 10 * np.log10(power[split:].sum() / power[:split].sum()),
    }


def loudest_frames(signal: NDArray[np.float64], size: int = RATE // 25, share: float = 0.4) -> NDArray[np.float64]:
    frames = signal[: len(signal) // size * size].reshape(-1, size)
    order = np.argsort(-(frames**2).sum(axis=1))
    return frames[order[: round(share * len(order))]]


def pitch(frame: NDArray[np.float64]) -> float:
    """The lag of the highest peak of the autocorrelation, 70 to 400 Hz."""
    correlation = np.correlate(frame, frame, mode="full")[len(frame) - 1 :]
    lags = np.arange(RATE // 400, RATE // 70)
    return RATE / float(lags[np.argmax(correlation[lags])])


def test_every_emotion_is_spoken_by_every_voice(corpus: Corpus) -> None:
    assert corpus.left_out == []
    assert corpus.emotions == ("anger", "fear", "happiness", "neutral", "sadness")
    counts = corpus.clips.groupby(["emotion", "sex"])
    assert (counts.size() == 6).all() and len(counts) == 10
    assert (corpus.clips.groupby("emotion")["speaker"].nunique() == 8).all()


def test_every_clip_is_sound_speech_at_16_khz(corpus: Corpus) -> None:
    for path in map(Path, corpus.clips["path"]):
        info = sf.info(path)
        assert (info.samplerate, info.channels, info.format, info.subtype) == (RATE, 1, "FLAC", "PCM_16"), path
        assert 1.5 < info.duration < 4, path
        signal, _ = sf.read(path)
        loud = np.flatnonzero(np.abs(signal) > 0.05 * np.abs(signal).max())
        assert 0.05 < np.abs(signal).max() < 0.9, path
        assert loud[0] < 0.3 * RATE and len(signal) - loud[-1] < 0.4 * RATE, path


def test_the_corpus_stays_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.flac")) < 2_500_000


def test_every_voice_raises_and_lowers_its_pitch_with_the_emotion(prosody: pd.DataFrame) -> None:
    table = prosody.pivot_table(index="speaker", columns="emotion", values="f0_hz")
    for emotion in ("anger", "fear", "happiness"):
        assert (table[emotion] > 1.1 * table["neutral"]).all(), table
    assert (table["sadness"] < 0.95 * table["neutral"]).all(), table


def test_emotions_differ_in_rate_level_and_brightness(prosody: pd.DataFrame) -> None:
    mean = prosody.groupby("emotion")[["characters_per_s", "level_dbfs", "high_db"]].mean()
    fast, slow = mean.loc[["anger", "fear"]], mean.loc["sadness"]
    assert (fast["characters_per_s"] > 1.1 * mean.loc["neutral", "characters_per_s"]).all()
    assert slow["characters_per_s"] < 0.9 * mean.loc["neutral", "characters_per_s"]
    assert mean["level_dbfs"].idxmax() == mean["high_db"].idxmax() == "anger"
    assert mean["level_dbfs"].idxmin() == mean["high_db"].idxmin() == "sadness"
