"""Corpora whose tables nobody here has seen: a small TOML file says which column holds what.

``columns.toml`` lies in the corpus's folder, or elsewhere with ``folder`` naming it::

    corpus = "NNIME"                  # or "BIIC-PODCAST"
    folder = "/data/NNIME"            # default: where this file lies
    table = "labels.csv"              # a CSV, with a row for each clip, or for each rater's answer where `rater` is named
    audio = "Audios"                  # the folder below which the audio lies; default: the corpus's folder
    annotation = "secondary"          # or "primary"
    [columns]                         # ours = the table's; `clip` is needed, the others are optional
    clip = "FileName"
    emotion = "EmoClass"              # one label, or several joined by | ; or else:
    speaker = "SpkrID"                # and sex, split, session, transcript, rater
    [votes]                           # a column of counts or shares for each emotion, instead of `emotion`
    angry = "anger"
    [labels]                          # values of the emotion column that are no English name
    0 = "anger"
    [sexes]                           # values of the sex column other than F, M, female, male
    [splits]                          # values of the split column other than train, development, test
    Validation = "development"
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.corpora.base import (
    SEXES,
    SPLITS,
    Corpus,
    CorpusError,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    leading_among,
    read_table,
    without_label,
)
from analysis.emotions import NAMES, emotion_name
from analysis.labels import split_labels

FILE = "columns.toml"
OURS = ("clip", "emotion", "speaker", "sex", "split", "session", "transcript", "rater")
_SECTIONS = ("columns", "votes", "labels", "sexes", "splits")
_KEYS = ("corpus", "folder", "table", "audio", "annotation", *_SECTIONS)


@dataclass(frozen=True)
class Mapped:
    """A read and checked ``columns.toml``."""

    folder: Path
    table: Path
    audio: Path
    annotation: str
    columns: Mapping[str, str]
    votes: Mapping[str, str]
    labels: Mapping[str, str]
    sexes: Mapping[str, str]
    splits: Mapping[str, str]


def is_mapped(path: Path, title: str) -> bool:
    """Whether a folder holds a mapping for the corpus named ``title``."""
    try:
        return tomllib.loads((path / FILE).read_text("utf-8-sig")).get("corpus") == title
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError):
        return False


def read_mapping(path: Path, title: str, annotations: Sequence[str]) -> Mapped:
    """The mapping of the corpus ``title`` at ``path``, the file or the folder that holds it. Raises CorpusError with
    what is wrong and what is understood.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise CorpusError(f"There is no {file}; this corpus's layout is not fixed, and that file says which column holds what.")
    try:
        told = tomllib.loads(file.read_text("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file} is not TOML: {error}") from error
    if unknown := [key for key in told if key not in _KEYS]:
        raise CorpusError(f"{file} has {', '.join(unknown)}; understood are {', '.join(_KEYS)}.")
    if told.get("corpus") != title:
        raise CorpusError(f"{file} must say corpus = {title!r} to be read as it; it says {told.get('corpus', 'nothing')!r}.")
    sections = {name: _strings(told.get(name, {}), name, file) for name in _SECTIONS}
    if unknown := [name for name in sections["columns"] if name not in OURS]:
        raise CorpusError(f"{file} maps columns to {', '.join(unknown)}; understood are {', '.join(OURS)}.")
    if "table" not in told or "clip" not in sections["columns"]:
        raise CorpusError(f"{file} must name its table, and the column of the clips as clip under [columns].")
    if ("emotion" in sections["columns"]) == bool(sections["votes"]):
        raise CorpusError(f"{file} must name either the column emotion, or the columns of the votes under [votes].")
    if sections["votes"] and "rater" in sections["columns"]:
        raise CorpusError(f"{file} names a rater and counts of votes; one row is either an answer or a count.")
    for value in (*sections["votes"].values(), *sections["labels"].values()):
        try:
            emotion_name(value)
        except ValueError as error:
            raise CorpusError(f"{file}: {error}; understood are {', '.join(NAMES)}.") from None
    annotation = told.get("annotation", annotations[0])
    if annotation not in annotations:
        raise CorpusError(f"{file} has the annotation {annotation!r}; understood are {', '.join(annotations)}.")
    folder = (file.parent / told.get("folder", ".")).resolve()
    return Mapped(folder, folder / told["table"], folder / told.get("audio", "."), annotation, **sections)


def read_mapped(title: str, mapped: Mapped, emotions: Sequence[str], language: str, licence: str) -> Corpus:
    """The corpus that a mapping describes; ``emotions`` are its options. Raises CorpusError where the table does not fit."""
    used = [*mapped.columns.values(), *mapped.votes]
    table = read_table(mapped.table, used)
    audio = audio_by_name(mapped.audio)
    table = table.assign(**{"": [Path(name).stem for name in table[mapped.columns["clip"]]]})

    def describe(group: pd.DataFrame) -> dict[str, Any]:
        records = group.to_dict("records")
        row = {ours: records[0][theirs] for ours, theirs in mapped.columns.items()}
        if len(records) > 1 and "rater" not in mapped.columns:
            raise ValueError(f"the table has {len(records)} rows for it, and names no rater")
        raters = _raters(mapped, records)
        votes = _votes(mapped, records[0]) if mapped.votes else dict(Counter(n for names in raters.values() for n in names))
        split = row.get("split", "")
        alone = "rater" not in mapped.columns and not mapped.votes
        return clip_row(
            records[0][""],
            find_audio(records[0][""], audio),
            speaker=row.get("speaker", ""),
            sex=_explained("sexes", row.get("sex", ""), mapped.sexes, SEXES),
            language=language,
            transcript=row.get("transcript", ""),
            emotion=leading_among(votes, emotions),
            votes={} if alone and len(votes) == 1 else votes,
            rater_labels={} if alone else {rater: "|".join(names) for rater, names in raters.items() if names},
            annotation=mapped.annotation,
            session=row.get("session", ""),
            splits={"1": _explained("splits", split, mapped.splits, dict(zip(SPLITS, SPLITS, strict=True)))} if split else {},
            licence_note=licence,
        )

    groups = [(str(name), group) for name, group in table.groupby("", sort=False)]
    clips, left_out = collect_clips(title, mapped.folder, "clips of its table", groups, describe)
    left_out += without_label(audio, set(table[""]))
    notes = (f"Columns were taken as {FILE} says; the layout of {title} was never verified against the real files.",)
    return Corpus(title.lower(), language, tuple(emotions), clips, left_out, notes)


def _strings(section: Any, name: str, file: Path) -> dict[str, str]:
    if not isinstance(section, dict) or not all(isinstance(value, str) for value in section.values()):
        raise CorpusError(f"{file}: [{name}] must be names and texts in quotes.")
    return section


def _explained(section: str, cell: str, told: Mapping[str, str], known: Mapping[str, str]) -> str:
    value = told.get(cell, cell).lower()
    if value not in known:
        raise ValueError(f"'{cell}' is not explained under [{section}]")
    return known[value]


def _raters(mapped: Mapped, records: Sequence[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    """Rater -> labels; rows of one rater add up."""
    answers: dict[str, tuple[str, ...]] = {}
    for row in records if "emotion" in mapped.columns else ():
        rater = row[mapped.columns["rater"]] if "rater" in mapped.columns else ""
        names = [emotion_name(mapped.labels.get(name, name)) for name in split_labels(row[mapped.columns["emotion"]])]
        answers[rater] = tuple(dict.fromkeys((*answers.get(rater, ()), *names)))
    return answers


def _votes(mapped: Mapped, row: Mapping[str, str]) -> dict[str, float]:
    counts: dict[str, float] = {}
    for column, emotion in mapped.votes.items():
        try:
            count = float(row[column] or 0)
        except ValueError:
            raise ValueError(f"column {column} holds '{row[column]}', which is no number") from None
        if count < 0:
            raise ValueError(f"column {column} holds a negative count")
        if count:
            counts[emotion_name(emotion)] = counts.get(emotion_name(emotion), 0) + count
    return counts
