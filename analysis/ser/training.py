"""From a corpus to a model: features once, one classifier for each fold, and what each clip's own fold makes of it."""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from analysis.corpora.folds import Fold
from analysis.labels import FloatArray, f1_scores, macro_mean, threshold_votes
from analysis.report.provenance import code_digest
from analysis.ser.downstreams import Part, Recipe, Task, get_downstream
from analysis.ser.errors import SerError
from analysis.ser.examples import Examples, without
from analysis.ser.features import FeatureStore, default_folder, in_groups
from analysis.ser.model import (
    CLIPS,
    FORMAT,
    HISTORY,
    ORIGINALS,
    SHARE,
    SIDE,
    SerModel,
    fold_file,
    read_description,
    write_arrays,
    write_description,
    write_table,
)  # fmt: skip
from analysis.ser.upstreams import FROM_HUB, Layers, Weights, get_upstream

#: Clips whose distributions are asked for at a time.
_BATCH = 16
_PACKAGES = ("numpy", "scipy", "scikit-learn", "kaldi-native-fbank", "soxr", "soundfile")


@dataclass(frozen=True)
class Order:
    """What to train. ``features`` is the folder in which features are kept, ``workers`` the processes that compute light ones."""

    upstream: str = "fbank"
    downstream: str = "cnn-self-attention"
    recipe: Recipe = field(default_factory=Recipe)
    weights: Weights = FROM_HUB
    features: Path | None = None
    workers: int | None = None


def train_model(examples: Examples, out: Path, order: Order) -> SerModel:
    """Train in the folder ``out``, or go on with what was begun there, and return the model.

    Folds that are done are kept, and one that was interrupted goes on from its last epoch: the result is the same as without the
    interruption. A finished model is returned as it is. Raises SerError where ``out`` holds a model of other settings.
    """
    downstream, spec = get_downstream(order.downstream), get_upstream(order.upstream)
    store = FeatureStore(order.features or default_folder(), spec, order.weights)
    digests, problems = _digests(store, examples, order.workers)
    examples = without(examples, problems)
    settings = {
        "corpus": examples.corpus,
        "examples": examples.digest(),
        "emotions": list(examples.emotions),
        "upstream": spec.key,
        "upstream_fingerprint": store.upstream.fingerprint,
        "downstream": downstream.key,
        "recipe": asdict(order.recipe),
    }
    description = _begin(out, settings, examples.notes, (*_PACKAGES, *downstream.packages, *spec.packages))
    spoken = [digests[Path(path)] for path in examples.clips["path"]]
    model = SerModel(
        out, description, _clip_table(examples, spoken).set_index("clip_id"), order.recipe.device, order.recipe.threads
    )
    if description["status"] == "trained":
        return model
    write_table(out, CLIPS, model.clips.reset_index())

    def load(digest: str) -> Layers:
        layers = store.load(digest)
        if layers is None:
            raise SerError(f"Features vanished from {store.folder} during training; the same command goes on.")
        return layers

    for number, fold in enumerate(examples.folds):
        if fold.name in description["folds"]:
            continue
        sides = [
            Part([spoken[row] for row in np.flatnonzero(mask)], examples.shares[mask])
            for mask in (fold.train, fold.development)
        ]
        state = out / f"fold-{number + 1}.state"
        with tqdm(desc=f"fold {fold.name}", unit=" epochs", disable=None) as bar:
            task = Task(number, sides[0], sides[1], load, spec.standardise, order.recipe, state, partial(_show, bar))
            trained = downstream.train(task)
        write_arrays(fold_file(out, fold.name), trained.arrays, json.dumps({**settings, "fold": fold.name}, sort_keys=True))
        description["folds"][fold.name] = list(trained.history)
        write_description(out, description)
        state.unlink(missing_ok=True)
    _judge(model, examples, [partial(load, digest) for digest in spoken])
    return model


def _show(bar: tqdm, epoch: int, loss: float) -> None:
    bar.update(epoch - bar.n)
    bar.set_postfix(development_loss=f"{loss:.4f}")


