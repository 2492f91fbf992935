"""What staff did, in Django's own log of the admin (LogEntry), also where it was not done by one of its forms.

Decisions about pay have a log of their own, `AuditEntry`; what happened in a study is an `Event`.
"""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db.models import Model


def note(by: User, about: Model, sentence: str) -> None:
    """Write down that somebody did something to a row. The sentence has no password, code or participant's id in it."""
    LogEntry.objects.log_actions(by.pk, [about], CHANGE, sentence, single_object=True)
