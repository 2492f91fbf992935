"""What somebody was told about because it needs them."""

from django.db import models


class Alert(models.Model):
    """A problem from the moment it was seen to the moment it was over; told once at each end."""

    key = models.CharField(max_length=120, db_index=True, help_text="What is wrong with what, the same while it lasts.")
    sentence = models.TextField()
    raised_at = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=models.Q(resolved_at=None), name="one_open_alert_per_problem")
        ]

    def __str__(self) -> str:
        return self.sentence
