"""Tell somebody when something needs them, and when it is over: by e-mail and by a webhook, each once."""

import logging

import requests
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError
from django.utils import timezone

from listening.models import Alert
from listening.services.operations import Problem, problems

logger = logging.getLogger(__name__)


def check() -> list[Alert]:
    """Compare what is wrong with what was told, and tell the difference. Returns the alerts raised or resolved now."""
    now = {problem.key: problem for problem in problems()}
    changed = [alert for problem in now.values() if (alert := _raise(problem))]
    for alert in Alert.objects.filter(resolved_at=None).exclude(key__in=now):
        # Conditional, so that of two processes one tells.
        if Alert.objects.filter(pk=alert.pk, resolved_at=None).update(resolved_at=timezone.now()):
            alert.refresh_from_db()
            changed.append(alert)
    if changed:
        tell([f"Over: {alert}" if alert.resolved_at else str(alert) for alert in changed])
    return changed


def tell(sentences: list[str]) -> None:
    """Send the sentences to ALERT_EMAILS and ALERT_WEBHOOK. That one of them cannot be reached is logged and stops nothing."""
    text = "\n".join([*sentences, f"{settings.PUBLIC_URL}/admin/operations/"])
    if settings.ALERT_EMAILS:
        try:
            send_mail(f"Listening tests: {sentences[0]}"[:200], text, None, settings.ALERT_EMAILS)
        except OSError as error:
            logger.error("An alert could not be e-mailed: %s", error)
    if settings.ALERT_WEBHOOK:
        try:
            requests.post(settings.ALERT_WEBHOOK, json={"text": text}, timeout=10).raise_for_status()
        except requests.RequestException as error:
            logger.error("An alert could not be posted: %s", type(error).__name__)


def _raise(problem: Problem) -> Alert | None:
    """The new alert, or None where it was raised before."""
    if Alert.objects.filter(key=problem.key, resolved_at=None).exists():
        return None
    try:
        return Alert.objects.create(key=problem.key, sentence=problem.sentence)
    except IntegrityError:  # another process was faster
        return None
