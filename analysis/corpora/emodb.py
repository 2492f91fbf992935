"""Reader of EmoDB, the Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005).

A file name such as ``03a01Wa`` is speaker (2 digits), text (a letter and 2 digits), emotion (a letter, from the German word)
and take. Texts and speakers as on the database's page, http://emodb.bilderbar.info.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import INTENDED, Corpus, Reader, audio_files, clip_row, collect_clips

EMOTIONS = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness", "N": "neutral",
}  # fmt: skip
SPEAKERS = {
    "03": "male", "08": "female", "09": "female", "10": "male", "11": "male",
    "12": "male", "13": "female", "14": "female", "15": "male", "16": "female",
}  # fmt: skip
TEXTS = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}
LICENCE = "Cite Burkhardt et al. (2005). The audEERING copy states CC0-1.0, EmoDB 2.0 on Zenodo CC BY 4.0."
_FOLDERS = ("wav", "audio", ".")
_NAME = re.compile(r"(?P<speaker>\d\d)(?P<text>[ab]\d\d)(?P<emotion>[A-Z])(?P<take>[a-z])")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """EmoDB from its folder: files in ``wav/`` (as published), in ``audio/`` or in the folder itself, WAV or FLAC.

    All seven emotions are the options, also when the folder holds a part of the corpus. Raises CorpusError when the folder
    holds no audio or no file named in EmoDB's way.
    """

    def describe(file: Path) -> dict[str, Any]:
        match = _NAME.fullmatch(file.stem)
        if match is None:
            raise ValueError("the file name is not of EmoDB's form (such as 03a01Wa)")
        if match["speaker"] not in SPEAKERS:
            raise ValueError(f"EmoDB has no speaker {match['speaker']}")
        if match["emotion"] not in EMOTIONS:
            raise ValueError(f"EmoDB has no emotion letter {match['emotion']}")
        return clip_row(
            file.stem,
            file,
            speaker=match["speaker"],
            sex=SPEAKERS[match["speaker"]],
            language="de",
            transcript=TEXTS.get(match["text"], ""),
            emotion=EMOTIONS[match["emotion"]],
            annotation=annotation,
            licence_note=LICENCE,
        )

    clips, left_out = collect_clips("EmoDB", path, "audio files", ((str(file), file) for file in _files(path)), describe)
    return Corpus("emodb", "de", tuple(EMOTIONS.values()), clips, left_out)


def _files(path: Path) -> list[Path]:
    return next((files for name in _FOLDERS if (files := audio_files(path / name))), [])


READER = Reader(
    title="EmoDB",
    layout="Expected is a folder with wav/ or audio/ of WAV or FLAC files such as 03a01Wa.wav.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem) for file in _files(path)),
    read=read,
    annotations=(INTENDED,),
    published_clips=535,
)
