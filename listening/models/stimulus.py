"""What raters hear: a source clip through a condition."""

from django.db import models

from listening.models.corpus import SourceClip


class Stimulus(models.Model):
    """One audio file: a source clip through a condition, made once and shared by every study that asks for it."""

    class Status(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"

    source_clip = models.ForeignKey(SourceClip, on_delete=models.PROTECT, related_name="stimuli")
    condition = models.CharField(max_length=80, help_text="Slug of the condition, for instance encodec-24k-6kbps.")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING, db_index=True)
    key = models.CharField(max_length=64, blank=True, help_text="Key of the render job; names the file in the store.")
    audio_sha256 = models.CharField(max_length=64, blank=True)
    duration_s = models.FloatField(null=True)
    payload_bps = models.FloatField("measured bit rate (bit/s)", null=True)
    sidecar = models.JSONField(default=dict, help_text="How it was made: bit rate, delay, gain, versions, weights, device.")
    error = models.TextField(blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "stimuli"
        ordering = ["source_clip", "condition"]
        constraints = [models.UniqueConstraint(fields=["source_clip", "condition"], name="one_stimulus_per_clip_and_condition")]

    def __str__(self) -> str:
        return f"{self.source_clip.clip_id} · {self.condition}"
