"""Recruiting raters on Prolific: what was asked for there, what came back, and who decided what."""

from typing import Any, NoReturn

from django.core.validators import MinValueValidator
from django.db import models

from listening.models.rating import AppendOnlyError
from listening.models.session import Session
from listening.models.study import Study


class Recruitment(models.Model):
    """One study's side at Prolific. Money is in minor units (pence, cents); statuses are Prolific's own words."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="recruitment")
    prolific_study_id = models.CharField("Prolific study id", max_length=64, unique=True, null=True)  # noqa: DJ001
    workspace_id = models.CharField(max_length=64, blank=True)
    project_id = models.CharField(max_length=64, blank=True)
    status = models.CharField("status at Prolific", max_length=40, blank=True)
    currency = models.CharField(max_length=3, default="GBP")
    reward_minor = models.PositiveIntegerField("reward", validators=[MinValueValidator(1)])
    estimated_minutes = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    pilot_places = models.PositiveIntegerField(default=0, help_text="Places of the test run; 0 once all places are wanted.")
    places = models.PositiveIntegerField("places at Prolific", default=0)
    spending_cap_minor = models.PositiveIntegerField(
        "spending cap", help_text="What reward, fees and tax of all places may add up to."
    )
    cost_per_place_minor = models.PositiveIntegerField(default=0, help_text="Reward, fees and tax, as Prolific reckons them.")
    minimum_hourly_minor = models.PositiveIntegerField(
        default=0,
        help_text="The least hourly rate that Prolific named when the study was written down there; 0 where it was not asked.",
    )
    secure = models.BooleanField("signed links", default=False)
    filters = models.JSONField(default=list, help_text="As they were sent to Prolific.")
    criteria = models.JSONField(default=list, help_text="The same in words.")
    held = models.BooleanField(default=False, help_text="Paused by us because no plan is free; resumed when one is.")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)
    synced_at = models.DateTimeField("read from Prolific at", null=True)
    sync_error = models.TextField(blank=True)

    def __str__(self) -> str:
        return f"{self.study} on Prolific"

    @property
    def by_hand(self) -> bool:
        """No API: submissions come by CSV file, decisions leave by CSV file."""
        return self.prolific_study_id is None

    @property
    def is_pilot(self) -> bool:
        return self.pilot_places > 0


class Submission(models.Model):
    """One participant's go at a study on Prolific. Who it is stands with the session alone: no participant id is kept here."""

    class Decision(models.TextChoices):
        PENDING = "pending", "to decide"
        APPROVE = "approve", "approved"
        RETURN = "return", "asked to return"
        REJECT = "reject", "rejected"
        BONUS = "bonus", "paid as a bonus"
        NOTHING = "nothing", "nothing due"

    recruitment = models.ForeignKey(Recruitment, on_delete=models.PROTECT, related_name="submissions")
    session = models.OneToOneField(Session, on_delete=models.SET_NULL, related_name="submission", null=True)
    prolific_id = models.CharField("Prolific submission id", max_length=64, unique=True)
    status = models.CharField("status at Prolific", max_length=40)
    study_code = models.CharField("code handed in", max_length=64, blank=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    time_taken_s = models.PositiveIntegerField(null=True)
    return_requested = models.BooleanField(default=False)
    mismatch = models.CharField(max_length=200, blank=True, help_text="Why this is not what its session says it is.")

    decision = models.CharField(max_length=8, choices=Decision.choices, default=Decision.PENDING)
    decision_sent = models.BooleanField(default=True, help_text="Whether Prolific has been told.")
    category = models.CharField("ground of rejection", max_length=24, blank=True)
    message = models.TextField("message to the participant", blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["recruitment", "status"], name="submission_by_status")]

    def __str__(self) -> str:
        return f"submission {self.prolific_id}"


class Bonus(models.Model):
    """One bonus. Its state is written down before each call, so that whatever is cut short, nobody is paid twice."""

    class State(models.TextChoices):
        PLANNED = "planned"
        SET_UP = "set_up", "set up"
        PAYING = "paying"
        PAID = "paid"
        UNCERTAIN = "uncertain"
        CANCELLED = "cancelled"

    OPEN = (State.PLANNED, State.SET_UP, State.PAYING, State.UNCERTAIN)

    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="bonuses")
    amount_minor = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    reason = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PLANNED)
    key = models.UUIDField(help_text="One for all bonuses of one order; the same order again is the same bonuses.")
    batch_id = models.CharField("Prolific's batch", max_length=64, blank=True)
    paying_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    ordered_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "bonuses"
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["submission", "key"], name="one_bonus_per_submission_and_order")]

    def __str__(self) -> str:
        return f"bonus of {self.amount_minor} for {self.submission}"


class WebhookEvent(models.Model):
    """One delivery from Prolific, by its id: a repeated one is recognised. Kept without the participant's id."""

    event_id = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=60)
    resource_id = models.CharField(max_length=64, blank=True)
    raw = models.JSONField(default=dict)
    received_at = models.DateTimeField(auto_now_add=True)
    processed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_id}"


class AuditEntry(models.Model):
    """Who did what about recruiting and paying, and when: written once, never changed, never deleted."""

    recruitment = models.ForeignKey(Recruitment, on_delete=models.PROTECT, related_name="audit")
    submission = models.ForeignKey(Submission, on_delete=models.PROTECT, related_name="audit", null=True)
    who = models.CharField(max_length=150)
    what = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.who}: {self.what}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError("An audit entry is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("An audit entry is never deleted.")
