"""A model judges stimuli: every recording is decoded once, its features are computed once for all layers, and it is asked once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.labels import FloatArray
from analysis.ser.errors import SerError
from analysis.ser.features import FeatureStore
from analysis.ser.model import SerModel

#: What the originals are called where the pairs have no condition whose stimuli they are.
ORIGINAL = "original"


@dataclass(frozen=True)
class Judgements:
    """What a model hears in originals and coded stimuli of clips that its asked fold was not trained on.

    ``rows``: clip_id, condition, path, speaker, problem; ``chances``: the distribution for each row, array (n_rows, K), NaN where
    there is a problem; ``shares``: the labels of each row's clip. ``reference`` is the condition of the originals.
    """

    emotions: tuple[str, ...]
    reference: str
    rows: pd.DataFrame
    chances: FloatArray
    shares: FloatArray
    notes: tuple[str, ...]


def judge_pairs(
    model: SerModel,
    pairs: pd.DataFrame,
    store: FeatureStore,
    workers: int | None = None,
    on_file: Callable[[], object] = lambda: None,
) -> Judgements:
    """Let each clip's own fold judge its original (``reference``) and its stimuli (``degraded``).

    ``pairs`` has reference, degraded, clip_id and condition. Raises SerError where no clip is one that the model was not trained on,
    where a clip has two originals, or a clip and condition two stimuli.
    """
    if store.upstream.fingerprint != model.settings["upstream_fingerprint"]:
        raise SerError(
            f"The model was trained on features '{model.settings['upstream_fingerprint']}', and the upstream here gives "
            f"'{store.upstream.fingerprint}': these are other weights."
        )
    known = pairs[pairs["clip_id"].isin(model.test_folds)]
    if known.empty:
        raise SerError(
            "None of the pairs is of a clip that the model can judge. Their clip_id, or the name of their reference, must be that of "
            f"a test clip of the model's corpus, such as '{next(iter(model.test_folds), '')}'; the first here is "
            f"'{next(iter(pairs['clip_id']), '')}'."
        )
    if (known["condition"] == "").any():
        raise SerError("The pairs have no condition, and scores are made for conditions: add that column.")
    rows, reference = _rows(known)
    notes = [f"{len(pairs) - len(known)} pairs are of clips that the model cannot judge and are left out."] * (
        len(pairs) > len(known)
    )
    places = defaultdict(list)
    for place, path in enumerate(rows["path"]):
        places[Path(path)].append(place)
    chances = np.full((len(rows), len(model.emotions)), np.nan)
    problems = [""] * len(rows)
    for heard in store.hear(list(places), workers):
        on_file()
        for place in places[heard.path]:
            problems[place] = heard.problem
            if heard.layers is not None:
                chances[place] = model.predict(model.test_folds[rows["clip_id"].iat[place]], [heard.layers])[0]
    failed = [problem for problem in problems if problem]
    notes += [f"{len(failed)} stimuli could not be judged. {problem}" for problem in failed[:1]]
    rows = rows.assign(speaker=model.clips.loc[rows["clip_id"], "speaker"].to_numpy(), problem=problems)
    shares = model.shares.loc[rows["clip_id"]].to_numpy(dtype=np.float64)
    return Judgements(model.emotions, reference, rows, chances, shares, tuple(notes))


def _rows(pairs: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """One row per clip and condition, the originals first, and what their condition is called."""
    originals = pairs[["clip_id", "reference"]].drop_duplicates()
    _once(originals, ["clip_id"], "has two originals")
    is_original = pairs["degraded"] == pairs["reference"]
    reference = str(pairs.loc[is_original, "condition"].iat[0]) if is_original.any() else ORIGINAL
    coded = pairs.loc[~is_original, ["clip_id", "condition", "degraded"]].drop_duplicates()
    if (coded["condition"] == reference).any():
        raise SerError(f"The condition '{reference}' stands for the originals, and pairs give other stimuli under its name.")
    _once(coded, ["clip_id", "condition"], "has two stimuli")
    rows = [
        originals.rename(columns={"reference": "path"}).assign(condition=reference),
        coded.rename(columns={"degraded": "path"}),
    ]
    return pd.concat(rows, ignore_index=True)[["clip_id", "condition", "path"]], reference


def _once(table: pd.DataFrame, keys: list[str], complaint: str) -> None:
    twice = table[table.duplicated(keys)]
    if len(twice):
        raise SerError(f"{' in '.join(str(twice[key].iat[0]) for key in keys)} {complaint} among the pairs; one is needed.")
