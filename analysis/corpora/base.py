"""What every corpus reader hands over: the frame of clips, what was left out, and how a folder is recognised."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.labels import FloatArray, count_votes, leading_label, merge_labels

#: Columns of ``Corpus.clips``, in order; `Corpus` says what each holds.
CLIP_COLUMNS = (
    *("clip_id", "path", "speaker", "sex", "language", "transcript", "emotion", "votes", "rater_labels"),
    *("annotation", "session", "splits", "duration_s", "licence_note"),
)
SEXES = {"f": "female", "female": "female", "w": "female", "m": "male", "male": "male", "": ""}
AUDIO_SUFFIXES = {".wav", ".flac"}
SPLITS = ("train", "development", "test")
#: How the labels of a clip came about.
PRIMARY, SECONDARY, INTENDED, GIVEN = "primary", "secondary", "intended", "given"


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

    ``emotions`` are the corpus's own options in fixed order, named as `analysis.emotions` names them. ``clips`` has one row per
    clip and the columns `CLIP_COLUMNS`:

    - ``clip_id`` unique; ``path`` absolute; ``speaker``; ``sex`` female, male or empty; ``language``; ``transcript``
    - ``emotion``: the label most raters chose (empty where several share the lead), or the intended one; always an option or empty
    - ``votes``: label -> count, or share where the corpus publishes shares only (unsmoothed); {} where nobody was asked. Votes
      for labels that are no option (an "other") are kept here and count nowhere
    - ``rater_labels``: rater -> the labels they chose, joined by ``|``; {} where the corpus does not tell raters apart
    - ``annotation``: ``primary`` (each rater names the one label that fits best), ``secondary`` (all labels that a rater hears),
      ``intended`` (what the speaker was asked to express, no raters) or ``given`` (a manifest does not say)
    - ``session``: the recording session or dialogue that no fold may tear apart, else empty
    - ``splits``: fold -> ``train``, ``development`` or ``test``, as published; {} where no folds are published (see `corpora.folds`)
    - ``duration_s``: seconds, NaN until `corpora.selection.measure_durations` reads it from the files

    ``left_out`` names every entry that is not among the clips; ``notes`` are sentences about the corpus as a whole, such as a
    count that is not the published one.
    """

    name_hint: str
    language: str
    emotions: tuple[str, ...]
    clips: pd.DataFrame
    left_out: list[LeftOut]
    notes: tuple[str, ...] = ()

    def vote_matrix(self) -> FloatArray:
        """Votes per clip and emotion: array (n_clips, n_emotions). A clip that nobody was asked about has one for its emotion."""
        votes = [
            cell or ({emotion: 1} if emotion else {})
            for cell, emotion in zip(self.clips["votes"], self.clips["emotion"], strict=True)
        ]
        return count_votes(votes, self.emotions)

    def merged(self, classes: Mapping[str, str]) -> Corpus:
        """The corpus with emotions put together, as ``{"excitement": "happiness"}`` does; the options keep their order."""
        votes = [merge_labels(cell, classes) for cell in self.clips["votes"]]
        emotions = tuple(dict.fromkeys(classes.get(name, name) for name in self.emotions))
        led = [
            leading_among(cell, emotions) if cell else classes.get(emotion, emotion)
            for cell, emotion in zip(votes, self.clips["emotion"], strict=True)
        ]
        raters = [
            {
                rater: "|".join(dict.fromkeys(classes.get(name, name) for name in names.split("|")))
                for rater, names in cell.items()
            }
            for cell in self.clips["rater_labels"]
        ]
        clips = self.clips.assign(votes=votes, emotion=led, rater_labels=raters)
        return replace(self, emotions=emotions, clips=clips)


@dataclass(frozen=True)
class Reader:
    """One entry of the registry.

    ``layout``: the sentence that says what the folder must hold. ``recognise``: whether a folder looks like this corpus, from few
    looks at the disk. ``read``: folder and annotation -> `Corpus`, raising CorpusError. ``annotations``: what can be asked for,
    the usual one first. ``published_clips``: how many clips the whole corpus has; None where that is not settled.
    """

    title: str
    layout: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path, str], Corpus]
    annotations: tuple[str, ...]
    published_clips: int | None = None


def clip_row(clip_id: str, path: Path, **known: Any) -> dict[str, Any]:
    """One row of the clips frame; what is not ``known`` is empty."""
    empty: dict[str, Any] = {**dict.fromkeys(CLIP_COLUMNS, ""), "votes": {}, "rater_labels": {}, "splits": {}}
    return empty | {"duration_s": float("nan"), "clip_id": clip_id, "path": str(path.resolve())} | known


def clip_frame(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of `clip_row` as the ``clips`` frame of a `Corpus`."""
    return pd.DataFrame(rows, columns=list(CLIP_COLUMNS))


def leading_among(votes: Mapping[str, float], emotions: Sequence[str]) -> str:
    """The label that leads all votes, if it is one of ``emotions``: an "other" that leads leaves the clip without a consensus."""
    leader = leading_label(votes)
    return leader if leader in emotions else ""


def rotating_splits(group: str, tests: Sequence[str], step: int) -> dict[str, str]:
    """Splits of a clip whose group is the test set of one fold: fold n tests ``tests[n-1]`` and develops on the one ``step`` further.

    >>> rotating_splits("02", ["04", "03", "02"], 1)
    {'1': 'train', '2': 'development', '3': 'test'}
    """
    place = tests.index(group)
    parts = {place: "test", (place - step) % len(tests): "development"}
    return {str(fold + 1): parts.get(fold, "train") for fold in range(len(tests))}


def audio_files(folder: Path, pattern: str = "*", suffixes: frozenset[str] | set[str] = AUDIO_SUFFIXES) -> list[Path]:
    """Files below ``folder`` that match a glob pattern and end like audio, sorted. Hidden ones are passed over."""
    return sorted(file for file in folder.glob(pattern) if file.suffix.lower() in suffixes and not file.name.startswith("."))
