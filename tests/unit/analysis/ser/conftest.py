"""A small corpus whose emotions are easy to hear for a machine, and models trained on it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from analysis.corpora import Corpus, read_corpus
from analysis.ser.downstreams import Recipe
from analysis.ser.examples import examples_of
from analysis.ser.model import SerModel
from analysis.ser.speech import RATE
from analysis.ser.training import Order, train_model

SPEAKERS, EMOTIONS, TAKES = ("ann", "bob", "cy", "dee"), ("anger", "neutral", "sadness"), ("a", "b")
#: Pitch in Hz and how steeply the spectrum falls: the difference between the emotions.
SOUND = {"anger": (320, 0.2), "neutral": (180, 1.0), "sadness": (110, 2.0)}
QUICK = Recipe(epochs=6, learning_rate=3e-3, batch=8, device="cpu")

Train = Callable[..., SerModel]


def make_voice(emotion: str, seed: int, seconds: float = 0.5) -> np.ndarray:
    """A harmonic tone of the emotion's pitch and tilt, with vibrato and noise of its own."""
    rng = np.random.default_rng(seed)
    pitch, tilt = SOUND[emotion]
    time = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(pitch * rng.uniform(0.9, 1.1) * (1 + 0.03 * np.sin(2 * np.pi * 5 * time))) / RATE
    tone = sum(np.sin(k * phase) / k**tilt for k in range(1, 12))
    loud = np.sin(np.pi * time / time[-1]) ** 0.5
    return 0.05 * loud * tone + 0.001 * rng.standard_normal(len(time))


@pytest.fixture(scope="session")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a manifest: four speakers, three emotions, two takes; one clip is heard as two emotions."""
    folder = tmp_path_factory.mktemp("voices")
    rows = []
    for number, (speaker, emotion, take) in enumerate((s, e, t) for s in SPEAKERS for e in EMOTIONS for t in TAKES):
        path = f"{speaker}_{emotion}_{take}.wav"
        sf.write(folder / path, make_voice(emotion, number, 0.4 + 0.05 * (number % 5)), RATE)
        votes = f"{emotion}:4|neutral:1" if emotion != "neutral" else "neutral:5"
        rows.append({"path": path, "speaker": speaker, "sex": "", "language": "en", "transcript": "", "votes": votes})
    pd.DataFrame(rows).to_csv(folder / "manifest.csv", index=False)
    return folder


@pytest.fixture(scope="session")
def corpus(voices: Path) -> Corpus:
    return read_corpus("manifest", voices)


@pytest.fixture(scope="session")
def features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One store of features for all tests: it is addressed by content."""
    return tmp_path_factory.mktemp("features")


@pytest.fixture(scope="session")
def train(corpus: Corpus, features: Path) -> Train:
    """A function that trains on the small corpus in a folder."""

    def run(out: Path, upstream: str = "fbank", downstream: str = "cnn-self-attention", recipe: Recipe = QUICK) -> SerModel:
        return train_model(examples_of(corpus), out, Order(upstream, downstream, recipe, features=features, workers=1))

    return run


@pytest.fixture(scope="session")
def yardstick(train: Train, tmp_path_factory: pytest.TempPathFactory) -> SerModel:
    """The classical baseline on the small corpus."""
    return train(tmp_path_factory.mktemp("model") / "yardstick", "functionals", "logistic")
