"""A trained model on disk: a folder of plain files, in which nothing can run code.

| file | what |
|---|---|
| ``model.json`` | settings, what the model was made of and with, what it reached |
| ``clips.csv`` | every clip with its labels, its side in each fold, and the digest of its speech |
| ``fold-NAME.safetensors`` | the classifier of a fold |
| ``training.csv`` | losses of every epoch |
| ``originals.csv`` | what each clip's own fold, which has not seen it in training, makes of the recording |
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.files import write_whole
from analysis.labels import FloatArray
from analysis.ser.downstreams import Arrays, Predict, get_downstream
from analysis.ser.errors import SerError
from analysis.ser.upstreams import Layers

FORMAT = 1
DESCRIPTION, CLIPS, HISTORY, ORIGINALS = "model.json", "clips.csv", "training.csv", "originals.csv"
SHARE, SIDE = "share:", "fold:"


@dataclass(frozen=True)
class SerModel:
    """A model as its folder describes it; classifiers are read when they are first asked.

    ``clips``: clip_id (its index), path, speaker, sex, digest, ``share:EMOTION`` and ``fold:NAME`` (train, development, test or empty).
    """

    folder: Path
    description: dict[str, Any]
    clips: pd.DataFrame
    device: str = ""
    threads: int = 1
    _open: dict[str, Predict] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        settings: Mapping[str, Any] = self.description["settings"]
        return settings

    @property
    def emotions(self) -> tuple[str, ...]:
        return tuple(self.settings["emotions"])

    @cached_property
    def shares(self) -> pd.DataFrame:
        """Shares of the votes by clip_id, one column per emotion."""
        shares = self.clips[[SHARE + name for name in self.emotions]]
        return shares.set_axis(list(self.emotions), axis=1)

    @cached_property
    def test_folds(self) -> Mapping[str, str]:
        """clip_id -> the fold whose classifier has not seen the clip; clips that test no fold are not in it."""
        found: dict[str, str] = {}
        for column in (name for name in self.clips.columns if name.startswith(SIDE)):
            for clip in self.clips.index[self.clips[column] == "test"]:
                found.setdefault(str(clip), column.removeprefix(SIDE))
        return found

    def predict(self, fold: str, clips: Sequence[Layers]) -> FloatArray:
        """Distributions over the emotions, array (n_clips, K), by the classifier of ``fold``."""
        if fold not in self._open:
            arrays = read_arrays(fold_file(self.folder, fold))
            self._open[fold] = get_downstream(self.settings["downstream"]).open(arrays, self.device, self.threads)
        return self._open[fold](clips)


def open_model(folder: Path, device: str = "", threads: int = 1) -> SerModel:
    """The model in ``folder``, to be asked on a device, or on ``threads`` of the CPU.

    Raises SerError where there is none, or one whose training has not ended.
    """
    description = read_description(folder)
    if description is None:
        raise SerError(f"{folder} holds no model ({DESCRIPTION} is missing); python -m analysis ser train makes one.")
    if description["status"] != "trained":
        raise SerError(f"The training of {folder} has not ended; the same train command goes on with it.")
    clips = pd.read_csv(folder / CLIPS, dtype={"clip_id": str, "speaker": str}, keep_default_na=False, index_col="clip_id")
    return SerModel(folder, description, clips, device, threads)


def read_description(folder: Path) -> dict[str, Any] | None:
    """``model.json``, or None where there is none. Raises SerError where it cannot be understood."""
    path = folder / DESCRIPTION
    if not path.is_file():
        return None
    try:
        description: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = description["format"]
    except (ValueError, KeyError, TypeError) as error:
        raise SerError(f"{path} is damaged; train the model again in another folder.") from error
    if version != FORMAT:
        raise SerError(f"{path} has format {version}, and this program reads {FORMAT}: train the model again.")
    return description


def write_description(folder: Path, description: Mapping[str, Any]) -> None:
    write_whole(folder / DESCRIPTION, (json.dumps(description, indent=2, ensure_ascii=False) + "\n").encode())


def write_table(folder: Path, name: str, table: pd.DataFrame) -> None:
    write_whole(folder / name, table.to_csv(index=False, lineterminator="\n", float_format="%.8g").encode())


def fold_file(folder: Path, fold: str) -> Path:
    """Where the classifier of a fold lies; letters that file systems do not like are replaced."""
    return folder / f"fold-{re.sub(r'[^A-Za-z0-9._-]', '_', fold)}.safetensors"


def write_arrays(path: Path, arrays: Arrays, provenance: str) -> None:
    """A classifier and what it was made of, in one file that appears whole."""
    from safetensors.numpy import save

    plain = {name: np.ascontiguousarray(value) for name, value in arrays.items()}
    write_whole(path, save(plain, {"provenance": provenance}))


def read_arrays(path: Path) -> Arrays:
    """A classifier; raises SerError with the file's name where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays: Arrays = load(path.read_bytes())
    except (OSError, SafetensorError) as error:
        raise SerError(f"{path} is missing or damaged; train the model again.") from error
    return arrays
