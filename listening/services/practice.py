"""Practice before the test: clips with a word about each, not counted, and repeated for whoever comes back late."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from listening.models import Session, StudyStimulus, Trial

Role = StudyStimulus.Role
ORIGINAL = "original"


def in_order(session: Session) -> list[Trial]:
    """A session's trials as they are heard: practice first, also where it was added later."""
    trials = session.trials.select_related("stimulus").order_by("position")
    return sorted(trials, key=lambda trial: trial.role != Role.TRAINING)


def numbers_of(trials: Sequence[Trial]) -> dict[int, tuple[int, int]]:
    """Position of a trial -> what the page calls it: its number within practice or test, and how many there are."""
    named: dict[int, tuple[int, int]] = {}
    for practice in (True, False):
        group = [trial for trial in trials if (trial.role == Role.TRAINING) == practice]
        if practice:
            # Practice that is repeated counts from one again.
            size = len({trial.stimulus_id for trial in group})
            named |= {trial.position: (number % size + 1, size) for number, trial in enumerate(group)}
        else:
            named |= {trial.position: (number, len(group)) for number, trial in enumerate(group, start=1)}
    return named


def feedback(trial: Trial) -> str:
    """What is said once a practice clip is answered; empty for any other trial, of which nothing is told."""
    if trial.role != Role.TRAINING:
        return ""
    if trial.stimulus.condition == ORIGINAL:
        return _("This was the original recording, without a codec. It is as good as clips get in this test.")
    return _(
        "This recording had been sent through a codec. How much you hear of it differs from clip to clip; "
        "please use the whole range of the answers."
    )


def repeat_practice(session: Session) -> bool:
    """Add the practice once more for a rater whose last one is too long ago; say whether it was added."""
    minutes = session.study.training_expires_minutes
    practice = session.trials.filter(role=Role.TRAINING)
    if not minutes or session.preview or practice.filter(answered_at=None).exists():
        return False
    last = practice.order_by("answered_at").values_list("answered_at", flat=True).last()
    rated = session.trials.exclude(role=Role.TRAINING)
    # Who has been rating all along needs no practice; who has nothing left to rate, none either.
    latest = rated.exclude(answered_at=None).order_by("answered_at").values_list("answered_at", flat=True).last()
    before = timezone.now() - timedelta(minutes=minutes)
    if last is None or last > before or (latest and latest > before) or not rated.filter(answered_at=None).exists():
        return False
    with transaction.atomic():
        Session.objects.select_for_update().get(pk=session.pk)
        if practice.filter(answered_at=None).exists():
            return False
        first = session.trials.order_by("-position").values_list("position", flat=True)[0] + 1
        stimuli = list(dict.fromkeys(practice.order_by("position").values_list("stimulus", flat=True)))
        Trial.objects.bulk_create(
            [
                Trial(session=session, position=first + n, stimulus_id=stimulus, role=Role.TRAINING)
                for n, stimulus in enumerate(stimuli)
            ]
        )
    return True
