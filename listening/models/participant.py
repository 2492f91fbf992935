"""The people who rate ("rater" on screens)."""

from django.db import models


class Participant(models.Model):
    """One person as Prolific knows them, or one simulated rater."""

    prolific_pid = models.CharField("Prolific participant id", max_length=64, unique=True)
    simulated = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.prolific_pid

    @property
    def rater_id(self) -> str:
        """The name used in exports: never the Prolific id."""
        return f"r{self.pk:06d}"
