"""Answers: append only."""

from typing import Any, NoReturn

from django.db import models

from listening.models.session import Trial
from listening.models.stimulus import Stimulus


class AppendOnlyError(RuntimeError):
    """Somebody tried to change or delete what raters said."""


class Rating(models.Model):
    """One rater's answer on one scale for one stimulus. Written once, never changed, never deleted."""

    trial = models.ForeignKey(Trial, on_delete=models.PROTECT, related_name="ratings")
    stimulus = models.ForeignKey(Stimulus, on_delete=models.PROTECT, related_name="ratings")
    scale = models.CharField(max_length=40)
    value = models.FloatField(null=True)
    labels = models.JSONField(null=True, help_text="Chosen names, for scales whose answer is a set of labels.")
    idempotency_key = models.UUIDField()
    client_time = models.DateTimeField(null=True)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["trial", "stimulus", "scale"], name="one_rating_per_trial_stimulus_scale"),
            models.CheckConstraint(
                condition=models.Q(value__isnull=True) ^ models.Q(labels__isnull=True), name="rating_is_a_value_or_labels"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scale}={self.value if self.labels is None else '|'.join(self.labels)}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise AppendOnlyError("A stored rating is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A stored rating is never deleted; mark it as excluded instead.")
