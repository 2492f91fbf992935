"""What a downstream is: the part that learns, one classifier for each fold of a corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.labels import EPSILON, FloatArray, threshold_votes
from analysis.ser.upstreams import Layers

#: A classifier as plain numbers, by name; nothing in it can run code.
Arrays = Mapping[str, npt.NDArray[Any]]
#: Distributions over emotions, array (n_clips, K), of the clips whose features are given.
Predict = Callable[[Sequence[Layers]], FloatArray]


@dataclass(frozen=True)
class Recipe:
    """How a classifier is trained; EMO-SUPERB's settings where it states them, and Emo-Codec's patience.

    ``precision``: float32, or bfloat16 for mixed precision; empty: mixed on a GPU.
    """

    seed: int = 1337
    epochs: int = 300
    patience: int = 5
    batch: int = 32
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    gradient_norm: float = 1.0
    smoothing: float = EPSILON
    precision: str = ""
    device: str = ""
    threads: int = 1


@dataclass(frozen=True)
class Part:
    """One side of a fold: digests of the clips' speech and the shares of their votes, array (n_clips, K)."""

    digests: Sequence[str]
    shares: FloatArray


@dataclass(frozen=True)
class Task:
    """All that training one fold takes. ``load`` gives the features of a digest.

    ``state`` is the file in which an unfinished training is kept; ``on_epoch`` is told the number of the epoch and the loss on the
    development set.
    """

    fold: int
    train: Part
    development: Part
    load: Callable[[str], Layers]
    standardise: bool
    recipe: Recipe
    state: Path
    on_epoch: Callable[[int, float], None]


@dataclass(frozen=True)
class Trained:
    """The classifier, and a row for each epoch: epoch, train_loss, development_loss."""

    arrays: Arrays
    history: Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class Downstream:
    """One entry of the registry. ``open`` makes a trained classifier ready for predictions on a device, or threads of a CPU."""

    key: str
    title: str
    train: Callable[[Task], Trained]
    open: Callable[[Arrays, str, int], Predict]
    problem: Callable[[], str] = lambda: ""
    packages: tuple[str, ...] = ()


def standardisation(clips: Iterable[Layers], wanted: bool) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Mean and standard deviation of every dimension over all frames of the training set: two arrays (n_layers, n_dims).

    Where it is not ``wanted``, 0 and 1 of shape (1, 1). A dimension that never varies keeps its scale.

    >>> mean, sd = standardisation([np.array([[[1.0], [3.0]]])], True)
    >>> mean.tolist(), sd.tolist()
    ([[2.0]], [[1.0]])
    """
    if not wanted:
        return np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    n_frames, total, squares = 0, 0.0, 0.0
    for layers in clips:
        values = np.asarray(layers, dtype=np.float64)
        n_frames += values.shape[1]
        total, squares = total + values.sum(axis=1), squares + (values**2).sum(axis=1)
    mean = np.asarray(total) / n_frames
    variance = np.asarray(squares) / n_frames - mean**2
    sd = np.sqrt(np.where(variance > 1e-10, variance, 1.0))
    return mean.astype(np.float32), sd.astype(np.float32)


def class_weights(shares: FloatArray) -> FloatArray:
    """Weight of each emotion by how rare it is among N training clips, array (K,), summing to K.

    w_c = (1 - b) / (1 - b^n_c) with b = (N - 1)/N and n_c the clips whose share of c is above 1/K. Source: Cui et al. (CVPR 2019) as
    EMO-SUPERB applies it. An emotion in no clip, which has no weight there, counts as one clip.

    >>> class_weights(np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).round(3).tolist()
    [0.75, 1.25]
    """
    n_clips = np.maximum(threshold_votes(shares).sum(axis=0), 1)
    beta = (len(shares) - 1) / len(shares)
    weights = (1 - beta) / (1 - beta**n_clips)
    scaled: FloatArray = weights / weights.sum() * len(weights)
    return scaled
