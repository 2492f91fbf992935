"""What every corpus reader hands over: the frame of clips, what was left out, and how a folder is recognised."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from analysis.labels import FloatArray, count_votes, leading_label, merge_labels

Entry = TypeVar("Entry")

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
    - ``emotion``: the corpus's own consensus where it publishes one, else the label with most votes (empty where several share the
      lead), else the intended one; always one of ``emotions`` or empty
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
    the usual one first. ``published_clips``: how many clips the whole corpus gives here; None where releases differ.
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


def audio_files(folder: Path, pattern: str = "*", suffixes: Collection[str] = AUDIO_SUFFIXES) -> list[Path]:
    """Files below ``folder`` that match a glob pattern and end like audio, sorted. Hidden ones are passed over."""
    return sorted(file for file in folder.glob(pattern) if file.suffix.lower() in suffixes and not file.name.startswith("."))


def audio_by_name(folder: Path, pattern: str = "**/*", suffixes: Collection[str] = AUDIO_SUFFIXES) -> dict[str, Path]:
    """The audio files below ``folder`` under their names without suffix; of two with one name the first in order."""
    return {file.stem: file for file in reversed(audio_files(folder, pattern, suffixes))}


def find_audio(name: str, audio: Mapping[str, Path]) -> Path:
    """The file of a labelled clip. Raises ValueError, for `collect_clips`, where it is missing."""
    if name not in audio:
        raise ValueError(f"it is labelled, but there is no audio file {name}")
    return audio[name]


def collect_clips(
    title: str, folder: Path, what: str, entries: Iterable[tuple[str, Entry]], describe: Callable[[Entry], dict[str, Any]]
) -> tuple[pd.DataFrame, list[LeftOut]]:
    """The clips frame of named entries (files, labelled turns, rows of a table), and those left out.

    ``describe`` makes the row of an entry, or raises ValueError with the reason that it cannot be used. A second entry with
    the clip id of an earlier one is left out. Raises CorpusError when there are no entries, or none can be used.
    """
    rows: dict[str, dict[str, Any]] = {}
    left_out: list[LeftOut] = []
    total = 0
    for name, entry in entries:
        total += 1
        try:
            row = describe(entry)
            if row["clip_id"] in rows:
                raise ValueError(f"a second entry for the clip {row['clip_id']}")
        except ValueError as error:
            left_out.append(LeftOut(name, str(error)))
            continue
        rows[row["clip_id"]] = row
    if not total:
        raise CorpusError(f"{folder} holds no {what} of {title}.")
    if not rows:
        first = left_out[0]
        raise CorpusError(
            f"{folder} does not look like {title}: none of its {total} {what} can be used; the first is "
            f"{Path(first.path).name}: {first.reason}."
        )
    return clip_frame(list(rows.values())), left_out


def without_label(audio: Mapping[str, Path], known: Collection[str]) -> list[LeftOut]:
    """Audio files for which a corpus gives no labels."""
    return [LeftOut(str(file), "the corpus gives no label for it") for name, file in sorted(audio.items()) if name not in known]


def read_table(file: Path, columns: Collection[str] = (), separator: str = ",") -> pd.DataFrame:
    """A CSV as text, without a first column of row names. Raises CorpusError for none, another form or a missing column."""
    if not file.is_file():
        raise CorpusError(f"There is no table {file}.")
    try:
        table = pd.read_csv(file, sep=separator, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise CorpusError(f"{file} is not a table in UTF-8: {error}") from error
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        raise CorpusError(f"{file} has no column {', '.join(lacking)}; its columns are {', '.join(map(str, table.columns))}.")
    return table.apply(lambda column: column.str.strip())


def speaker_sexes(folder: Path) -> tuple[dict[str, str], tuple[str, ...]]:
    """Sexes from the ``speakers.csv`` (columns speaker, sex) that a user lays beside a corpus which does not tell them.

    Gives the mapping, and a note where there is no such table. Raises CorpusError for a sex that is none.
    """
    file = folder / "speakers.csv"
    if not file.is_file():
        return {}, (
            f"The corpus does not tell its speakers' sexes; a table {file} with the columns speaker and sex adds them.",
        )
    table = read_table(file, ("speaker", "sex"))
    if strange := sorted({sex for sex in table["sex"] if sex.lower() not in SEXES}):
        raise CorpusError(f"{file} has the sexes {', '.join(strange)}; female, male, F, M or nothing are understood.")
    return {row["speaker"]: SEXES[row["sex"].lower()] for row in table.to_dict("records")}, ()


def read_text(file: Path) -> str:
    """A short text file in whatever encoding it came: UTF-8, UTF-16 with its mark, else GB 18030."""
    data = file.read_bytes()
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise CorpusError(f"{file} is text in no encoding known here; save it as UTF-8.")
