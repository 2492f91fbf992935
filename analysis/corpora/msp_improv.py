"""Reader of MSP-IMPROV (Busso et al., IEEE Transactions on Affective Computing 2017): twelve actors in six sessions of two.

``Evalution.txt`` (so spelt in the release; ``Evaluation.txt`` is read too) holds for every clip a head line
``UTD-IMPROV-S01A-F01-P-FM01.avi; N; A:2.5; V:3.1; D:2.9; N:4.0;`` with the consensus, and then a line for every rater:
name; primary label; all labels that fit; attributes. The audio is named MSP-IMPROV-… and lies in ``session1`` to ``session6``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.corpora.base import (
    PRIMARY,
    SECONDARY,
    Corpus,
    CorpusError,
    Reader,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    leading_among,
    read_text,
    rotating_splits,
    without_label,
)
from analysis.emotions import emotion_name

#: Options of each annotation, in the order of EMO-SUPERB.
EMOTIONS = {
    PRIMARY: ("anger", "sadness", "neutral", "happiness"),
    SECONDARY: (
        *("depression", "frustration", "anger", "sadness", "disgust"),
        *("excitement", "fear", "neutral", "surprise", "happiness"),
    ),
}
CONSENSUS = {"A": "anger", "S": "sadness", "N": "neutral", "H": "happiness", "O": "", "X": ""}
#: Session tested in each of EMO-SUPERB's folds; the development session is the one tested in the fold after.
TESTED = ("4", "3", "2", "1", "6", "5")
LICENCE = "Academic licence of the University of Texas at Dallas; cite Busso et al. (2017)."
_NAME = re.compile(r"S\d\d[AHNS]-(?P<speaker>(?P<sex>[FM])0(?P<session>\d))-[PRST]-[FM]{2}\d\d")
_HEAD = re.compile(r"(?:UTD|MSP)-IMPROV-(?P<name>[^.;]+)\.(?:avi|wav)\s*;\s*(?P<emotion>[A-Z])\s*;")


def read(path: Path, annotation: str = PRIMARY) -> Corpus:
    """MSP-IMPROV from its folder: ``primary`` votes of four labels, or ``secondary`` of ten. Raises CorpusError for another folder."""
    audio = {name.removeprefix("MSP-IMPROV-"): file for name, file in audio_by_name(path).items()}
    blocks = list(_blocks(path))
    emotions = EMOTIONS[annotation]

    def describe(block: tuple[re.Match[str], list[str]]) -> dict[str, Any]:
        head, lines = block
        match = _NAME.fullmatch(head["name"])
        if match is None:
            raise ValueError("the name is not of MSP-IMPROV's form (such as S01A-F01-P-FM01)")
        if head["emotion"] not in CONSENSUS:
            raise ValueError(f"MSP-IMPROV has no consensus {head['emotion']}")
        raters = dict(_rater(line, annotation) for line in lines)
        votes = dict(Counter(name for names in raters.values() for name in names))
        return clip_row(
            f"MSP-IMPROV-{head['name']}",
            find_audio(head["name"], audio),
            speaker=match["speaker"],
            sex="female" if match["sex"] == "F" else "male",
            language="en",
            emotion=CONSENSUS[head["emotion"]] if annotation == PRIMARY else leading_among(votes, emotions),
            votes=votes,
            rater_labels={rater: "|".join(names) for rater, names in raters.items() if names},
            annotation=annotation,
            session=match["session"],
            splits=rotating_splits(match["session"], TESTED, 1),
            licence_note=LICENCE,
        )

    entries = ((head["name"], (head, lines)) for head, lines in blocks)
    clips, left_out = collect_clips("MSP-IMPROV", path, "evaluated clips", entries, describe)
    left_out += without_label(audio, {head["name"] for head, _ in blocks})
    return Corpus("msp-improv", "en", emotions, clips, left_out)


def _table(path: Path) -> Path | None:
    return next((file for name in ("Evalution.txt", "Evaluation.txt") if (file := path / name).is_file()), None)


def _blocks(path: Path) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Head and raters' lines of every clip."""
    file = _table(path)
    if file is None:
        raise CorpusError(f"{path} holds no Evalution.txt.")
    head: re.Match[str] | None = None
    lines: list[str] = []
    for line in read_text(file).splitlines():
        if match := _HEAD.match(line.strip()):
            if head is not None:
                yield head, lines
            head, lines = match, []
        elif line.strip():
            lines.append(line.strip())
    if head is not None:
        yield head, lines


def _rater(line: str, annotation: str) -> tuple[str, tuple[str, ...]]:
    """Rater and the labels they gave in one line.

    >>> _rater("W7; Happy; Happy,Excited; A:2.0; V:4.0; D:3.0; N:5.0;", "secondary")
    ('W7', ('happiness', 'excitement'))
    """
    rater, primary, secondary, *_ = [part.strip() for part in line.split(";")] + ["", ""]
    names = [primary] if annotation == PRIMARY else secondary.split(",")
    return rater, tuple(dict.fromkeys(_label(name) for name in names if name.strip()))


def _label(name: str) -> str:
    return "other" if name.strip().lower().startswith("other") else emotion_name(name)


READER = Reader(
    title="MSP-IMPROV",
    layout="Expected is a folder with Evalution.txt and session1 to session6 of files such as MSP-IMPROV-S01A-F01-P-FM01.wav.",
    recognise=lambda path: _table(path) is not None,
    read=read,
    annotations=(PRIMARY, SECONDARY),
    published_clips=8438,
)
