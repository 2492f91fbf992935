"""Pay bonuses, each once. Prolific pays a batch again whenever it is asked again, so the state goes before the call:

planned -> (set up at Prolific) -> set up -> (written: paying) -> paid. A process that dies leaves the state of the step it was in:
planned and set up have cost nothing and go on; paying may have been paid, becomes uncertain, and is settled by reading, never by paying.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from listening.models import Bonus, Recruitment, Submission
from listening.prolific import ProlificClient, ProlificError, ProlificUncertain
from listening.prolific.client import LARGEST_BONUS_BATCH
from listening.services.errors import ServiceError
from listening.services.recruitment import note

#: A payment that was under way this long belongs to a process that is gone.
PAYING_TAKES = timedelta(minutes=2)
#: Prolific pays a while after it is asked; what it does not show by then it will not pay.
SHOWN_WITHIN = timedelta(hours=1)


def order_bonuses(recruitment: Recruitment, amounts: Mapping[Submission, int], reason: str, who: str, key: UUID) -> list[Bonus]:
    """Write down bonuses (minor units) to be paid. The same key again is the same order, not another. Raises ServiceError."""
    if not amounts:
        raise ServiceError("Choose at least one submission.")
    if not reason.strip():
        raise ServiceError("Say what the bonus is for.")
    if any(amount <= 0 for amount in amounts.values()):
        raise ServiceError("A bonus is more than nothing.")
    if len(amounts) > LARGEST_BONUS_BATCH:
        raise ServiceError(f"Prolific takes {LARGEST_BONUS_BATCH} bonuses at once; order the others afterwards.")
    with transaction.atomic():
        Recruitment.objects.select_for_update().get(pk=recruitment.pk)
        if known := list(Bonus.objects.filter(key=key)):
            return known
        for submission in amounts:
            if submission.recruitment_id != recruitment.pk:
                raise ServiceError(f"{submission} belongs to another study.")
            if submission.bonuses.filter(state__in=Bonus.OPEN).exists():
                raise ServiceError(f"{submission} has a bonus that is not settled yet; settle that one first.")
        bonuses = Bonus.objects.bulk_create(
            Bonus(submission=submission, amount_minor=amount, reason=reason.strip(), key=key, ordered_by=who)
            for submission, amount in amounts.items()
        )
        # Who finished after the time had run out can be paid in no other way.
        late = Submission.objects.filter(pk__in=[submission.pk for submission in amounts], status="TIMED-OUT")
        late.update(decision=Submission.Decision.BONUS, decided_by=who, decided_at=timezone.now())
        for bonus in bonuses:
            note(recruitment, who, "bonus ordered", bonus.submission, amount_minor=bonus.amount_minor, reason=bonus.reason)
    return bonuses


def pay_bonuses(key: UUID, client: ProlificClient) -> None:
    """Set up and pay an order as far as it has not come. Raises ProlificError; the state says how far it came, and nothing is lost.

    Safe to call at any time, by any number of processes: the step from set up to paying is taken by one of them, once.
    """
    if Bonus.objects.filter(key=key, state=Bonus.State.PLANNED).exists():
        _set_up(key, client)
    batch = Bonus.objects.filter(key=key, state=Bonus.State.SET_UP).select_related("submission__recruitment").first()
    if batch is None:
        return
    recruitment = batch.submission.recruitment
    claimed = Bonus.objects.filter(key=key, state=Bonus.State.SET_UP, batch_id=batch.batch_id)
    if not claimed.update(state=Bonus.State.PAYING, paying_at=timezone.now()):
        return
    note(recruitment, batch.ordered_by, "bonus payment sent", batch_id=batch.batch_id)
    paying = Bonus.objects.filter(key=key, state=Bonus.State.PAYING)
    try:
        client.pay_bonus(batch.batch_id)
    except ProlificUncertain:
        paying.update(state=Bonus.State.UNCERTAIN)
        note(recruitment, "this server", "bonus payment uncertain", batch_id=batch.batch_id)
        raise
    except ProlificError as error:
        # Refused: nothing was paid, and the batch can be paid later.
        paying.update(state=Bonus.State.SET_UP, paying_at=None)
        note(recruitment, "Prolific", "bonus payment refused", batch_id=batch.batch_id, sentence=error.sentence)
        raise
    paying.update(state=Bonus.State.PAID, paid_at=timezone.now())
    note(recruitment, batch.ordered_by, "bonus paid", batch_id=batch.batch_id)


def _set_up(key: UUID, client: ProlificClient) -> None:
    bonuses = list(Bonus.objects.filter(key=key, state=Bonus.State.PLANNED).select_related("submission__recruitment"))
    recruitment = bonuses[0].submission.recruitment
    amounts = {bonus.submission.prolific_id: bonus.amount_minor for bonus in bonuses}
    # An answer that is lost leaves a batch at Prolific that nobody pays; a new one is set up then.
    batch = client.set_up_bonus(recruitment.prolific_study_id or "", amounts)
    if batch.amount_minor != sum(amounts.values()):
        raise ProlificError(
            200, "", f"Prolific set up {batch.amount_minor} instead of {sum(amounts.values())}; nothing is paid."
        )
    changed = Bonus.objects.filter(key=key, state=Bonus.State.PLANNED).update(state=Bonus.State.SET_UP, batch_id=batch.id)
    if changed:
        note(recruitment, bonuses[0].ordered_by, "bonus set up", batch_id=batch.id, amount_minor=batch.amount_minor)


def settle_uncertain(recruitment: Recruitment, client: ProlificClient) -> None:
    """Find out, by reading alone, what became of payments that were cut short. Raises ProlificError.

    What Prolific shows is paid. What it does not show an hour later was not, and is set up again to be paid when somebody asks.
    """
    now = timezone.now()
    ours = Bonus.objects.filter(submission__recruitment=recruitment)
    ours.filter(state=Bonus.State.PAYING, paying_at__lt=now - PAYING_TAKES).update(state=Bonus.State.UNCERTAIN)
    for bonus in ours.filter(state=Bonus.State.UNCERTAIN).select_related("submission"):
        shown = sum(client.submission(bonus.submission.prolific_id).bonuses_minor)
        known = sum(bonus.submission.bonuses.filter(state=Bonus.State.PAID).values_list("amount_minor", flat=True))
        uncertain = Bonus.objects.filter(pk=bonus.pk, state=Bonus.State.UNCERTAIN)
        if shown >= known + bonus.amount_minor:
            if uncertain.update(state=Bonus.State.PAID, paid_at=now):
                note(recruitment, "this server", "bonus found paid", bonus.submission, amount_minor=bonus.amount_minor)
        elif (
            bonus.paying_at
            and bonus.paying_at < now - SHOWN_WITHIN
            and uncertain.update(state=Bonus.State.PLANNED, batch_id="", paying_at=None)
        ):
            note(recruitment, "this server", "bonus found unpaid", bonus.submission, amount_minor=bonus.amount_minor)


def cancel_bonus(bonus: Bonus, who: str) -> None:
    """Give up a bonus that was not paid. Raises ServiceError when it may have been."""
    open_states = (Bonus.State.PLANNED, Bonus.State.SET_UP)
    if not Bonus.objects.filter(pk=bonus.pk, state__in=open_states).update(state=Bonus.State.CANCELLED):
        raise ServiceError("The bonus is paid or being paid; it cannot be cancelled.")
    note(bonus.submission.recruitment, who, "bonus cancelled", bonus.submission, amount_minor=bonus.amount_minor)
