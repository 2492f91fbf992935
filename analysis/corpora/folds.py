"""Which clips train a model, which stop its training and which judge it: a corpus's own folds, or whole groups of speakers in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.corpora.base import CorpusError

BoolArray = npt.NDArray[np.bool_]
#: Speakers are gathered into so many groups where there are more of them.
MOST_FOLDS = 10
GROUPS = 5


@dataclass(frozen=True)
class Fold:
    """One partition: three masks over the rows of the clips frame, arrays (n_clips,) of which no two overlap."""

    name: str
    train: BoolArray
    development: BoolArray
    test: BoolArray


def folds(clips: pd.DataFrame) -> list[Fold]:
    """The partitions of a corpus (``Corpus.clips``), in order of their names.

    Where ``splits`` are published they are taken as they stand; a clip in none, or in a further test set such as MSP-PODCAST's
    second, is in no mask. Else every group is the test set of one fold and the group after it the development set: groups are
    the sessions where there are any, else the speakers; more than `MOST_FOLDS` speakers are dealt, sorted by sex and name, into
    `GROUPS` groups, so that sexes stay balanced. No speaker is ever on two sides. Raises CorpusError where there are fewer than
    three groups or where published splits lack a train, development or test set.
    """
    published = sorted({name for cell in clips["splits"] for name in cell}, key=lambda name: (len(name), name))
    if not published:
        return _leave_group_out(clips)
    found = []
    for name in published:
        side = np.array([cell.get(name, "") for cell in clips["splits"]])
        fold = Fold(name, side == "train", side == "development", side == "test")
        for part in ("train", "development", "test"):
            if not getattr(fold, part).any():
                raise CorpusError(f"Fold {name} of this corpus has no {part} clips; is only a part of it there?")
        found.append(fold)
    return found


def _leave_group_out(clips: pd.DataFrame) -> list[Fold]:
    groups = _groups(clips)
    names = sorted(set(groups))
    if len(names) < 3:
        raise CorpusError(
            f"Some speakers train, others end the training and others test: the clips name {len(names)} speakers or "
            "sessions, and at least 3 are needed."
        )
    result = []
    for place, test in enumerate(names):
        development = names[(place + 1) % len(names)]
        sides = groups == development, groups == test
        result.append(Fold(str(test), ~(sides[0] | sides[1]), *sides))
    return result


def _groups(clips: pd.DataFrame) -> npt.NDArray[np.str_]:
    sessions = np.array(clips["session"], dtype=np.str_)
    if (sessions != "").all() and len(clips):
        return sessions
    speakers = np.array(clips["speaker"], dtype=np.str_)
    if (speakers == "").any():
        raise CorpusError("Folds need a speaker for every clip, and some clips of this corpus have none.")
    order = clips[["sex", "speaker"]].drop_duplicates("speaker").sort_values(["sex", "speaker"])["speaker"].tolist()
    if len(order) <= MOST_FOLDS:
        return speakers
    dealt = {speaker: str(place % GROUPS + 1) for place, speaker in enumerate(order)}
    return np.array([dealt[speaker] for speaker in speakers])
