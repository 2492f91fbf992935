"""The classical yardstick: logistic regression on the mean of a clip's frames (of `functionals`, the one vector there is)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from analysis.labels import FloatArray
from analysis.ser.downstreams.base import Arrays, Downstream, Predict, Task, Trained, standardisation
from analysis.ser.upstreams import Layers

#: Inverse strength of the penalty: strong, since a clip has about as many features as a small corpus has clips.
PENALTY_C = 0.01


def _train(task: Task) -> Trained:
    """Fit on training and development clips together, for nothing has to be stopped.

    A clip counts for each emotion by its share of the votes, and each emotion alike on the whole.
    """
    digests = [*task.train.digests, *task.development.digests]
    shares = np.concatenate([task.train.shares, task.development.shares])
    vectors = _vectors(task.load(digest) for digest in digests)
    mean, sd = standardisation((vector[None, None] for vector in vectors), True)
    clips, labels = np.nonzero(shares)
    by_emotion = shares.sum(axis=0)
    weights = shares[clips, labels] * (shares.sum() / (np.count_nonzero(by_emotion) * by_emotion[labels]))
    model = LogisticRegression(C=PENALTY_C, max_iter=2000)
    model.fit(((vectors - mean) / sd)[clips], labels, sample_weight=weights)
    coefficients, offsets = _all_classes(model, shares.shape[1])
    return Trained({"mean": mean, "sd": sd, "coefficients": coefficients, "offsets": offsets}, [])


def _all_classes(model: LogisticRegression, n_classes: int) -> tuple[FloatArray, FloatArray]:
    """Coefficients (K, n_dims) and offsets (K,), also where two emotions share one row or a fold lacks an emotion."""
    rows, offsets = np.asarray(model.coef_), np.asarray(model.intercept_)
    if len(model.classes_) == 2:
        rows, offsets = np.stack([-rows[0], rows[0]]) / 2, np.array([-offsets[0], offsets[0]]) / 2
    every = np.zeros((n_classes, rows.shape[1])), np.full(n_classes, -1e9)
    every[0][model.classes_], every[1][model.classes_] = rows, offsets
    return every


def _open(arrays: Arrays, _device: str, _threads: int) -> Predict:
    def predict(clips: Sequence[Layers]) -> FloatArray:
        vectors = (_vectors(clips) - arrays["mean"]) / arrays["sd"]
        chances: FloatArray = softmax(vectors @ arrays["coefficients"].T + arrays["offsets"], axis=1)
        return chances

    return predict


def _vectors(clips: Iterable[Layers]) -> npt.NDArray[np.float64]:
    """The mean over layers and frames of each clip: array (n_clips, n_dims)."""
    return np.stack([np.asarray(layers, dtype=np.float64).mean(axis=(0, 1)) for layers in clips])


LOGISTIC = Downstream("logistic", "Logistic regression", _train, _open, packages=("scikit-learn",))
