"""Whether Prolific and we agree, submission by submission and to the penny: what each side says, what differs, what to do."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import Sum

from listening.models import Bonus, Recruitment, Session, Submission
from listening.prolific import ProlificClient
from listening.services.bonuses import settle_uncertain
from listening.services.evidence import is_complete
from listening.services.money import money
from listening.services.recruitment import taken
from listening.services.submissions import PAID, sync


@dataclass(frozen=True)
class Difference:
    """One thing on which the two sides do not agree, or that is still to be done. submission is None for the study as a whole."""

    submission: Submission | None
    theirs: str
    ours: str
    to_do: str


@dataclass(frozen=True)
class Amount:
    """One sum of money on both sides, in minor units."""

    name: str
    theirs_minor: int
    ours_minor: int

    @property
    def differs_by(self) -> int:
        return self.theirs_minor - self.ours_minor


@dataclass(frozen=True)
class Reconciliation:
    """amounts: rewards and bonuses on both sides; fees_minor: what Prolific charges on top, fees and tax, which only it knows."""

    amounts: tuple[Amount, ...]
    fees_minor: int
    statuses: dict[str, int]
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """The money is equal and nothing is left to do."""
        return not self.differences and all(amount.differs_by == 0 for amount in self.amounts)


def reconcile(recruitment: Recruitment, client: ProlificClient) -> Reconciliation:
    """Read everything from Prolific afresh and compare. Raises ProlificError."""
    sync(recruitment, client)
    settle_uncertain(recruitment, client)
    cost = client.study_cost(recruitment.prolific_study_id or "")
    shown = {
        row.pk: sum(client.submission(row.prolific_id).bonuses_minor)
        for row in recruitment.submissions.filter(bonuses__isnull=False).distinct()
    }
    approved = recruitment.submissions.filter(status__in=PAID).count()
    paid = _paid(recruitment)
    return Reconciliation(
        amounts=(
            Amount("Rewards", cost.rewards_minor, approved * recruitment.reward_minor),
            Amount("Bonuses", cost.bonuses_minor, sum(paid.values())),
        ),
        fees_minor=cost.fees_minor + cost.tax_minor + cost.bonus_fees_minor + cost.bonus_tax_minor,
        statuses=dict(Counter(recruitment.submissions.values_list("status", flat=True))),
        differences=(*stored_differences(recruitment), *_bonus_differences(recruitment, shown, paid)),
    )


def _paid(recruitment: Recruitment) -> dict[int, int]:
    """Submission to the sum of its bonuses that were paid, minor units."""
    rows = Bonus.objects.filter(submission__recruitment=recruitment, state=Bonus.State.PAID)
    return dict(rows.order_by().values_list("submission").annotate(Sum("amount_minor")))


def _bonus_differences(recruitment: Recruitment, shown: dict[int, int], paid: dict[int, int]) -> list[Difference]:
    found, currency = [], recruitment.currency
    for row in recruitment.submissions.filter(pk__in=shown):
        theirs, ours = shown[row.pk], paid.get(row.pk, 0)
        said = (f"bonuses of {money(theirs, currency)}", money(ours, currency))
        if theirs > ours and not row.bonuses.filter(state=Bonus.State.UNCERTAIN).exists():
            found.append(Difference(row, *said, "More was paid than we ordered: see it on Prolific."))
        elif theirs < ours:
            found.append(Difference(row, *said, "Not shown yet: Prolific pays after a while; read again."))
    return found


def stored_differences(recruitment: Recruitment) -> list[Difference]:
    """What differs or waits by what was read last."""
    rows = recruitment.submissions.select_related("session__participant").prefetch_related("bonuses")
    found = [difference for row in rows if (difference := _of_submission(row))]
    found += [_of_bonus(bonus) for row in rows for bonus in row.bonuses.all() if bonus.state in Bonus.OPEN]
    known = recruitment.submissions.values("prolific_id")
    came = Session.objects.filter(study=recruitment.study, prolific_study_id=recruitment.prolific_study_id or "-")
    for session in came.exclude(prolific_session_id__in=known).select_related("participant"):
        name = f"session s{session.pk:06d}, {session.get_state_display()}"
        found.append(
            Difference(None, "no such submission", name, "Prolific does not know the submission; nothing is to be paid.")
        )
    if recruitment.status == "COMPLETED" and not found:
        return found
    used = taken(recruitment)
    if used > recruitment.places:
        found.append(Difference(None, f"{recruitment.places} places", f"{used} taken", "Read again in a minute."))
    return found


def _of_submission(row: Submission) -> Difference | None:
    """The one thing about a submission that matters most, if any."""
    ours = row.session.get_state_display() if row.session else "never arrived"
    decided, status = row.decision, row.status
    told = "" if row.decision_sent else " (Prolific not told)"
    said = f"{ours}; {row.get_decision_display()}{told}"

    def difference(to_do: str) -> Difference:
        return Difference(row, status, said, to_do)

    if row.mismatch:
        return difference(row.mismatch)
    if not row.decision_sent:
        return difference("The decision has not reached Prolific yet; it is sent again by itself.")
    if decided == Submission.Decision.APPROVE and status not in PAID:
        return difference("Approved here; Prolific has not done it yet. Read again, then approve once more.")
    if decided == Submission.Decision.REJECT and status != "REJECTED":
        return difference("Rejected here, but not on Prolific: see it there.")
    if status == "AWAITING REVIEW":
        if decided == Submission.Decision.RETURN:
            return difference("Waiting for the participant to return it. After a week, approve it or ask again on Prolific.")
        return difference("Decide: approve it, or ask to return it.")
    if status == "TIMED-OUT" and is_complete(row) and not row.bonuses.exclude(state=Bonus.State.CANCELLED).exists():
        return difference("All answers are here, though the time ran out: pay the reward as a bonus.")
    if status in PAID and not is_complete(row):
        return (
            difference("Paid without complete answers. That is allowed; nothing is to be done, unless it was a mistake.")
            if (row.decided_by == "Prolific")
            else None
        )
    return None


def _of_bonus(bonus: Bonus) -> Difference:
    to_do = {
        Bonus.State.PLANNED: "Ordered and not paid: pay it, or cancel it.",
        Bonus.State.SET_UP: "Set up and not paid: pay it, or cancel it.",
        Bonus.State.PAYING: "Being paid.",
        Bonus.State.UNCERTAIN: "May have been paid. It is found out by reading; do not pay it on Prolific.",
    }[Bonus.State(bonus.state)]
    amount = money(bonus.amount_minor, bonus.submission.recruitment.currency)
    return Difference(bonus.submission, "", f"bonus of {amount}, {bonus.get_state_display()}", to_do)
