"""Decide whose ratings are used. Pay is another decision, and excluding somebody touches nothing of it."""

from django.db import transaction

from listening.models import Event, Exclusion, Session


def exclude_session(session: Session, rule: str, reason: str) -> Exclusion:
    """Leave a session's ratings out, for good and whatever it answers still, and free its plan for somebody else.

    The rater sees nothing of it: they go on, finish, get their code and are paid like anybody. Excluding again by the same rule
    changes nothing and returns the first exclusion; another rule adds its reason.
    """
    with transaction.atomic():
        held = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
        exclusion, created = Exclusion.objects.get_or_create(
            session=held, rule=rule, defaults={"reason": reason, "plan_id": held.plan_id}
        )
        if created:
            Session.objects.filter(pk=held.pk).update(plan=None)
            Event.objects.create(study=held.study, session=held, kind="excluded", data={"rule": rule, "reason": reason})
    session.plan = None
    return exclusion
