"""Keep in step with Prolific: read submissions, free the plans of those who left, ask for more people when ratings are missing.

Polling and webhooks end in the same function, ``note_submission``, and either alone is enough.
"""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from listening import prolific
from listening.models import Bonus, Recruitment, Session, Submission, WebhookEvent
from listening.prolific import ProlificClient, ProlificError
from listening.prolific.webhooks import EVENT_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, verify
from listening.services.balance import free_plans
from listening.services.ratings import next_position
from listening.services.recruitment import (
    GONE,
    arriving,
    connect,
    note,
    pause,
    resume,
    set_places,
    store_remote,
    taken,
)

#: Studies in these states are over, or not begun: nothing changes by itself.
QUIET = ("", "UNPUBLISHED", "SCHEDULED")
RELEASING = ("RETURNED", "REJECTED")
PAID = ("APPROVED", "PARTIALLY APPROVED")
US = "this server"
PROLIFIC = "Prolific"


def sync_due() -> int:
    """Read every recruitment whose last reading is older than PROLIFIC_POLL_S; return how many were read. Never raises ProlificError."""
    if not settings.PROLIFIC_TOKEN:
        return 0
    late = timezone.now() - timedelta(seconds=settings.PROLIFIC_POLL_S)
    watched = Recruitment.objects.exclude(prolific_study_id=None).exclude(status__in=QUIET).select_related("study")
    due = [one for one in watched if (one.synced_at is None or one.synced_at <= late) and not is_settled(one)]
    for recruitment in due:
        # The claim: of two pollers at once only one reads.
        claimed = Recruitment.objects.filter(pk=recruitment.pk, synced_at=recruitment.synced_at)
        if claimed.update(synced_at=timezone.now()):
            with connect(attempts=2) as client:
                try:
                    sync(recruitment, client)
                except ProlificError:
                    continue  # written down by sync, and tried again with the next round
    return len(due)


def is_settled(recruitment: Recruitment) -> bool:
    """Nothing can come any more: the study is over, every submission is paid or gone, and no payment is in doubt."""
    final = (*GONE, *PAID, "SCREENED OUT")
    waiting = recruitment.submissions.exclude(status__in=final).exists()
    doubtful = Bonus.objects.filter(
        submission__recruitment=recruitment, state__in=(Bonus.State.PAYING, Bonus.State.UNCERTAIN)
    ).exists()
    return recruitment.status == "COMPLETED" and not waiting and not doubtful


def sync(recruitment: Recruitment, client: ProlificClient) -> None:
    """Read the study and all its submissions, and act on what changed. A failure is written down and raised as ProlificError."""
    study_id = recruitment.prolific_study_id or ""
    try:
        store_remote(recruitment, client.study(study_id))
        for remote in client.submissions(study_id):
            note_submission(recruitment, remote)
        fill(recruitment, client)
    except ProlificError as error:
        recruitment.sync_error = error.sentence
        recruitment.save(update_fields=["sync_error"])
        raise
    recruitment.synced_at, recruitment.sync_error = timezone.now(), ""
    recruitment.save(update_fields=["synced_at", "sync_error"])


def note_submission(recruitment: Recruitment, remote: prolific.Submission) -> Submission:
    """Write down a submission as Prolific holds it. Reading the same again changes nothing."""
    with transaction.atomic():
        row, created = Submission.objects.select_for_update().get_or_create(
            prolific_id=remote.id, defaults={"recruitment": recruitment, "status": remote.status}
        )
        before = "" if created else row.status
        row.status = remote.status
        row.study_code = remote.study_code or row.study_code
        row.started_at, row.completed_at = remote.started_at or row.started_at, remote.completed_at or row.completed_at
        row.time_taken_s = remote.time_taken_s if remote.time_taken_s is not None else row.time_taken_s
        row.return_requested = bool(remote.return_requested)
        _link(row, remote)
        if before != row.status:
            note(recruitment, PROLIFIC, "submission status", row, old=before, new=row.status)
            _free_or_restore(row, before)
        _settle(row)
        row.save()
    return row


def _link(row: Submission, remote: prolific.Submission) -> None:
    """Find the session that came by this submission, and compare whose it is on both sides."""
    session = (
        Session.objects.filter(study=row.recruitment.study, prolific_session_id=remote.id, preview=False)
        .select_related("participant")
        .first()
    )
    if session is None:
        return
    if row.session_id != session.pk:
        # A second attempt takes the session over from the first.
        Submission.objects.filter(session=session).update(session=None)
        row.session = session
    known = session.participant.recruiter_id if session.participant else ""
    same = not known or not remote.participant_id or known == remote.participant_id
    row.mismatch = "" if same else "The link was opened under the id of another participant than the one Prolific names."


def _free_or_restore(row: Submission, before: str) -> None:
    """Returned and rejected submissions give their plan back for good; a timed-out one does unless its session is complete."""
    session = row.session
    if session is None:
        return
    if row.status in RELEASING:
        release(session)
    elif row.status == "TIMED-OUT":
        Session.objects.filter(pk=session.pk, state__in=Session.ACTIVE).update(state=Session.State.EXPIRED)
    elif before in RELEASING and session.state == Session.State.RELEASED:
        _restore(session)
    session.refresh_from_db()


def release(session: Session) -> None:
    """The submission was returned or rejected: its plan is free for somebody else, and its answers are not used."""
    holding = (*Session.HOLDS_PLAN, Session.State.EXPIRED)
    Session.objects.filter(pk=session.pk, state__in=holding).update(state=Session.State.RELEASED)


