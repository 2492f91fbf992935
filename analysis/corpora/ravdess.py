"""Reader of RAVDESS speech (Livingstone and Russo, PLOS ONE 2018).

A name such as ``03-01-06-01-02-01-12`` is modality, vocal channel, emotion, intensity, statement, repetition and actor; actors
with odd numbers are men. Only audio-only speech (03-01) is read.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import INTENDED, Corpus, Reader, audio_files, clip_row, collect_clips

EMOTIONS = {
    "01": "neutral", "02": "calm", "03": "happiness", "04": "sadness",
    "05": "anger", "06": "fear", "07": "disgust", "08": "surprise",
}  # fmt: skip
STATEMENTS = {"01": "Kids are talking by the door.", "02": "Dogs are sitting by the door."}
LICENCE = "CC BY-NC-SA 4.0 as distributed on Zenodo; cite Livingstone and Russo (2018)."
_NAME = re.compile(r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<emotion>\d\d)-\d\d-(?P<statement>\d\d)-\d\d-(?P<actor>\d\d)")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """RAVDESS from the folder of its ``Actor_01`` … ``Actor_24``. Raises CorpusError for a folder without such files."""

    def describe(file: Path) -> dict[str, Any]:
        match = _NAME.fullmatch(file.stem)
        if match is None:
            raise ValueError("the file name is not of RAVDESS's form (such as 03-01-06-01-02-01-12)")
        if (match["modality"], match["channel"]) != ("03", "01"):
            raise ValueError("it is song or from a video; only audio-only speech (03-01) is read")
        if match["emotion"] not in EMOTIONS:
            raise ValueError(f"RAVDESS has no emotion {match['emotion']}")
        if file.parent.name != f"Actor_{match['actor']}":
            raise ValueError(f"it names actor {match['actor']} but lies in {file.parent.name}")
        return clip_row(
            file.stem,
            file,
            speaker=match["actor"],
            sex="male" if int(match["actor"]) % 2 else "female",
            language="en",
            transcript=STATEMENTS.get(match["statement"], ""),
            emotion=EMOTIONS[match["emotion"]],
            annotation=annotation,
            licence_note=LICENCE,
        )

    files = audio_files(path, "Actor_*/*")
    clips, left_out = collect_clips("RAVDESS", path, "audio files", ((str(file), file) for file in files), describe)
    return Corpus("ravdess", "en", tuple(EMOTIONS.values()), clips, left_out)


READER = Reader(
    title="RAVDESS",
    layout="Expected is a folder with Actor_01 to Actor_24 of files such as 03-01-06-01-02-01-12.wav.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem) for file in path.glob("Actor_*/*.wav")),
    read=read,
    annotations=(INTENDED,),
    published_clips=1440,
)
