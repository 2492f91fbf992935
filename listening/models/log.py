"""What happened, in order: append only."""

from django.db import models

from listening.models.session import Session
from listening.models.study import Study


class Event(models.Model):
    """One noteworthy moment of a study or a session, for the researcher who asks "what happened here?"."""

    study = models.ForeignKey(Study, on_delete=models.CASCADE, related_name="events")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="events", null=True)
    kind = models.CharField(max_length=40)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.kind}"
