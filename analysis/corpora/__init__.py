"""Readers of speech corpora: each turns a folder in its own layout into the same `Corpus`. They decode no audio.

Adding a corpus is one module with ``read(path) -> Corpus`` and one line in `READERS`; the conformance tests pick it up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pandas as pd

#: reader key -> dotted path of its ``read`` function, loaded when asked for.
READERS: Mapping[str, str] = {
    "manifest": "analysis.corpora.manifest:read",
    "emodb": "analysis.corpora.emodb:read",
}

#: Columns of ``Corpus.clips``, in order.
CLIP_COLUMNS = ("clip_id", "path", "speaker", "sex", "language", "transcript", "emotion", "votes", "licence_note")


class CorpusError(ValueError):
    """A folder or file that is not the corpus asked for; the message is a sentence that says what was expected."""


@dataclass(frozen=True)
class LeftOut:
    """One entry of a corpus that the reader could not use, and why, in a sentence."""

    path: str
    reason: str


@dataclass(frozen=True)
class Corpus:
    """What a reader found.

    ``emotions`` are the corpus's own options in fixed order. ``clips`` has one row per clip and the columns `CLIP_COLUMNS`: a
    unique ``clip_id``, absolute ``path``, ``sex`` female, male or empty, ``emotion`` (intended or consensus label, or empty),
    ``votes`` (label -> count, or {}). ``left_out`` names every entry that is not among the clips.
    """

    name_hint: str
    language: str
    emotions: tuple[str, ...]
    clips: pd.DataFrame
    left_out: list[LeftOut]


def read_corpus(reader: str, path: Path) -> Corpus:
    """The corpus at ``path`` as seen by ``reader`` (a key of `READERS`). Raises CorpusError with a sentence.

    >>> read_corpus("wavs", Path("."))
    Traceback (most recent call last):
        ...
    analysis.corpora.CorpusError: There is no corpus reader 'wavs'; the readers are manifest, emodb.
    """
    if reader not in READERS:
        raise CorpusError(f"There is no corpus reader '{reader}'; the readers are {', '.join(READERS)}.")
    if not path.exists():
        raise CorpusError(f"There is nothing at {path}; reader '{reader}' expects a corpus there.")
    module, function = READERS[reader].split(":")
    read = cast(Callable[[Path], Corpus], getattr(import_module(module), function))
    return read(path)


def clip_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows as the ``clips`` frame of a `Corpus`."""
    return pd.DataFrame(rows, columns=list(CLIP_COLUMNS))
