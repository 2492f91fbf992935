"""Reader of EMNS, the Emotive Narrative Storytelling corpus (OpenSLR 136): one woman, eight emotions with their strength.

``metadata.csv`` is separated by ``|``; its column ``audio_recording`` names ``wavs/<file>.webm``, which lies in ``cleaned_webm/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from analysis.corpora.base import (
    INTENDED,
    SEXES,
    Corpus,
    Reader,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    read_table,
    without_label,
)
from analysis.emotions import emotion_name

EMOTIONS = ("anger", "disgust", "excitement", "happiness", "neutral", "sadness", "sarcasm", "surprise")
COLUMNS = ("id", "utterance", "emotion", "gender", "audio_recording")
LICENCE = "See OpenSLR 136 for the licence (not verified by us)."
_FOLDERS = ("cleaned_webm", "wavs", "raw_webm")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """EMNS from the folder with its ``metadata.csv``. Raises CorpusError without it, or where nothing in it has audio."""
    table = read_table(path / "metadata.csv", COLUMNS, "|")
    audio: dict[str, Path] = {}
    for name in _FOLDERS:
        audio = audio or audio_by_name(path / name, "*", {".webm", ".wav", ".flac"})

    def describe(row: dict[str, str]) -> dict[str, Any]:
        name = Path(row["audio_recording"]).stem
        emotion = emotion_name(row["emotion"])
        if emotion not in EMOTIONS:
            raise ValueError(f"EMNS has no emotion {row['emotion']}")
        return clip_row(
            name,
            find_audio(name, audio),
            speaker="1",
            sex=SEXES.get(row["gender"].lower(), ""),
            language="en",
            transcript=row["utterance"],
            emotion=emotion,
            annotation=annotation,
            licence_note=LICENCE,
        )

    records = table.to_dict("records")
    clips, left_out = collect_clips("EMNS", path, "rows", ((row["audio_recording"], row) for row in records), describe)
    left_out += without_label(audio, {Path(row["audio_recording"]).stem for row in records})
    return Corpus("emns", "en", EMOTIONS, clips, left_out)


def _recognise(path: Path) -> bool:
    file = path / "metadata.csv"
    if not file.is_file():
        return False
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        return set(COLUMNS) <= set(lines.readline().strip().split("|"))


READER = Reader(
    title="EMNS",
    layout="Expected is a folder with metadata.csv (columns separated by |) and cleaned_webm/.",
    recognise=_recognise,
    read=read,
    annotations=(INTENDED,),
    published_clips=1181,
)
