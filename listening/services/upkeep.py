"""What has to happen around recruiting without anybody asking: events, readings, decisions that have not arrived."""

import logging

from django.conf import settings

from listening.models import Bonus, Recruitment, Submission
from listening.prolific import ProlificError
from listening.services.bonuses import settle_uncertain
from listening.services.payment import send_decisions
from listening.services.recruitment import connect
from listening.services.submissions import process_webhooks, sync_due

logger = logging.getLogger(__name__)


def keep_up() -> None:
    """Process waiting events, read what is due, send unsent decisions, settle uncertain bonuses. Prolific being away is no error."""
    if not settings.PROLIFIC_TOKEN:
        return
    process_webhooks()
    if not sync_due():
        return
    with connect(attempts=1, timeout_s=10) as client:
        for recruitment in _with_work():
            try:
                send_decisions(recruitment, client)
                settle_uncertain(recruitment, client)
            except ProlificError as error:
                logger.warning("Prolific: %s", error.sentence)


def _with_work() -> list[Recruitment]:
    unsent = Submission.objects.filter(decision_sent=False).values("recruitment")
    doubtful = (Bonus.State.PAYING, Bonus.State.UNCERTAIN)
    uncertain = Bonus.objects.filter(state__in=doubtful).values("submission__recruitment")
    api = Recruitment.objects.exclude(prolific_study_id=None)
    return list(api.filter(pk__in=unsent) | api.filter(pk__in=uncertain))
