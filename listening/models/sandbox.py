"""Copies of studies that only simulated raters take."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from listening.models.study import Study

_SHARE = [MinValueValidator(0.0), MaxValueValidator(1.0)]


class Sandbox(models.Model):
    """Marks a study as a copy to be tried and thrown away, and is the job that sends its simulated raters.

    Claimed with a lease, like any job: a worker that dies half-way leaves it to the next one, which goes on with the rater after.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        DONE = "done"
        FAILED = "failed"
        DISCARDED = "discarded", "being deleted"

    UNFINISHED = (State.QUEUED, State.RUNNING)

    study = models.OneToOneField(Study, on_delete=models.CASCADE, related_name="sandbox")
    original = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="sandboxes")
    raters = models.PositiveIntegerField(default=100, help_text="At most so many come; nobody comes to a full study.")
    careless = models.FloatField(default=0.1, validators=_SHARE, help_text="Share of raters who answer without listening.")
    leaving = models.FloatField(default=0.1, validators=_SHARE, help_text="Share of raters who close the page half-way.")
    seed = models.PositiveIntegerField(default=0)
    arrived = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=9, choices=State.choices, default=State.QUEUED)
    error = models.CharField(max_length=500, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "sandboxes"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"sandbox {self.study} of {self.original}"