def _restore(session: Session) -> None:
    """Prolific took a rejection back. The answers count again; if the plan went to somebody else, they are surplus."""
    whole = session.trials.exists() and next_position(session) is None
    session.state = Session.State.COMPLETED if whole else Session.State.EXPIRED
    try:
        with transaction.atomic():
            session.save(update_fields=["state"])
    except IntegrityError:
        session.plan = None
        session.save(update_fields=["state", "plan"])


def _settle(row: Submission) -> None:
    """What Prolific, or the participant, has decided already is no longer ours to decide."""
    decided = Submission.Decision
    complete = row.session is not None and row.session.state == Session.State.COMPLETED
    if row.status in PAID:
        settled = decided.APPROVE
    elif row.status == "REJECTED":
        settled = decided.REJECT
    elif row.status in ("RETURNED", "SCREENED OUT") or (row.status == "TIMED-OUT" and not complete):
        settled = decided.NOTHING
    else:
        return
    if row.decision == settled:
        row.decision_sent = True
    elif row.decision == decided.PENDING or settled == decided.NOTHING:
        if not (row.decision == decided.RETURN and row.status == "RETURNED"):
            row.decision, row.decided_by, row.decided_at = settled, PROLIFIC, timezone.now()
            note(row.recruitment, PROLIFIC, "decision", row, decision=settled)
        row.decision_sent = True


def fill(recruitment: Recruitment, client: ProlificClient) -> None:
    """See that as many people can come as plans are free: raise the places within the cap, hold recruiting while no plan is free.

    Only a published study is touched, and never one that a person paused or stopped. During the pilot only lost places are replaced.
    """
    if recruitment.status not in ("ACTIVE", "AWAITING REVIEW") and not (recruitment.status == "PAUSED" and recruitment.held):
        return
    used = taken(recruitment)
    wanted = max(free_plans(recruitment.study).count() - arriving(recruitment), 0)
    if recruitment.is_pilot:
        wanted = min(wanted, max(recruitment.pilot_places - used, 0))
    vacant = recruitment.places - used
    if wanted == 0:
        if vacant > 0 and recruitment.status == "ACTIVE":
            pause(recruitment, US, client, held=True)
        return
    if wanted > vacant:
        places = _within_cap(recruitment, used + wanted)
        if places > recruitment.places:
            set_places(recruitment, places, US, client)
            vacant = places - used
    if vacant > 0 and recruitment.status in ("PAUSED", "AWAITING REVIEW"):
        resume(recruitment, US, client)


def _within_cap(recruitment: Recruitment, places: int) -> int:
    """The places that the spending cap allows, at most those wanted; says so in the log once when it is the cap that decides."""
    allowed = recruitment.spending_cap_minor // max(recruitment.cost_per_place_minor, recruitment.reward_minor)
    if places > allowed:
        last = recruitment.audit.filter(what="cap reached").first()
        if last is None or last.data.get("wanted") != places:
            note(recruitment, US, "cap reached", wanted=places, allowed=allowed)
    return min(places, allowed)


# Webhooks


def receive_webhook(headers: Any, raw_body: bytes, now: datetime) -> WebhookEvent | None:
    """Store a signed and fresh delivery; None for one that was stored before. Raises WebhookError for any other."""
    event = verify(
        settings.PROLIFIC_WEBHOOK_SECRETS,
        headers.get(TIMESTAMP_HEADER, ""),
        raw_body,
        headers.get(SIGNATURE_HEADER, ""),
        now,
        event_id=headers.get(EVENT_ID_HEADER, "")[:120],
    )
    raw = {key: value for key, value in event.raw.items() if key != "participant_id"}
    row, created = WebhookEvent.objects.get_or_create(
        event_id=event.id, defaults={"kind": event.type[:60], "resource_id": event.resource_id[:64], "raw": raw}
    )
    return row if created else None


def process_webhook(event: WebhookEvent, client: ProlificClient) -> None:
    """Read what the event points at, and act on that alone: events repeat and overtake one another. Raises ProlificError."""
    if event.kind.startswith("submission."):
        remote = client.submission(event.resource_id)
        recruitment = Recruitment.objects.filter(prolific_study_id=remote.study_id).select_related("study").first()
        if recruitment:
            note_submission(recruitment, remote)
    else:
        recruitment = Recruitment.objects.filter(prolific_study_id=event.resource_id).select_related("study").first()
    if recruitment:
        store_remote(recruitment, client.study(recruitment.prolific_study_id or ""))
        fill(recruitment, client)
    WebhookEvent.objects.filter(pk=event.pk).update(processed_at=timezone.now())


def process_webhooks() -> int:
    """Process what was stored and not processed, because Prolific did not answer at the time; return how many were."""
    waiting = WebhookEvent.objects.filter(processed_at=None).order_by("pk")[:100]
    done = 0
    if not settings.PROLIFIC_TOKEN:
        return 0
    with connect(attempts=1, timeout_s=5) as client:
        for event in waiting:
            try:
                process_webhook(event, client)
            except ProlificError as error:
                if error.retriable:
                    break
                # Prolific knows nothing of it: there is nothing to do, now or later.
                WebhookEvent.objects.filter(pk=event.pk).update(processed_at=timezone.now())
            done += 1
    return done
