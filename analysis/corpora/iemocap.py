"""Reader of IEMOCAP (Busso et al., Language Resources and Evaluation 2008): ten actors in five sessions of two.

``Session1/dialog/EmoEvaluation/<dialogue>.txt`` holds a block for every turn: a head line with times, turn, consensus and attributes,
then a line for every rater. Raters C-E are from outside and may name several labels; C-F and C-M are the actors on themselves and do
not count. ``Session1/sentences/wav/<dialogue>/<turn>.wav`` is the audio. In ``Ses01F_impro01_M000`` the last letter is the speaker's
sex; the F after the session says who wore the markers.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from analysis.corpora.base import (
    SECONDARY,
    Corpus,
    LeftOut,
    Reader,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    read_text,
    rotating_splits,
    without_label,
)
from analysis.emotions import emotion_name

#: In the order of EMO-SUPERB.
EMOTIONS = (
    *("frustration", "anger", "sadness", "disgust", "excitement"),
    *("fear", "neutral", "surprise", "happiness"),
)
NO_CONSENSUS = {"xxx", "oth"}
#: Session tested in each of EMO-SUPERB's folds; the development session is the one tested in the fold before.
TESTED = ("4", "3", "2", "1", "5")
LICENCE = "Licence agreement with SAIL, University of Southern California; cite Busso et al. (2008)."
_HEAD = re.compile(
    r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<turn>Ses0(?P<session>\d)[FM]_\w+_(?P<sex>[FM])\w*\d+)\t(?P<emotion>\w+)\t\[.*\]"
)
_RATER = re.compile(r"C-(?P<rater>E\d+):\t(?P<labels>[^()\n]*)")
_SPOKEN = re.compile(r"(?P<turn>Ses\w+) \[[\d.]+-[\d.]+\]: ?(?P<text>.*)")
_EVALUATION, _AUDIO, _WORDS = "dialog/EmoEvaluation", "sentences/wav", "dialog/transcriptions"


def read(path: Path, annotation: str = SECONDARY) -> Corpus:
    """IEMOCAP from the folder of ``Session1`` to ``Session5``; only outside raters vote. Raises CorpusError for another folder."""
    sessions = sorted(path.glob("Session[1-5]"))
    audio = {name: file for session in sessions for name, file in audio_by_name(session / _AUDIO, "*/*").items()}
    words = {name: text for session in sessions for name, text in _transcripts(session / _WORDS).items()}
    blocks = [
        (match, block)
        for session in sessions
        for file in sorted((session / _EVALUATION).glob("[!.]*.txt"))
        for block in re.split(r"\r?\n\s*\r?\n", read_text(file))
        if (match := _HEAD.search(block))
    ]

    def describe(turn: tuple[re.Match[str], str]) -> dict[str, Any]:
        head, block = turn
        raters = {found["rater"]: _labels(found["labels"]) for found in _RATER.finditer(block)}
        published = head["emotion"]
        return clip_row(
            head["turn"],
            find_audio(head["turn"], audio),
            speaker=f"Ses0{head['session']}{head['sex']}",
            sex="female" if head["sex"] == "F" else "male",
            language="en",
            transcript=words.get(head["turn"], ""),
            emotion="" if published in NO_CONSENSUS else emotion_name(published),
            votes=dict(Counter(name for names in raters.values() for name in names)),
            rater_labels={rater: "|".join(names) for rater, names in raters.items() if names},
            annotation=annotation,
            session=head["session"],
            splits=rotating_splits(head["session"], TESTED, -1),
            licence_note=LICENCE,
        )

    entries = ((head["turn"], (head, block)) for head, block in blocks)
    clips, left_out = collect_clips("IEMOCAP", path, "evaluated turns", entries, describe)
    left_out += without_label(audio, {head["turn"] for head, _ in blocks})
    left_out += [
        LeftOut(str(path / f"Session{n}"), "the session is missing")
        for n in range(1, 6)
        if path / f"Session{n}" not in sessions
    ]
    return Corpus("iemocap", "en", EMOTIONS, clips, left_out)


def _labels(cell: str) -> tuple[str, ...]:
    """Labels of one rater, each once.

    >>> _labels("Anger; Frustration;")
    ('anger', 'frustration')
    """
    return tuple(dict.fromkeys(emotion_name(name) for name in cell.split(";") if name.strip()))


def _transcripts(folder: Path) -> dict[str, str]:
    files = sorted(folder.glob("[!.]*.txt"))
    return {found["turn"]: found["text"].strip() for file in files for found in _SPOKEN.finditer(read_text(file))}


READER = Reader(
    title="IEMOCAP",
    layout="Expected is a folder with Session1 to Session5, each with dialog/EmoEvaluation and sentences/wav.",
    recognise=lambda path: any(path.glob(f"Session[1-5]/{_EVALUATION}")),
    read=read,
    annotations=(SECONDARY,),
    published_clips=10_039,
)
