"""What a rater did in the screening, and on the items that check attention."""

import secrets

from django.db import models

from listening.models.session import Session, draw_public_id


def draw_seed() -> int:
    """63 random bits: what a try plays and asks follows from them, and nothing that a rater sees tells them."""
    return secrets.randbits(63)


class ScreeningResult(models.Model):
    """One try of one screening step, or the grading of one gold or trap trial (``attempt`` is then its position)."""

    GOLD, TRAP = "gold", "trap"

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="screening_results")
    step = models.CharField(max_length=40, help_text="Key of the screening step, or gold or trap.")
    attempt = models.PositiveIntegerField(help_text="Counted from 1.")
    public_id = models.CharField(max_length=32, unique=True, default=draw_public_id)
    seed = models.PositiveBigIntegerField(default=draw_seed, editable=False)
    passed = models.BooleanField(null=True, help_text="Empty while the try is open.")
    detail = models.JSONField(default=dict, help_text="Settings, answers, and which of them were right.")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["session", "step", "attempt"], name="one_result_per_attempt")]

    def __str__(self) -> str:
        return f"{self.session} {self.step} {self.attempt}"
