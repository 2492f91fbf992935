"""Reader of ESD, the Emotional Speech Database (Zhou et al., ICASSP 2021): ten Mandarin and ten English speakers, five emotions.

Files are ``<speaker>/<Emotion>/<speaker>_<number>.wav``, in some copies with ``train``, ``evaluation`` and ``test`` between; the
texts and labels stand in ``<speaker>/<speaker>.txt``, separated by tabs, with Chinese labels for speakers 0001 to 0010.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import (
    INTENDED,
    Corpus,
    CorpusError,
    Reader,
    audio_files,
    clip_row,
    collect_clips,
    read_text,
    speaker_sexes,
)
from analysis.emotions import emotion_name

EMOTIONS = ("anger", "happiness", "neutral", "sadness", "surprise")
SPLITS = {"train": "train", "evaluation": "development", "test": "test"}
LICENCE = "Research licence, on request from its authors; cite Zhou et al. (2021)."
LAST_MANDARIN = 10
_NAME = re.compile(r"(?P<speaker>\d{4})_\d{6}")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """ESD from the folder of its speakers; their sexes come from an optional ``speakers.csv`` there.

    A clip whose text file names another emotion than its folder is left out. Raises CorpusError for a folder without such files.
    """
    sexes, notes = speaker_sexes(path)
    texts: dict[str, tuple[str, str]] = {}
    for folder in sorted(path.glob("[0-9]" * 4)):
        texts |= _texts(folder / f"{folder.name}.txt")

    def describe(file: Path) -> dict[str, Any]:
        speaker, emotion, *between = file.relative_to(path).parts[:-1]
        match = _NAME.fullmatch(file.stem)
        if match is None or match["speaker"] != speaker:
            raise ValueError(f"the file name is not of ESD's form (such as {speaker}/{emotion}/{speaker}_000001)")
        name = emotion_name(emotion)
        if name not in EMOTIONS:
            raise ValueError(f"ESD has no emotion {emotion}")
        if between and between[0] not in SPLITS:
            raise ValueError(f"ESD has no split {between[0]}")
        transcript, label = texts.get(file.stem, ("", emotion))
        if emotion_name(label) != name:
            raise ValueError(f"it lies under {emotion}, but {speaker}.txt labels it {label}")
        return clip_row(
            file.stem,
            file,
            speaker=speaker,
            sex=sexes.get(speaker, ""),
            language="zh" if int(speaker) <= LAST_MANDARIN else "en",
            transcript=transcript,
            emotion=name,
            annotation=annotation,
            splits={"1": SPLITS[between[0]]} if between else {},
            licence_note=LICENCE,
        )

    files = [*audio_files(path, f"{'[0-9]' * 4}/*/*"), *audio_files(path, f"{'[0-9]' * 4}/*/*/*")]
    clips, left_out = collect_clips("ESD", path, "audio files", ((str(file), file) for file in files), describe)
    lacking = sorted({file.stem for file in files} - texts.keys())
    if lacking:
        notes = (*notes, f"{len(lacking)} clips have no line in their speaker's text file, {lacking[0]} the first.")
    languages = set(clips["language"])
    return Corpus("esd", languages.pop() if len(languages) == 1 else "", EMOTIONS, clips, left_out, notes)


def _texts(file: Path) -> dict[str, tuple[str, str]]:
    """Clip -> text and label."""
    if not file.is_file():
        return {}
    rows = [line.split("\t") for line in read_text(file).splitlines() if line.strip()]
    if bad := next((row for row in rows if len(row) < 3), None):
        raise CorpusError(f"{file} has a line that is not name, text and emotion between tabs: {' '.join(bad)[:60]!r}.")
    return {row[0].strip(): (row[1].strip(), row[2].strip()) for row in rows}


READER = Reader(
    title="ESD",
    layout="Expected is a folder with 0001 to 0020, each with a folder for every emotion: 0011/Angry/0011_000351.wav.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem) for file in audio_files(path, f"{'[0-9]' * 4}/[A-Z]*/**/*")),
    read=read,
    annotations=(INTENDED,),
    published_clips=35_000,
)
