"""Choosing clips by speaker, sex, emotion, ambiguity and duration: one rule for studies, training and the shell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import soundfile

from analysis.corpora.base import SEXES, Corpus, CorpusError, LeftOut
from analysis.emotions import NAMES, emotion_name
from analysis.labels import HIGH, LOW, ambiguity, split_labels

BoolArray = npt.NDArray[np.bool_]
KEYS = ("speaker", "sex", "emotion", "ambiguity", "duration")
_RANGE = re.compile(r"(?P<low>\d+(?:\.\d+)?)?\.\.(?P<high>\d+(?:\.\d+)?)?")


@dataclass(frozen=True)
class Selection:
    """What clips must be. Empty asks for nothing; values of one kind are alternatives, kinds add up.

    ``ambiguity`` is ``low`` or ``high`` (`labels.ambiguity`); clips whose votes are not known are neither. Durations are in
    seconds, both ends included.
    """

    speakers: tuple[str, ...] = ()
    sexes: tuple[str, ...] = ()
    emotions: tuple[str, ...] = ()
    ambiguity: str = ""
    shortest_s: float = 0.0
    longest_s: float = float("inf")

    @property
    def asks_duration(self) -> bool:
        return self.shortest_s > 0 or self.longest_s < float("inf")


def parse_selection(text: str) -> Selection:
    """A selection as it is written on command lines and in forms. Raises CorpusError with what is wrong.

    >>> parse_selection("sex=female; emotion=angry|sadness; duration=1..6").emotions
    ('anger', 'sadness')
    >>> parse_selection("ambiguity=high; duration=2..").shortest_s
    2.0
    >>> parse_selection("colour=red")
    Traceback (most recent call last):
        ...
    analysis.corpora.base.CorpusError: A selection has no 'colour'; it takes speaker, sex, emotion, ambiguity, duration, as in \
"sex=female; emotion=anger|sadness; duration=1..6".
    """
    told: dict[str, str] = {}
    for part in text.split(";"):
        key, sign, value = (piece.strip() for piece in part.partition("="))
        if not part.strip():
            continue
        if key not in KEYS or not sign or not value:
            raise CorpusError(
                f"A selection has no '{part.strip() if key in KEYS else key}'; it takes {', '.join(KEYS)}, as in "
                '"sex=female; emotion=anger|sadness; duration=1..6".'
            )
        if key in told:
            raise CorpusError(f"A selection names {key} twice; join its values by |.")
        told[key] = value
    shortest, longest = _durations(told.get("duration", ".."))
    if told.get("ambiguity", LOW) not in (LOW, HIGH):
        raise CorpusError(f"The ambiguity is {LOW} or {HIGH}, not '{told['ambiguity']}'.")
    sexes = split_labels(told.get("sex", ""))
    if strange := [sex for sex in sexes if not SEXES.get(sex.lower())]:
        raise CorpusError(f"The sex is female or male, not '{strange[0]}'.")
    return Selection(
        speakers=split_labels(told.get("speaker", "")),
        sexes=tuple(SEXES[sex.lower()] for sex in sexes),
        emotions=tuple(_emotion(name) for name in split_labels(told.get("emotion", ""))),
        ambiguity=told.get("ambiguity", ""),
        shortest_s=shortest,
        longest_s=longest,
    )


def select_clips(clips: pd.DataFrame, selection: Selection) -> BoolArray:
    """Which clips are selected: array (n_clips,) over a frame with ``speaker, sex, emotion, votes, duration_s``.

    Raises CorpusError for a speaker or an emotion that no clip has, and where durations are asked for and not known.
    """
    for what, wanted, column in (("speaker", selection.speakers, "speaker"), ("emotion", selection.emotions, "emotion")):
        there = sorted({str(value) for value in clips[column]} - {""})
        if lacking := [value for value in wanted if value not in there]:
            raise CorpusError(f"No clip has the {what} '{lacking[0]}'; there are {', '.join(there) or 'none'}.")
    chosen = np.ones(len(clips), dtype=bool)
    for column, wanted in (("speaker", selection.speakers), ("sex", selection.sexes), ("emotion", selection.emotions)):
        if wanted:
            chosen &= clips[column].isin(list(wanted)).to_numpy()
    if selection.ambiguity:
        chosen &= np.array([ambiguity(votes) == selection.ambiguity for votes in clips["votes"]], dtype=bool)
    if selection.asks_duration:
        seconds = clips["duration_s"].to_numpy(dtype=np.float64)
        if np.isnan(seconds).any():
            raise CorpusError(f"The duration of {int(np.isnan(seconds).sum())} clips is not known; measure_durations reads it.")
        chosen &= (seconds >= selection.shortest_s) & (seconds <= selection.longest_s)
    return chosen


def select_corpus(corpus: Corpus, text: str) -> Corpus:
    """The corpus with the clips that ``text`` selects (`parse_selection`), and a note on how many they are; empty selects all.

    Durations are measured where they are asked for, and a clip whose duration cannot be read is left out with the reason. Raises
    CorpusError for a selection that means nothing, or that leaves no clip.
    """
    if not text.strip():
        return corpus
    selection = parse_selection(text)
    clips, unreadable = measure_durations(corpus.clips) if selection.asks_duration else (corpus.clips, {})
    unknown = clips["clip_id"].isin(unreadable)
    left_out = [LeftOut(row.path, unreadable[row.clip_id]) for row in clips[unknown].itertuples()]
    clips = clips[~unknown]
    chosen = clips[select_clips(clips, selection)].reset_index(drop=True)
    if chosen.empty:
        raise CorpusError(f"None of the {len(corpus.clips)} clips is selected by '{text}'.")
    note = f"{len(chosen)} of {len(corpus.clips)} clips are selected by '{text}'."
    return replace(corpus, clips=chosen, left_out=[*corpus.left_out, *left_out], notes=(*corpus.notes, note))


def measure_durations(clips: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """The clips with ``duration_s`` read from the headers of their files, and clip id -> reason where that fails (it stays NaN).

    WAV and FLAC are read; the sound of videos and WebM is not, and their durations stay unknown.
    """
    seconds: list[float] = []
    trouble: dict[str, str] = {}
    for clip_id, path in zip(clips["clip_id"], clips["path"], strict=True):
        try:
            seconds.append(soundfile.info(path).duration)
        except soundfile.SoundFileError as error:
            seconds.append(float("nan"))
            trouble[clip_id] = f"{Path(path).name} is not readable as WAV or FLAC: {_last_words(error)}"
    return clips.assign(duration_s=seconds), trouble


def counts_by(clips: pd.DataFrame, columns: Sequence[str]) -> Mapping[str, Mapping[str, int]]:
    """How many clips have each value of each column, most first; empty values as ``not known``."""
    return {
        name: {str(value): int(n) for value, n in clips[name].replace("", "not known").value_counts().items()}
        for name in columns
    }


def _durations(text: str) -> tuple[float, float]:
    match = _RANGE.fullmatch(text)
    low = float(match["low"] or 0) if match else 0.0
    high = float(match["high"] or "inf") if match else -1.0
    if low > high:
        raise CorpusError(f"A duration is a range in seconds such as 1..6, 2.. or ..10, not '{text}'.")
    return low, high


def _emotion(name: str) -> str:
    """Our name of an emotion; a corpus's own name that we have none for stands as it is."""
    return emotion_name(name) if name.lower() in {s for n, spellings in NAMES.items() for s in (n, *spellings)} else name


def _last_words(error: Exception) -> str:
    return str(error).rsplit(":", 1)[-1].strip().rstrip(".")
