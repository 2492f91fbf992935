"""Erase: a participant's answers when they withdraw, and everybody's identity when it is no longer needed."""

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from listening.models import Event, Exclusion, Participant, Rating, Session, Study, Submission, Trial

_PERSONAL = {"prolific_study_id": "", "prolific_session_id": "", "user_agent": ""}


def withdraw(participant: Participant) -> int:
    """Erase a person's answers and identity because they asked for it; return the number of ratings erased.

    Their sessions stay as empty shells without a plan, so that their places are free again and counts still add up. This is the
    one way by which a rating leaves the database.
    """
    with transaction.atomic():
        sessions = Session.objects.filter(participant=participant)
        erased, _ = Rating.objects.filter(trial__session__in=sessions).delete()
        Trial.objects.filter(session__in=sessions).delete()
        Event.objects.filter(session__in=sessions).delete()
        Exclusion.objects.filter(session__in=sessions).delete()
        for session in sessions.select_related("study"):
            Event.objects.create(study=session.study, session=session, kind="withdrawn")
        sessions.update(state=Session.State.WITHDRAWN, plan=None, stratum="", **_PERSONAL)
        Submission.objects.filter(session__in=sessions).update(session=None)
        participant.forget()
    return erased


def forget_participants(days: int | None = None) -> int:
    """Erase the identity of people whose last session began more than ``days`` ago in studies that are closed; return how many.

    Their answers stay, under a random name. ``days`` is PARTICIPANT_RETENTION_DAYS by default; 0 keeps identities for ever.
    """
    days = settings.PARTICIPANT_RETENTION_DAYS if days is None else days
    if not days:
        return 0
    known = Participant.objects.filter(fingerprint__isnull=False).exclude(
        sessions__study__status__in=[Study.Status.OPEN, Study.Status.FROZEN]
    )
    past = known.annotate(last=Max("sessions__created_at")).filter(last__lt=timezone.now() - timedelta(days=days))
    forgotten = 0
    for participant in past:
        with transaction.atomic():
            participant.forget()
            participant.sessions.update(**_PERSONAL)
            Submission.objects.filter(session__participant=participant).update(session=None)
        forgotten += 1
    return forgotten
