"""Readers of speech corpora: each turns a folder in its own layout into the same `Corpus`. They decode no audio.

Adding a corpus is one module with a ``READER`` and one line in `READERS`; the conformance tests pick it up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import cast

from analysis.corpora.base import CLIP_COLUMNS, Corpus, CorpusError, LeftOut, Reader

__all__ = ["CLIP_COLUMNS", "READERS", "Corpus", "CorpusError", "LeftOut", "Reader", "get_reader", "read_corpus"]

#: reader key -> dotted path of its `Reader`, loaded when asked for.
READERS: Mapping[str, str] = {
    "manifest": "analysis.corpora.manifest:READER",
    "emodb": "analysis.corpora.emodb:READER",
    "iemocap": "analysis.corpora.iemocap:READER",
    "crema-d": "analysis.corpora.crema_d:READER",
    "msp-improv": "analysis.corpora.msp_improv:READER",
    "msp-podcast": "analysis.corpora.msp_podcast:READER",
    "nnime": "analysis.corpora.nnime:READER",
    "biic-podcast": "analysis.corpora.biic_podcast:READER",
    "emo-superb": "analysis.corpora.emo_superb:READER",
    "esd": "analysis.corpora.esd:READER",
    "ravdess": "analysis.corpora.ravdess:READER",
    "emns": "analysis.corpora.emns:READER",
    "enterface": "analysis.corpora.enterface:READER",
    "jl-corpus": "analysis.corpora.jl_corpus:READER",
}
#: A wrong folder is often the right one's parent or child: so far up and down it is looked for.
_UP, _DOWN, _CHILDREN = 3, 2, 40


def get_reader(key: str) -> Reader:
    """The reader of a key of `READERS`. Raises CorpusError for another.

    >>> get_reader("emodb").title
    'EmoDB'
    """
    if key not in READERS:
        raise CorpusError(f"There is no corpus reader '{key}'; the readers are {', '.join(READERS)}.")
    module, name = READERS[key].split(":")
    return cast(Reader, getattr(import_module(module), name))


def read_corpus(reader: str, path: Path, annotation: str = "") -> Corpus:
    """The corpus at ``path`` as seen by ``reader`` (a key of `READERS`), with the labels of ``annotation`` (default: its usual one).

    Raises CorpusError with a sentence; where the folder looks like another corpus, or a folder above or below it like this
    one, the sentence says so.
    """
    found = get_reader(reader)
    if annotation and annotation not in found.annotations:
        raise CorpusError(f"{found.title} has no annotation '{annotation}'; it has {', '.join(found.annotations)}.")
    if not path.exists():
        raise CorpusError(f"There is nothing at {path}; reader '{reader}' expects a corpus there.")
    try:
        corpus = found.read(path, annotation or found.annotations[0])
    except CorpusError as error:
        raise CorpusError(" ".join([str(error), found.layout, *_suggestion(reader, path)])) from error
    return replace(corpus, notes=(*corpus.notes, *_count_note(found, corpus)))


def _count_note(reader: Reader, corpus: Corpus) -> Iterator[str]:
    if reader.published_clips is not None and len(corpus.clips) != reader.published_clips:
        yield f"{len(corpus.clips)} clips were read; the whole of {reader.title} has {reader.published_clips}."


def _suggestion(asked: str, path: Path) -> Iterator[str]:
    """The sentence on what the folder looks like, if anything: the reader asked for is tried on every folder first."""
    folders = list(_neighbours(path))
    for key in [asked, *(key for key in READERS if key != asked)]:
        reader = get_reader(key)
        for folder in folders:
            if (key, folder) != (asked, path) and reader.recognise(folder):
                where = "It" if folder == path else str(folder)
                yield f"{where} looks like {reader.title} (reader '{key}')."
                return


def _neighbours(path: Path) -> Iterator[Path]:
    """The folder itself, those above it and those below it, nearest first."""
    start = path.absolute()
    if path.is_dir():
        yield path
    yield from start.parents[:_UP]
    level = [start]
    for _ in range(_DOWN):
        level = [
            child for folder in level if folder.is_dir() for child in sorted(folder.iterdir())[:_CHILDREN] if child.is_dir()
        ]
        yield from level
