"""One rater's sitting, and its screens."""

import secrets
import time
from datetime import timedelta
from typing import Self

from django.core import signing
from django.db import models
from django.utils import timezone

from listening.models.participant import Participant
from listening.models.stimulus import Stimulus
from listening.models.study import Plan, Study

_SIGNER = signing.Signer(salt="listening.session")
_TICKETS = signing.Signer(salt="listening.audio")
#: Tickets end on multiples of this, so that a reloaded page asks by the same address and finds its clips in the browser's cache.
_TICKET_WINDOW_S = 6 * 3600


def draw_public_id() -> str:
    """128 random bits as text that stands in an address."""
    return secrets.token_urlsafe(16)


class TicketOver(Exception):
    """A clip's address that was good once; the session's state has a new one."""


class Session(models.Model):
    """One sitting of one participant. While it is active or completed it holds its plan, and nobody else can."""

    class State(models.TextChoices):
        CONSENT = "consent"
        CHECK = "check"
        RATING = "rating"
        COMPLETED = "completed"
        DECLINED = "declined"
        FAILED_CHECK = "failed_check", "failed the screening"
        INCOMPATIBLE = "incompatible", "device cannot play the sound"
        SCREENED_OUT = "screened_out", "no place in the rater's stratum"
        EXPIRED = "expired"
        WITHDRAWN = "withdrawn"
        RELEASED = "released", "submission returned or rejected"

    ACTIVE = (State.CONSENT, State.CHECK, State.RATING)
    HOLDS_PLAN = (*ACTIVE, State.COMPLETED)

    public_id = models.CharField(max_length=32, unique=True, default=draw_public_id)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sessions")
    participant = models.ForeignKey(Participant, on_delete=models.PROTECT, related_name="sessions", null=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="sessions", null=True)
    state = models.CharField(max_length=12, choices=State.choices, default=State.CONSENT)
    stratum = models.CharField(max_length=40, blank=True)
    preview = models.BooleanField(default=False, help_text="A researcher's look at the pages; no rating is stored.")
    prolific_study_id = models.CharField("Prolific study id", max_length=64, blank=True)
    prolific_session_id = models.CharField("Prolific submission id", max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    device = models.CharField(
        max_length=32, blank=True, help_text="Random name of the browser, where the study ties sessions to one."
    )
    lease_expires_at = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    consented_at = models.DateTimeField(null=True)
    consent_version = models.CharField(max_length=12, blank=True, help_text="Fingerprint of the text that was agreed to.")
    checked_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "participant"], name="one_session_per_participant_and_study"),
            # The guard against giving one plan to two raters, whatever the race.
            models.UniqueConstraint(
                fields=["plan"],
                condition=models.Q(state__in=["consent", "check", "rating", "completed"]),
                name="one_holder_per_plan",
            ),
        ]
        indexes = [models.Index(fields=["study", "state"], name="session_by_state")]

    def __str__(self) -> str:
        return f"{self.study} session {self.pk}"

    @property
    def token(self) -> str:
        """What stands in the rater's address: the public id, signed, so that a copy of the database opens no session."""
        return _SIGNER.sign(self.public_id)

    @classmethod
    def from_token(cls, token: str, *fields: str) -> Self:
        """The session of a token, its study and participant; with ``fields`` only these columns are read at first.

        Raises Session.DoesNotExist for a token that was never given out.
        """
        try:
            public_id = _SIGNER.unsign(token)
        except signing.BadSignature as error:
            raise cls.DoesNotExist from error
        sessions = cls.objects.select_related("study", "participant")
        return (sessions.only(*fields) if fields else sessions).get(public_id=public_id)

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE

    def extend_lease(self) -> None:
        """The rater is there: their lease runs anew. It is written again when a twentieth is over, not with every answer."""
        now, lease = timezone.now(), timedelta(minutes=self.study.lease_minutes)
        if self.lease_expires_at - now < lease * 0.95:
            type(self).objects.filter(pk=self.pk, state__in=self.ACTIVE).update(lease_expires_at=now + lease)


class Trial(models.Model):
    """One screen of a session: one stimulus and everything asked about it."""

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="trials")
    position = models.PositiveIntegerField(help_text="Counted from 1.")
    stimulus = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="trials")
    role = models.CharField(max_length=9, blank=True, help_text="gold, trap or training; empty for a stimulus of the test.")
    expected = models.JSONField(default=dict, help_text="Right answers by scale; see PlanTrial.")
    public_id = models.CharField(max_length=32, unique=True, default=draw_public_id)
    audio_sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True, help_text="When it was dealt with: answered, or skipped.")
    skipped = models.CharField(
        max_length=20, blank=True, help_text="Why the rater could not hear the clip; empty for an answer."
    )
    listening = models.JSONField(
        default=dict, help_text="What the page saw: plays, share heard, times, output rate, time hidden."
    )

    class Meta:
        ordering = ["session", "position"]
        constraints = [models.UniqueConstraint(fields=["session", "position"], name="one_trial_per_position")]

    def __str__(self) -> str:
        return f"{self.session} #{self.position}"

    @property
    def ticket(self) -> str:
        """What stands in the clip's address: this trial and an end six to twelve hours from now, signed. It tells nothing else."""
        ends = (int(time.time()) // _TICKET_WINDOW_S + 2) * _TICKET_WINDOW_S
        return _TICKETS.sign(f"{self.public_id}.{ends}")

    @classmethod
    def from_ticket(cls, ticket: str) -> tuple[Self, int]:
        """The trial of a ticket and the seconds that the ticket is still good for. Raises Trial.DoesNotExist, TicketOver."""
        try:
            public_id, ends = _TICKETS.unsign(ticket).rsplit(".", 1)
        except signing.BadSignature as error:
            raise cls.DoesNotExist from error
        left = int(ends) - int(time.time())
        if left <= 0:
            raise TicketOver
        # A clip is asked for as often as an answer is given: what is read of its study and stimulus is what its view looks at.
        needed = ("stimulus__key", "stimulus__audio_sha256", "stimulus__source_clip", "stimulus__duration_s", "audio_sent_at")
        trials = cls.objects.select_related("stimulus", "session__study")
        trials = trials.only(*needed, "position", "session__public_id", "session__study__rating_tasks")
        return trials.get(public_id=public_id), left
