"""Reader of the JL-Corpus (James, Tian and Watson, Interspeech 2018): four New Zealand speakers, ten emotions.

A name such as ``female1_angry_10a_1`` is speaker, emotion, sentence with recording letter, and take; a text file of the same name
holds the sentence. The speaker's name holds "male" in "female": the whole word decides.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import INTENDED, Corpus, Reader, audio_files, clip_row, collect_clips, read_text
from analysis.emotions import emotion_name

EMOTIONS = (
    *("anger", "sadness", "neutral", "happiness", "excitement"),
    *("anxiety", "apology", "assertiveness", "concern", "encouragement"),
)
LICENCE = "Kaggle states CC0 (not verified by us); cite James, Tian and Watson (2018)."
_NAME = re.compile(r"(?P<speaker>(?P<sex>female|male)\d)_(?P<emotion>[a-z]+)_\d+[ab]_\d")
_FOLDERS = ("Raw JL corpus (unchecked and unannotated)/JL(wav+txt)", "JL(wav+txt)", ".")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """The JL-Corpus from its download, or from the folder of its audio. Raises CorpusError for a folder without such files."""

    def describe(file: Path) -> dict[str, Any]:
        match = _NAME.fullmatch(file.stem)
        if match is None:
            raise ValueError("the file name is not of the JL-Corpus's form (such as female1_angry_10a_1)")
        emotion = emotion_name(match["emotion"])
        if emotion not in EMOTIONS:
            raise ValueError(f"the JL-Corpus has no emotion {match['emotion']}")
        text = file.with_suffix(".txt")
        return clip_row(
            file.stem,
            file,
            speaker=match["speaker"],
            sex=match["sex"],
            language="en",
            transcript=read_text(text).strip() if text.is_file() else "",
            emotion=emotion,
            annotation=annotation,
            licence_note=LICENCE,
        )

    clips, left_out = collect_clips(
        "the JL-Corpus", path, "audio files", ((str(file), file) for file in _files(path)), describe
    )
    return Corpus("jl-corpus", "en", EMOTIONS, clips, left_out)


def _files(path: Path) -> list[Path]:
    return next((files for name in _FOLDERS if (files := audio_files(path / name))), [])


READER = Reader(
    title="the JL-Corpus",
    layout="Expected is a folder with 'Raw JL corpus (unchecked and unannotated)/JL(wav+txt)' of files such as female1_angry_10a_1.wav.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem) for file in _files(path)),
    read=read,
    annotations=(INTENDED,),
    published_clips=2400,
)
