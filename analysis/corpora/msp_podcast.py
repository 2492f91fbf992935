"""Reader of MSP-PODCAST (Lotfian and Busso, IEEE Transactions on Affective Computing 2019): segments of podcasts, many speakers.

``Labels/labels_consensus.csv`` (``labels_concensus`` in older releases) has a row for every clip, ``Labels/labels_detailed.json`` or
``.csv`` every rater's primary label and all labels that they heard; ``Audios/`` the clips. Releases differ in size.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from analysis.corpora.base import (
    PRIMARY,
    SECONDARY,
    SEXES,
    Corpus,
    CorpusError,
    Reader,
    audio_by_name,
    clip_row,
    collect_clips,
    find_audio,
    leading_among,
    read_table,
    read_text,
    without_label,
)
from analysis.emotions import emotion_name

#: Options of each annotation, in the order of EMO-SUPERB.
EMOTIONS = {
    PRIMARY: ("anger", "sadness", "disgust", "contempt", "fear", "neutral", "surprise", "happiness"),
    SECONDARY: (
        *("anger", "sadness", "disgust", "contempt", "fear", "neutral", "surprise", "happiness"),
        *("frustration", "annoyance", "disappointment", "depression", "confusion", "concern", "amusement", "excitement"),
    ),
}
CONSENSUS = {
    "A": "anger", "S": "sadness", "H": "happiness", "U": "surprise", "F": "fear", "D": "disgust", "C": "contempt", "N": "neutral",
    "O": "", "X": "",
}  # fmt: skip
SPLITS = {
    "train": "train", "development": "development", "validation": "development",
    "test": "test", "test1": "test", "test2": "test2", "test3": "test3",
}  # fmt: skip
COLUMNS = ("FileName", "EmoClass", "SpkrID", "Gender", "Split_Set")
LICENCE = "Academic licence of the University of Texas at Dallas; cite Lotfian and Busso (2019)."
_RATER_COLUMNS = ("Worker", "WorkerID", "Workers")


def read(path: Path, annotation: str = PRIMARY) -> Corpus:
    """MSP-PODCAST from its folder with ``Labels/`` and ``Audios/``: ``primary`` votes of eight labels, ``secondary`` of sixteen.

    A split beyond the first test set keeps its name (``test2``) and belongs to no fold's sides. Without ``labels_detailed`` the consensus
    stands alone, and a note says so. Raises CorpusError for another folder.
    """
    table = read_table(_labels(path, "labels_con[sc]ensus.csv"), COLUMNS)
    audio = audio_by_name(path / "Audios") or audio_by_name(path / "Audio")
    raters = _raters(path)
    emotions = EMOTIONS[annotation]
    if not raters and annotation == SECONDARY:
        raise CorpusError(f"{path} has no Labels/labels_detailed.json or .csv, which holds the secondary labels.")

    def describe(row: dict[str, str]) -> dict[str, Any]:
        name = Path(row["FileName"]).stem
        if row["EmoClass"] not in CONSENSUS:
            raise ValueError(f"MSP-PODCAST has no class {row['EmoClass']}")
        split = SPLITS.get(row["Split_Set"].lower())
        if split is None:
            raise ValueError(f"MSP-PODCAST has no split {row['Split_Set']}")
        mine = {rater: _names(answer, annotation) for rater, answer in raters.get(name, {}).items()}
        votes = dict(Counter(label for labels in mine.values() for label in labels))
        words = path / "Transcripts" / f"{name}.txt"
        return clip_row(
            name,
            find_audio(name, audio),
            speaker="" if row["SpkrID"].lower() == "unknown" else row["SpkrID"],
            sex=SEXES.get(row["Gender"].lower(), ""),
            language="en",
            transcript=read_text(words).strip() if words.is_file() else "",
            emotion=CONSENSUS[row["EmoClass"]] if annotation == PRIMARY else leading_among(votes, emotions),
            votes=votes,
            rater_labels={rater: "|".join(labels) for rater, labels in mine.items() if labels},
            annotation=annotation,
            splits={"1": split},
            licence_note=LICENCE,
        )

    records = table.to_dict("records")
    clips, left_out = collect_clips(
        "MSP-PODCAST", path, "labelled clips", ((row["FileName"], row) for row in records), describe
    )
    left_out += without_label(audio, {Path(row["FileName"]).stem for row in records})
    notes = () if raters else ("There is no Labels/labels_detailed: only the consensus is known.",)
    return Corpus("msp-podcast", "en", emotions, clips, left_out, notes)


def _labels(path: Path, pattern: str) -> Path:
    found = sorted((path / "Labels").glob(pattern))
    if not found:
        raise CorpusError(f"{path / 'Labels'} holds no {pattern.replace('[sc]', 's')}.")
    return found[0]


def _raters(path: Path) -> dict[str, dict[str, dict[str, str]]]:
    """Clip -> rater -> answer, from whichever form of ``labels_detailed`` is there."""
    file = path / "Labels" / "labels_detailed.json"
    if file.is_file():
        try:
            return {Path(name).stem: answers for name, answers in json.loads(file.read_bytes()).items()}
        except (json.JSONDecodeError, UnicodeDecodeError, AttributeError) as error:
            raise CorpusError(
                f"{file} is not the JSON of MSP-PODCAST, a file name over raters over answers: {error}"
            ) from error
    file = file.with_suffix(".csv")
    if not file.is_file():
        return {}
    table = read_table(file, ("FileName", "EmoClass_Major", "EmoClass_Second"))
    column = next((name for name in _RATER_COLUMNS if name in table), None)
    if column is None:
        raise CorpusError(f"{file} has no column for the rater; {', '.join(_RATER_COLUMNS)} are understood.")
    raters: dict[str, dict[str, dict[str, str]]] = {}
    for row in table.to_dict("records"):
        raters.setdefault(Path(row["FileName"]).stem, {})[row[column]] = row
    return raters


def _names(answer: dict[str, str], annotation: str) -> tuple[str, ...]:
    """Labels of one answer. What follows an "Other-" is the rater's own words, commas and all.

    >>> _names({"EmoClass_Major": "Other-a bit, well", "EmoClass_Second": "Happy,Amused,Other-glad, proud"}, "secondary")
    ('happiness', 'amusement', 'other')
    """
    try:
        cell = answer["EmoClass_Major" if annotation == PRIMARY else "EmoClass_Second"]
    except (KeyError, TypeError):
        raise ValueError("a rater's answer has no EmoClass_Major or EmoClass_Second") from None
    return tuple(dict.fromkeys(_split(cell)))


def _split(cell: str) -> Iterator[str]:
    typed = False
    for part in cell.split(","):
        if part.strip().lower().startswith("other"):
            typed = True
            yield "other"
        elif part.strip():
            try:
                yield emotion_name(part)
            except ValueError:
                if not typed:
                    raise


READER = Reader(
    title="MSP-PODCAST",
    layout="Expected is a folder with Labels/labels_consensus.csv, Labels/labels_detailed.json and Audios/MSP-PODCAST_0001_0008.wav, ….",
    recognise=lambda path: any(path.glob("Labels/labels_con[sc]ensus.csv")) and not any(path.glob("Audios/BIIC*")),
    read=read,
    annotations=(PRIMARY, SECONDARY),
)
