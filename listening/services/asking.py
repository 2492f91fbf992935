"""How a session is asked: its tasks, the orders that are drawn for it, and which clips a trial plays."""

import hashlib
from collections.abc import Iterable

import numpy as np

from listening.models import Session, Stimulus, Study, Trial
from listening.rating_tasks.base import RatingTask, Screen
from listening.rating_tasks.emotion import OTHER
from listening.rating_tasks.registry import get_rating_task

#: The condition that stimuli are heard against.
REFERENCE = "original"
#: Among so many trials in a row the reference comes first in one half.
_ORDER_BLOCK = 4


def study_tasks(study: Study) -> list[RatingTask]:
    """The study's rating tasks, in the order asked."""
    return [get_rating_task(key) for key in study.rating_tasks]


def study_emotions(study: Study) -> list[str]:
    """The emotions that raters of the study choose from."""
    emotions = list(study.emotions or study.corpus.emotions)
    return [*emotions, OTHER] if "emotion-or-other" in study.rating_tasks and OTHER not in emotions else emotions


def needs_reference(study: Study) -> bool:
    """Whether each trial plays the original of its clip as well."""
    return any(task.reference != "none" for task in study_tasks(study))


def n_listenings(study: Study) -> int:
    """How often a clip must be heard before every question is open."""
    return max(task.n_listenings for task in study_tasks(study))


def screen_of(session: Session, position: int | None = None) -> Screen:
    """What bears on how the session, or one of its trials, is asked."""
    first = position is None or reference_comes_first(session, position)
    return Screen(tuple(study_emotions(session.study)), session.public_id, first)


def reference_comes_first(session: Session, position: int) -> bool:
    """Whether a trial (counted from 1) plays its reference before its stimulus: always, or by the session's draw."""
    if all(task.reference != "drawn" for task in study_tasks(session.study)):
        return True
    block, place = divmod(position - 1, _ORDER_BLOCK)
    digest = hashlib.sha256(f"{session.public_id}/reference/{block}".encode()).digest()
    return bool(np.random.default_rng(list(digest)).permutation(_ORDER_BLOCK)[place] % 2)


def clips_of(session: Session, trials: Iterable[Trial]) -> dict[int, list[Stimulus]]:
    """Position of each trial -> what it plays, in the order heard: its stimulus, alone or beside its reference."""
    trials = list(trials)
    if not needs_reference(session.study):
        return {trial.position: [trial.stimulus] for trial in trials}
    clips = [trial.stimulus.source_clip_id for trial in trials]
    originals = {
        s.source_clip_id: s
        for s in Stimulus.objects.filter(source_clip__in=clips, condition=REFERENCE, status=Stimulus.Status.READY)
    }
    # A check item has no original of its own; it is heard against itself.
    pairs = {t.position: [originals.get(t.stimulus.source_clip_id, t.stimulus), t.stimulus] for t in trials}
    return {p: pair if reference_comes_first(session, p) else pair[::-1] for p, pair in pairs.items()}
