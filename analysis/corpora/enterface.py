"""Reader of eNTERFACE'05 (Martin et al., ICDE Workshops 2006): subjects from many countries say English sentences, on video.

Files are ``subject 1/anger/sentence 1/s1_an_1.avi``; the audio is the sound of the video. One subject's lie without the sentence's
folder, and another's are named ``s_3_an_1``: the folders decide who speaks and how, and the name must not disagree.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from analysis.corpora.base import INTENDED, Corpus, Reader, audio_files, clip_row, collect_clips, speaker_sexes
from analysis.emotions import emotion_name

EMOTIONS = {
    "an": "anger", "di": "disgust", "fe": "fear", "ha": "happiness", "sa": "sadness", "su": "surprise",
}  # fmt: skip
LICENCE = "Free for research; cite Martin et al. (2006)."
SUFFIXES = {".avi", ".wav", ".flac"}
_NAME = re.compile(r"s_?(?P<subject>\d+)_(?:3_)?(?P<emotion>an|di|fe|ha|sa|su)_?(?P<sentence>\d)(?:avi)?")
_SUBJECT = re.compile(r"subject (?P<number>\d+)")


def read(path: Path, annotation: str = INTENDED) -> Corpus:
    """eNTERFACE'05 from the folder of its subjects; their sexes come from an optional ``speakers.csv`` (speaker = number) there.

    Raises CorpusError for a folder without such files.
    """
    sexes, notes = speaker_sexes(path)

    def describe(file: Path) -> dict[str, Any]:
        subject, folder, *_ = file.relative_to(path).parts
        number, match = _SUBJECT.fullmatch(subject), _NAME.fullmatch(file.stem.lower())
        if number is None or match is None:
            raise ValueError("the file is not of eNTERFACE's form (such as subject 1/anger/sentence 1/s1_an_1.avi)")
        if match["subject"] != number["number"]:
            raise ValueError(f"it names subject {match['subject']} but lies in {subject}")
        emotion = EMOTIONS[match["emotion"]]
        if emotion_name(folder) != emotion:
            raise ValueError(f"it names {emotion} but lies under {folder}")
        return clip_row(
            f"s{number['number']}_{match['emotion']}_{match['sentence']}",
            file,
            speaker=number["number"],
            sex=sexes.get(number["number"], ""),
            language="en",
            emotion=emotion,
            annotation=annotation,
            licence_note=LICENCE,
        )

    files = audio_files(path, "subject */**/*", SUFFIXES)
    clips, left_out = collect_clips("eNTERFACE'05", path, "files", ((str(file), file) for file in files), describe)
    return Corpus("enterface", "en", tuple(EMOTIONS.values()), clips, left_out, notes)


READER = Reader(
    title="eNTERFACE'05",
    layout="Expected is a folder with 'subject 1', 'subject 2', … of files such as subject 1/anger/sentence 1/s1_an_1.avi.",
    recognise=lambda path: any(_NAME.fullmatch(file.stem.lower()) for file in audio_files(path, "subject */*/**/*", SUFFIXES)),
    read=read,
    annotations=(INTENDED,),
    published_clips=1263,
)