def _digests(store: FeatureStore, examples: Examples, workers: int | None) -> tuple[dict[Path, str], dict[Path, str]]:
    """Digest of every recording whose features are in the store now, and the problem of every other."""
    digests: dict[Path, str] = {}
    problems: dict[Path, str] = {}
    paths = [Path(path) for path in examples.clips["path"]]
    for heard in tqdm(store.hear(paths, workers), total=len(paths), desc="features", unit="clip", delay=2, disable=None):
        if heard.problem:
            problems[heard.path] = heard.problem
        else:
            digests[heard.path] = heard.digest
    return digests, problems


def _begin(out: Path, settings: Mapping[str, Any], notes: Sequence[str], packages: Sequence[str]) -> dict[str, Any]:
    """The description of the model in ``out``: what an earlier run wrote, or a new one."""
    found = read_description(out)
    if found is not None:
        other = [name for name, value in settings.items() if found["settings"].get(name) != value]
        if other:
            raise SerError(
                f"{out} holds a model with another {' and '.join(other)}; give --out a new folder, or delete this one."
            )
        return found
    description = {
        "format": FORMAT,
        "status": "training",
        "settings": dict(settings),
        "made_with": {"python": platform.python_version(), **_versions(packages), "analysis_code": code_digest()},
        "notes": list(notes),
        "folds": {},
    }
    write_description(out, description)
    return description


def _versions(packages: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    return found


def _clip_table(examples: Examples, digests: Sequence[str]) -> pd.DataFrame:
    shares = {SHARE + name: examples.shares[:, column] for column, name in enumerate(examples.emotions)}
    return examples.clips.assign(digest=digests, **shares, **{SIDE + fold.name: _sides(fold) for fold in examples.folds})


def _sides(fold: Fold) -> list[str]:
    masks = (fold.train, "train"), (fold.development, "development"), (fold.test, "test")
    return [next((name for mask, name in masks if mask[row]), "") for row in range(len(fold.train))]


def _judge(model: SerModel, examples: Examples, load: Sequence[Callable[[], Layers]]) -> None:
    """Let every test clip be judged by its own fold, write the tables, and call the model trained."""
    chances = np.full(examples.shares.shape, np.nan)
    for fold in examples.folds:
        for rows in in_groups(np.flatnonzero(fold.test & np.isnan(chances[:, 0])).tolist(), _BATCH):
            chances[rows] = model.predict(fold.name, [load[row]() for row in rows])
    judged = np.isfinite(chances[:, 0])
    table = examples.clips[["clip_id", "speaker"]].join(pd.DataFrame(chances, columns=list(examples.emotions)))
    write_table(model.folder, ORIGINALS, table[judged])
    history = [{"fold": name, **row} for name, rows in model.description["folds"].items() for row in rows]
    write_table(model.folder, HISTORY, pd.DataFrame(history, columns=["fold", "epoch", "train_loss", "development_loss"]))
    model.description.update(status="trained", reached=test_scores(examples.shares[judged], chances[judged]))
    write_description(model.folder, model.description)


def test_scores(shares: FloatArray, chances: FloatArray) -> dict[str, float]:
    """Macro-F1 of label sets over the whole test set, and unweighted average recall (UAR) of the emotion most likely.

    ``shares`` and ``chances``: arrays (n_clips, K). A clip counts for the recall where one emotion leads its votes.

    >>> test_scores(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0.9, 0.1], [0.6, 0.4]]))
    {'n_clips': 2, 'macro_f1': 0.333..., 'uar': 0.5}
    """
    truth, found = threshold_votes(shares), threshold_votes(chances)
    both = (truth & found).sum(axis=0)
    f1 = f1_scores(both, found.sum(axis=0) - both, truth.sum(axis=0) - both)
    leads = (shares == shares.max(axis=1, keepdims=True)).sum(axis=1) == 1
    hit = shares[leads].argmax(axis=1) == chances[leads].argmax(axis=1)
    recalls = [hit[shares[leads].argmax(axis=1) == label].mean() for label in np.unique(shares[leads].argmax(axis=1))]
    return {"n_clips": len(shares), "macro_f1": float(macro_mean(f1)), "uar": float(np.mean(recalls))}
