"""Reader of the labels that EMO-SUPERB publishes (Wu et al. 2024) for its six corpora, with its partitions.

``data/<CORPUS>/<Primary|Secondary>/`` holds ``config.json`` and ``labels_consensus_<k>.csv``, one for every fold, with all clips in each:
FileName, a column for every emotion, SpkrID, Gender and Split_Set. ``data/<CORPUS>/Audios/`` is where the user lays the audio.
The shares in the tables are smoothed; they are unsmoothed here, so that smoothing happens once, in `analysis.labels`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.corpora.base import (
    PRIMARY,
    SECONDARY,
    SEXES,
    Corpus,
    CorpusError,
    Reader,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    leading_among,
    read_table,
    without_label,
)
from analysis.emotions import emotion_names
from analysis.labels import unsmooth_shares

COLUMNS = ("FileName", "SpkrID", "Gender", "Split_Set")
LICENCE = "Labels MIT (EMO-SUPERB); the audio under its own corpus's licence. Cite Wu et al. (2024)."
LANGUAGES = {"NNIME": "zh", "BIIC_PODCAST": "zh"}
#: The tables are rounded to six decimals; how far a sum may be from 1.
ROUNDING = 1e-4
_TABLE = re.compile(r"labels_consensus_(?P<fold>\d+)\.csv")
_FOLDERS = {PRIMARY: "Primary", SECONDARY: "Secondary"}


def read(path: Path, annotation: str = PRIMARY) -> Corpus:
    """One corpus of EMO-SUPERB from ``data/<CORPUS>``, or from its ``Primary`` or ``Secondary`` folder.

    ``votes`` are shares. In IEMOCAP, SpkrID is the session; there the speaker is session and sex. A clip that the folds'
    tables label differently is left out. Raises CorpusError for another folder, or tables that are not distributions.
    """
    folder, annotation = _folder(path, annotation)
    spellings = _emotions(folder / "config.json")
    emotions = emotion_names(spellings)
    tables = {
        match["fold"]: read_table(file, (*COLUMNS, *spellings))
        for file in sorted(folder.glob("labels_consensus_*.csv"))
        if (match := _TABLE.fullmatch(file.name))
    }
    if not tables:
        raise CorpusError(f"{folder} holds no labels_consensus_1.csv.")
    shares = {fold: _shares(table, spellings, folder) for fold, table in tables.items()}
    splits: dict[str, dict[str, str]] = {}
    labels: dict[str, list[tuple[float, ...]]] = {}
    records: dict[str, dict[str, str]] = {}
    for fold, table in sorted(tables.items(), key=lambda item: int(item[0])):
        for row, share in zip(table.to_dict("records"), shares[fold], strict=True):
            name = Path(row["FileName"]).stem
            splits.setdefault(name, {})[fold] = row["Split_Set"].lower()
            labels.setdefault(name, []).append(tuple(share))
            records.setdefault(name, row)
    corpus = folder.parent.name
    audio = audio_by_name(folder.parent / "Audios")

    def describe(name: str) -> dict[str, Any]:
        row = records[name]
        if strange := set(splits[name].values()) - {"train", "development", "test"}:
            raise ValueError(f"EMO-SUPERB has no split {', '.join(sorted(strange))}")
        if not np.allclose(labels[name], labels[name][0], atol=ROUNDING):
            raise ValueError("the folds' tables give it different labels")
        votes = {emotion: share for emotion, share in zip(emotions, labels[name][0], strict=True) if share > ROUNDING}
        sex = SEXES.get(row["Gender"].lower(), "")
        session = row["SpkrID"] if corpus == "IEMOCAP" else ""
        return clip_row(
            name,
            find_audio(name, audio),
            speaker=f"{row['SpkrID']}-{sex}" if session else row["SpkrID"],
            sex=sex,
            language=LANGUAGES.get(corpus, "en"),
            emotion=leading_among({label: round(share, 4) for label, share in votes.items()}, emotions),
            votes=votes,
            annotation=annotation,
            session=session,
            splits=splits[name],
            licence_note=LICENCE,
        )

    clips, left_out = collect_clips("EMO-SUPERB", folder, "labelled clips", ((name, name) for name in records), describe)
    left_out += without_label(audio, records)
    language = LANGUAGES.get(corpus, "en")
    notes = (f"{len(records)} clips are labelled in {len(tables)} folds ({', '.join(sorted(tables, key=int))}).",)
    return Corpus(f"emo-superb-{corpus.lower()}", language, emotions, clips, left_out, notes)


def _folder(path: Path, annotation: str) -> tuple[Path, str]:
    """The folder of the tables, and which annotation it is: a folder named itself decides."""
    for key, name in _FOLDERS.items():
        if path.name == name:
            return path, key
    folder = path / _FOLDERS[annotation]
    if not folder.is_dir():
        others = [name for name in _FOLDERS.values() if (path / name).is_dir()]
        there = f"; it has {others[0]}: ask for that annotation" if others else ""
        raise CorpusError(f"{path} has no folder {_FOLDERS[annotation]}{there}.")
    return folder, annotation


def _emotions(file: Path) -> list[str]:
    if not file.is_file():
        raise CorpusError(f"There is no {file}, which names the emotions.")
    try:
        return list(json.loads(file.read_text("utf-8"))["categorical"]["emo_type"])
    except (ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{file} does not list its emotions under categorical, emo_type: {error}") from error


def _shares(table: pd.DataFrame, spellings: list[str], folder: Path) -> Any:
    """Unsmoothed shares: array (n_clips, n_emotions)."""
    try:
        smooth = table[spellings].astype("float64").to_numpy()
    except ValueError as error:
        raise CorpusError(f"A table in {folder} has a share that is no number: {error}") from error
    if bad := int((np.abs(smooth.sum(axis=1) - 1) > ROUNDING).sum()):
        raise CorpusError(f"{bad} rows of a table in {folder} do not add up to 1; they are no distributions.")
    return unsmooth_shares(smooth)


READER = Reader(
    title="EMO-SUPERB's labels",
    layout=(
        "Expected is EMO-SUPERB's data/<CORPUS> with Primary/ or Secondary/ (config.json, labels_consensus_1.csv, …) and the corpus's "
        "audio in Audios/."
    ),
    recognise=lambda path: any((path / name / "config.json").is_file() for name in ("Primary", "Secondary")),
    read=read,
    annotations=(PRIMARY, SECONDARY),
)
