"""What may not be used. Whether a rater is paid is decided elsewhere (``Submission.decision``)."""

from django.db import models

from listening.models.session import Session
from listening.models.study import Plan


class Exclusion(models.Model):
    """One rule's reason why a session's ratings are not used. The ratings stay; frames carry the reason with each row."""

    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="exclusions")
    rule = models.CharField(max_length=60, help_text="Key of the rule, for instance gold or by_hand.")
    reason = models.CharField(max_length=300, help_text="A sentence for researchers: what was seen.")
    plan = models.ForeignKey(
        Plan, on_delete=models.SET_NULL, related_name="exclusions", null=True, editable=False, help_text="What it freed."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["session", "rule"], name="one_exclusion_per_session_and_rule")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.reason}"
