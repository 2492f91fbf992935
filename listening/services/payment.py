"""Decide about submissions and tell Prolific: approve, ask to return, reject. Every decision is stored, with who and when, before
Prolific is told, and told again until it has arrived; approving and rejecting twice is the same as once."""

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from listening.models import Recruitment, Session, Submission
from listening.prolific import ProlificClient, ProlificError
from listening.prolific.client import LARGEST_BULK_APPROVAL, REJECTION_CATEGORIES, SHORTEST_REJECTION_MESSAGE
from listening.services.errors import ServiceError
from listening.services.evidence import FAST_SD, Evidence, by_submission, failed_enough, gather_evidence
from listening.services.recruitment import note
from listening.services.submissions import note_submission

REVIEWABLE = "AWAITING REVIEW"
NOT_THEIR_FAULT = (Session.State.DECLINED, Session.State.FAILED_CHECK, Session.State.INCOMPATIBLE, Session.State.SCREENED_OUT)


def approve(submissions: Iterable[Submission], who: str) -> int:
    """Decide to pay; ``send_decisions`` tells Prolific. Returns how many were decided, those decided before left out.

    Raises ServiceError when one of them cannot be approved; then none is.
    """
    with transaction.atomic():
        rows = _locked(submissions)
        for row in rows:
            _refuse_unless_reviewable(row)
            if row.mismatch and len(rows) > 1:
                raise ServiceError(f"{row}: {row.mismatch} Decide about it by itself.")
        # What Prolific was told and did not do is told again.
        told = [row for row in rows if row.decision == Submission.Decision.APPROVE]
        Submission.objects.filter(pk__in=[row.pk for row in told]).update(decision_sent=False)
        fresh = [row for row in rows if row.decision != Submission.Decision.APPROVE]
        for row in fresh:
            _decide(row, Submission.Decision.APPROVE, who)
    return len(fresh)


def ask_to_return(submission: Submission, reason: str, who: str) -> None:
    """Decide that the participant should return the submission. Raises ServiceError."""
    if not reason.strip():
        raise ServiceError("Say why, in a sentence to the participant.")
    with transaction.atomic():
        (row,) = _locked([submission])
        if row.status not in (REVIEWABLE, "ACTIVE"):
            raise ServiceError(f"The submission is {row.status} on Prolific; it can no longer be returned.")
        if row.decision == Submission.Decision.RETURN:
            raise ServiceError("The participant was asked already.")
        _refuse_unless_reviewable(row, ("ACTIVE",))
        _decide(row, Submission.Decision.RETURN, who, message=reason.strip())


def reject(submission: Submission, category: str, message: str, who: str) -> None:
    """Decide not to pay, under Prolific's policy. This cannot be taken back here. Raises ServiceError."""
    message = message.strip()
    facts = by_submission(gather_evidence(submission.recruitment))[submission.pk]
    if objection := objection_to_rejecting(facts, category, message):
        raise ServiceError(objection)
    with transaction.atomic():
        (row,) = _locked([submission])
        _refuse_unless_reviewable(row)
        if row.decision == Submission.Decision.APPROVE:
            raise ServiceError("The submission is approved.")
        _decide(row, Submission.Decision.REJECT, who, category=category, message=message)


def objection_to_rejecting(facts: Evidence, category: str, message: str) -> str:
    """Why Prolific's policy forbids this rejection, as a sentence; empty where it does not."""
    row, recruitment = facts.submission, facts.submission.recruitment
    if category not in REJECTION_CATEGORIES:
        return "Choose one of Prolific's grounds for a rejection."
    if len(message) < SHORTEST_REJECTION_MESSAGE:
        return f"Tell the participant why, in at least {SHORTEST_REJECTION_MESSAGE} characters; these are {len(message)}."
    if row.session and row.session.state in NOT_THEIR_FAULT:
        return "Whoever was screened out, did not consent or failed the sound check is asked to return, never rejected."
    match category:
        case "FAILED_CHECK" if not failed_enough(facts.failed_checks, recruitment):
            needed = "one failed attention check" if recruitment.estimated_minutes < 5 else "two failed attention checks"
            n = facts.failed_checks
            return f"A study of {recruitment.estimated_minutes} minutes needs {needed}; there {'is' if n == 1 else 'are'} {n}."
        case "TOO_QUICKLY" if not facts.too_fast:
            return f"Only what is exceptionally fast may be rejected: {FAST_SD:.0f} standard deviations below the mean time."
        case "NO_DATA" if facts.answered:
            return f"{facts.answered} answers are here; “no data” is not true."
        case "NO_CODE" | "BAD_CODE" if facts.complete:
            return "Every answer is here; a missing or wrong code alone is no ground."
        case "TOO_SLOWLY" | "INCOMP_LONGITUDINAL":
            return "This study sets no pace and has no second part; choose the ground that applies."
    return ""


def _refuse_unless_reviewable(row: Submission, also: tuple[str, ...] = ()) -> None:
    if row.status not in (REVIEWABLE, *also) and not (row.status == "TIMED-OUT" and row.recruitment.by_hand):
        raise ServiceError(f"{row} is {row.status} on Prolific; there is nothing to decide.")
    if row.decision == Submission.Decision.REJECT:
        raise ServiceError(f"{row} is rejected. Only Prolific's own pages can take that back.")


def _locked(submissions: Iterable[Submission]) -> list[Submission]:
    keys = [submission.pk for submission in submissions]
    return list(Submission.objects.select_for_update().filter(pk__in=keys).order_by("pk"))


def _decide(row: Submission, decision: str, who: str, category: str = "", message: str = "") -> None:
    row.decision, row.decision_sent = decision, False
    row.category, row.message = category, message
    row.decided_by, row.decided_at = who, timezone.now()
    row.save()
    note(row.recruitment, who, "decision", row, decision=decision, category=category, message=message)


def send_decisions(recruitment: Recruitment, client: ProlificClient) -> list[str]:
    """Tell Prolific every decision that it has not been told. Returns sentences about those it refused; they stay unsent.

    Raises ProlificError when Prolific cannot be reached; what is left is sent by the next call.
    """
    unsent = recruitment.submissions.filter(decision_sent=False).select_related("recruitment__study", "session__participant")
    problems = []
    approved = [row for row in unsent if row.decision == Submission.Decision.APPROVE]
    for start in range(0, len(approved), LARGEST_BULK_APPROVAL):
        part = approved[start : start + LARGEST_BULK_APPROVAL]
        client.bulk_approve([row.prolific_id for row in part])
        _sent(part)
    for row in unsent.exclude(decision=Submission.Decision.APPROVE):
        try:
            if row.decision == Submission.Decision.REJECT:
                remote = client.reject(row.prolific_id, row.category, row.message)
            else:
                _ask_once(row, client)
                remote = client.submission(row.prolific_id)
        except ProlificError as error:
            if error.retriable:
                raise
            problems.append(f"{row}: {error.sentence}")
            note(recruitment, "Prolific", "decision refused", row, sentence=error.sentence)
        else:
            _sent([row])
            note_submission(recruitment, remote)
    return problems


def _ask_once(row: Submission, client: ProlificClient) -> None:
    """A participant who was asked already, by a call whose answer was lost, is not asked again."""
    if not client.submission(row.prolific_id).return_requested:
        client.request_return(row.prolific_id, row.message)


def _sent(rows: list[Submission]) -> None:
    Submission.objects.filter(pk__in=[row.pk for row in rows]).update(decision_sent=True)
