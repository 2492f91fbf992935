"""The job table: the truth about what is to be rendered. A broker only wakes workers."""

from django.db import models

from listening.models.stimulus import Stimulus


class Job(models.Model):
    """Render one stimulus. Claimed with a lease, at most ``MAX_ATTEMPTS`` times."""

    MAX_ATTEMPTS = 3

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        DONE = "done"
        FAILED = "failed"

    stimulus = models.OneToOneField(Stimulus, on_delete=models.CASCADE, related_name="job")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    key = models.CharField("key of the render job", max_length=64, blank=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="job_due")]

    def __str__(self) -> str:
        return f"render {self.stimulus}"
