"""Reader of EmoDB, the Berlin Database of Emotional Speech (Burkhardt et al., Interspeech 2005).

A file name such as ``03a01Wa`` is speaker (2 digits), text (a letter and 2 digits), emotion (a letter, from the German word)
and take. Texts and speakers as on the database's page, http://emodb.bilderbar.info.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import INTENDED, Corpus, CorpusError, LeftOut, Reader, audio_files, clip_frame, clip_row

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
    files = _audio_files(path)
    rows: list[dict[str, Any]] = []
    left_out: list[LeftOut] = []
    seen: set[str] = set()
    matched = 0
    for file in files:
        match = _NAME.fullmatch(file.stem)
        matched += match is not None
        reason = _problem(match) or (f"a second file of utterance {file.stem}" if file.stem in seen else "")
        if match is None or reason:
            left_out.append(LeftOut(str(file), reason))
            continue
        seen.add(file.stem)
        rows.append(
            clip_row(
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
        )
    if not matched:
        raise CorpusError(
            f"{path} does not look like EmoDB: none of its {len(files)} audio files is named in the way of 03a01Wa.wav "
            f"(the first is {files[0].name})."
        )
    return Corpus("emodb", "de", tuple(EMOTIONS.values()), clip_frame(rows), left_out)


def _audio_files(path: Path) -> list[Path]:
    if not path.is_dir():
        raise CorpusError(f"EmoDB is a folder, but {path} is not one.")
    for name in _FOLDERS:
        if files := audio_files(path / name):
            return files
    raise CorpusError(f"{path} holds no audio: EmoDB's WAV or FLAC files are expected in it, or in its folder wav or audio.")


def _problem(match: re.Match[str] | None) -> str:
    if match is None:
        return "the file name is not of EmoDB's form (such as 03a01Wa)"
    if match["speaker"] not in SPEAKERS:
        return f"EmoDB has no speaker {match['speaker']}"
    if match["emotion"] not in EMOTIONS:
        return f"EmoDB has no emotion letter {match['emotion']}"
    return ""


READER = Reader(
    title="EmoDB",
    layout="EmoDB is a folder with wav/ or audio/ of files such as 03a01Wa.wav.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem) for name in _FOLDERS for file in audio_files(path / name)),
    read=read,
    annotations=(INTENDED,),
    published_clips=535,
)
