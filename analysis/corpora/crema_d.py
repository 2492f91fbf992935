"""Reader of CREMA-D (Cao et al., IEEE Transactions on Affective Computing 2014): 91 actors, 12 sentences, six emotions.

A name such as ``1001_IEO_HAP_LO`` is actor, sentence, intended emotion and level. ``processedResults/tabulatedVotes.csv`` counts the
votes, in rows numbered 1xxxxx for the voice alone, 2xxxxx for the face and 3xxxxx for both; here the voice's count.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.corpora.base import (
    INTENDED,
    PRIMARY,
    SEXES,
    Corpus,
    LeftOut,
    Reader,
    audio_files,
    clip_row,
    collect_clips,
    leading_among,
    read_table,
    rotating_splits,
)

#: Code of the file name -> emotion, in the order of EMO-SUPERB. Votes are counted under the first letter.
EMOTIONS = {
    "ANG": "anger", "SAD": "sadness", "DIS": "disgust", "FEA": "fear", "NEU": "neutral", "HAP": "happiness",
}  # fmt: skip
LETTERS = {code[0]: name for code, name in EMOTIONS.items()}
SENTENCES = {
    "IEO": "It's eleven o'clock.",
    "TIE": "That is exactly what happened.",
    "IOM": "I'm on my way to the meeting.",
    "IWW": "I wonder what this is about.",
    "TAI": "The airplane is almost full.",
    "MTI": "Maybe tomorrow it will be cold.",
    "IWL": "I would like a new alarm clock.",
    "ITH": "I think I have a doctor's appointment.",
    "DFA": "Don't forget a jacket.",
    "ITS": "I think I've seen this before.",
    "TSI": "The surface is slick.",
    "WSI": "We'll stop in a couple of minutes.",
}
#: Last actor of each group; EMO-SUPERB tests group n in fold n. Which group it develops on is ours: the next.
LAST_ACTORS = (1018, 1036, 1054, 1072, 1091)
VOICE = "1"
#: Silent in the published set.
SILENT = {"1076_MTI_SAD_XX"}
LICENCE = "ODbL 1.0 (database) and DbCL 1.0 (contents): attribution, share alike; cite Cao et al. (2014)."
_NAME = re.compile(r"(?P<actor>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?:LO|MD|HI|XX|X)")
_VOTES, _RESPONSES = "processedResults/tabulatedVotes.csv", "finishedResponses.csv"


def read(path: Path, annotation: str = PRIMARY) -> Corpus:
    """CREMA-D from its folder with ``AudioWAV/`` and ``VideoDemographics.csv``.

    ``primary``: votes on the voice, and each rater's own where ``finishedResponses.csv`` is there; ``intended``: what the actor was
    asked for. Raises CorpusError for another folder, or where the votes are asked for and their table is missing.
    """
    actors = read_table(path / "VideoDemographics.csv", ("ActorID", "Sex")).set_index("ActorID")["Sex"].str.lower()
    votes = _voice_votes(path / _VOTES) if annotation == PRIMARY else {}
    raters = _voice_raters(path / _RESPONSES) if annotation == PRIMARY else {}

    def describe(file: Path) -> dict[str, Any]:
        match = _NAME.fullmatch(file.stem)
        if match is None:
            raise ValueError("the file name is not of CREMA-D's form (such as 1001_IEO_HAP_LO)")
        if match["emotion"] not in EMOTIONS:
            raise ValueError(f"CREMA-D has no emotion {match['emotion']}")
        if match["actor"] not in actors:
            raise ValueError(f"VideoDemographics.csv has no actor {match['actor']}")
        if file.stem in SILENT:
            raise ValueError("it is known to be silent")
        if annotation == PRIMARY and file.stem not in votes:
            raise ValueError(f"{_VOTES} has no votes on its voice")
        mine = votes.get(file.stem, {})
        return clip_row(
            file.stem,
            file,
            speaker=match["actor"],
            sex=SEXES.get(actors[match["actor"]], ""),
            language="en",
            transcript=SENTENCES.get(match["sentence"], ""),
            emotion=leading_among(mine, tuple(EMOTIONS.values())) if annotation == PRIMARY else EMOTIONS[match["emotion"]],
            votes=mine,
            rater_labels=raters.get(file.stem, {}),
            annotation=annotation,
            splits=_splits(int(match["actor"])),
            licence_note=LICENCE,
        )

    files = {file.stem: file for file in audio_files(path / "AudioWAV")}
    clips, left_out = collect_clips("CREMA-D", path, "audio files", ((str(file), file) for file in files.values()), describe)
    left_out += [LeftOut(name, "it has votes, but no audio file in AudioWAV") for name in sorted(votes.keys() - files.keys())]
    notes = () if raters or annotation != PRIMARY else (f"There is no {_RESPONSES}: votes are counted, raters not told apart.",)
    return Corpus("crema-d", "en", tuple(EMOTIONS.values()), clips, left_out, notes)


def _voice_votes(file: Path) -> dict[str, dict[str, float]]:
    table = read_table(file, (*LETTERS, "fileName"))
    voice = table[table[table.columns[0]].str.startswith(VOICE)]
    return {
        row["fileName"]: {name: count for letter, name in LETTERS.items() if (count := int(row[letter] or 0))}
        for row in voice.to_dict("records")
    }


def _voice_raters(file: Path) -> dict[str, dict[str, str]]:
    """Clip -> rater -> label; a rater's last answer to a clip counts."""
    if not file.is_file():
        return {}
    table = read_table(file, ("localid", "queryType", "clipName", "respEmo"))
    voice: pd.DataFrame = table[(table["queryType"] == VOICE) & table["respEmo"].isin(list(LETTERS))]
    raters: dict[str, dict[str, str]] = {}
    for row in voice.to_dict("records"):
        raters.setdefault(row["clipName"], {})[row["localid"]] = LETTERS[row["respEmo"]]
    return raters


def _splits(actor: int) -> dict[str, str]:
    groups = [str(fold) for fold in range(1, len(LAST_ACTORS) + 1)]
    group = next(fold for fold, last in zip(groups, LAST_ACTORS, strict=True) if actor <= last)
    return rotating_splits(group, groups, 1)


READER = Reader(
    title="CREMA-D",
    layout="Expected is a folder with AudioWAV/, VideoDemographics.csv and, for the votes, processedResults/tabulatedVotes.csv.",
    recognise=lambda path: (
        (path / "VideoDemographics.csv").is_file() or any(_NAME.fullmatch(file.stem) for file in audio_files(path / "AudioWAV"))
    ),
    read=read,
    annotations=(PRIMARY, INTENDED),
    published_clips=7441,
)
