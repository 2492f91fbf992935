"""The job table: the truth about what is to be rendered and measured. A broker only wakes workers."""

from django.db import models

from listening.models.stimulus import Stimulus


class Job(models.Model):
    """Render one stimulus, or measure it. Claimed with a lease, at most ``MAX_ATTEMPTS`` times."""

    MAX_ATTEMPTS = 3

    class Kind(models.TextChoices):
        RENDER = "render"
        SCORE = "score"

    class State(models.TextChoices):
        QUEUED = "queued"
        CLAIMED = "claimed"
        DONE = "done"
        FAILED = "failed"

    kind = models.CharField(max_length=6, choices=Kind.choices, default=Kind.RENDER)
    stimulus = models.ForeignKey(Stimulus, on_delete=models.CASCADE, related_name="jobs")
    measures = models.JSONField(default=list, help_text="Keys of the signal measures that a job of the kind score asks for.")
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    key = models.CharField("key of the job", max_length=64, blank=True, db_index=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["stimulus", "kind"], name="one_job_per_stimulus_and_kind")]
        indexes = [models.Index(fields=["state", "lease_expires_at"], name="job_due")]

    def __str__(self) -> str:
        return f"{self.kind} {self.stimulus}"
