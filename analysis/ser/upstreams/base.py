"""What an upstream is: something frozen that turns speech into layers of frames, which a downstream learns to weigh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from analysis.ser.speech import Speech

#: Features of one clip, shape [n_layers, n_frames, n_dims], in the upstream's own type (float32, or float16 of large models).
Layers = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Weights:
    """Where trained weights are taken from: a ``folder`` with a checkpoint, or else the cache of the Hugging Face hub.

    Nothing is fetched unless ``download`` says so. ``device`` is where models run: cpu, cuda …; empty: a GPU where there is one;
    ``threads`` bounds those of a CPU.
    """

    folder: Path | None = None
    download: bool = False
    device: str = ""
    threads: int = 1


FROM_HUB = Weights()


class Upstream(Protocol):
    """An upstream opened, weights loaded. ``fingerprint`` names all that decides the numbers: features under one may be kept."""

    fingerprint: str
    #: Clips that `extract` likes to get at a time.
    batch: int

    def extract(self, clips: Sequence[Speech]) -> list[Layers]:
        """Features of each clip; what a clip gets does not depend on the others."""
        ...


@dataclass(frozen=True)
class UpstreamSpec:
    """One entry of the registry.

    ``standardise``: whether each dimension is brought to zero mean and unit variance over the training set before the downstream
    sees it. ``light``: whether it runs in any process without PyTorch. ``problem`` says in a sentence why it cannot be opened
    here, or nothing; ``packages`` are those whose versions decide the numbers.
    """

    key: str
    title: str
    open: Callable[[Weights], Upstream]
    problem: Callable[[Weights], str] = lambda weights: ""
    standardise: bool = False
    light: bool = False
    packages: tuple[str, ...] = ()
    usual_downstream: str = "cnn-self-attention"
