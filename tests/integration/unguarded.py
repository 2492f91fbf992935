"""The server without the guard against giving one plan to two raters: the twin that shows what the guard is for."""

import time

from listening.wsgi import application  # sets Django up, which models need

# isort: split
from django.db import connection

from listening.models import Session
from listening.services import sessions
from listening.services.balance import free_plans

__all__ = ["application"]


def claim(session: Session) -> bool:
    """Look for a free plan, then take it, as if nobody else did the same in between."""
    plan = free_plans(session.study).filter(stratum=session.stratum).order_by("number").first()
    if plan is None:
        return False
    time.sleep(0.02)
    session.plan, session.state = plan, Session.State.RATING
    session.save(update_fields=["plan", "state", "stratum", "consented_at", "consent_version"])
    return True


with connection.cursor() as cursor:
    cursor.execute("DROP INDEX IF EXISTS one_holder_per_plan")
sessions._claim_plan = claim
