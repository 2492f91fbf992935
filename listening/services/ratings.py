"""Take what raters say: once, completely, and for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from listening.models import Event, Rating, Session, Trial
from listening.rating_tasks.base import Answer, AnswerError
from listening.services.asking import clips_of, n_listenings, reference_comes_first, screen_of, study_tasks
from listening.services.balance import note_completed
from listening.services.check_items import grade_check
from listening.services.errors import ServiceError

# A page measures what was heard from its audio clock and we from ours; they may differ by a little.
HEARD_TOLERANCE = 0.02
#: What can stand between a rater and a clip: nothing comes, the server will not give it, its bytes differ, it does not decode.
SKIP_REASONS = ("network", "missing", "damaged", "undecodable")
#: Clips that a session may do without; one may always fail.
MAX_SKIPPED_SHARE = 0.25


class NotHeardError(ServiceError):
    """A rating for a clip that was not heard yet."""


class TooManySkippedError(ServiceError):
    """So many clips could not be heard that going on makes no sense."""


class ConflictError(ServiceError):
    """Another answer for this trial is stored already; the first one stands."""


@dataclass(frozen=True)
class Receipt:
    """What the server holds now. ``repeated`` says that it held it before."""

    position: int
    repeated: bool
    next_position: int | None


def clean_answers(session: Session, position: int, answers: Mapping[str, Any]) -> tuple[list[Answer], dict[str, str]]:
    """Every answer to a trial, and a sentence for each question whose answer cannot be stored."""
    screen = screen_of(session, position)
    cleaned: list[Answer] = []
    errors: dict[str, str] = {}
    asked: set[str] = set()
    for task in study_tasks(session.study):
        asked.update(task.scale_keys)
        try:
            cleaned += task.clean_all(answers, screen)
        except AnswerError as error:
            errors[error.scale] = str(error)
    errors |= {key: _("This study does not ask “{question}”.").format(question=key) for key in answers if key not in asked}
    return cleaned, errors


def record_ratings(
    session: Session,
    position: int,
    answers: list[Answer],
    *,
    idempotency_key: UUID,
    listening: Mapping[str, Any],
    client_time: datetime | None = None,
) -> Receipt:
    """Store the answers of one trial, and complete the session with its last one.

    The same answers again get the same receipt. Answers are taken late, out of order, and after the study was closed.
    Raises Trial.DoesNotExist, NotHeardError, or ConflictError when different answers are stored already.
    """
    try:
        with transaction.atomic():
            trial = _lock_trial(session, position)
            repeated = trial.answered_at is not None and not (trial.skipped and session.is_active)
            if not repeated:
                _check_heard(session, trial, listening)
                _store(session, trial, answers, idempotency_key, listening, client_time)
            session.extend_lease()
    except IntegrityError:
        # Two copies of one answer arrived at once and the other was stored first.
        trial = Trial.objects.get(session=session, position=position)
        repeated = True
    # Also when the answers came again: a server that ended right after it had stored the last of them completed nothing.
    following = complete_if_whole(session)
    if repeated:
        _refuse_conflict(session, trial, answers, idempotency_key)
    return Receipt(position, repeated, following)


def skip_trial(session: Session, position: int, reason: str, *, listening: Mapping[str, Any]) -> Receipt:
    """Note that a clip could not be heard, and let the session go on without it. An answer that comes later replaces the note.

    The vote is asked of somebody else (``services.balance``). The same report again gets the same receipt, and so does one for a
    trial that is answered. Raises Trial.DoesNotExist or TooManySkippedError.
    """
    with transaction.atomic():
        trial = _lock_trial(session, position)
        repeated = trial.answered_at is not None
        if not repeated:
            _check_few_skipped(session)
            trial.answered_at, trial.skipped, trial.listening = timezone.now(), reason, dict(listening)
            trial.save(update_fields=["answered_at", "skipped", "listening"])
            data = {"position": position, "reason": reason, "stimulus": str(trial.stimulus)}
            Event.objects.create(study=session.study, session=session, kind="clip_skipped", data=data)
        session.extend_lease()
    return Receipt(position, repeated, complete_if_whole(session))


def _check_few_skipped(session: Session) -> None:
    allowed = max(1, int(session.trials.count() * MAX_SKIPPED_SHARE))
    if session.trials.exclude(skipped="").count() >= allowed:
        raise TooManySkippedError(
            _("Too many clips could not be loaded. Please try again later or over another connection; your answers are kept.")
        )


def _lock_trial(session: Session, position: int) -> Trial:
    kept = ("session", "position", "role", "expected", "answered_at", "skipped", "audio_sent_at")
    trials = Trial.objects.select_related("stimulus").only(*kept, "stimulus__source_clip", "stimulus__duration_s")
    if connection.features.has_select_for_update:
        trials = trials.select_for_update(of=("self",))
    return trials.get(session=session, position=position)


def _store(
    session: Session,
    trial: Trial,
    answers: list[Answer],
    idempotency_key: UUID,
    listening: Mapping[str, Any],
    client_time: datetime | None,
) -> None:
    if not session.preview:
        Rating.objects.bulk_create(
            [
                Rating(
                    trial=trial,
                    stimulus=trial.stimulus,
                    scale=answer.scale,
                    value=answer.value,
                    labels=None if answer.labels is None else list(answer.labels),
                    idempotency_key=idempotency_key,
                    client_time=client_time,
                )
                for answer in answers
            ]
        )
        grade_check(trial, answers)
    trial.answered_at, trial.skipped = timezone.now(), ""
    trial.listening = dict(listening) | _orders(session, trial.position)
    trial.save(update_fields=["answered_at", "skipped", "listening"])


def _orders(session: Session, position: int) -> dict[str, Any]:
    """What was drawn for the trial, kept with it: a later version of this program may draw differently."""
    screen = screen_of(session, position)
    asked = [scale.key for task in study_tasks(session.study) for scale in task.asked(screen)]
    return {"asked": asked, "reference_first": reference_comes_first(session, position)}


def _refuse_conflict(session: Session, trial: Trial, answers: list[Answer], idempotency_key: UUID) -> None:
    """Unless the stored answers are these, keep these in the log and raise ConflictError."""
    stored = {rating.scale: rating.value if rating.labels is None else rating.labels for rating in trial.ratings.all()}
    given = {answer.scale: answer.value if answer.labels is None else list(answer.labels) for answer in answers}
    if session.preview or stored == given:
        return
    Event.objects.create(
        study=session.study,
        session=session,
        kind="conflicting_answer",
        data={"position": trial.position, "stored": stored, "given": given, "idempotency_key": str(idempotency_key)},
    )
    raise ConflictError(_("This clip has been rated already, with another answer; the first one stands."))


def _check_heard(session: Session, trial: Trial, listening: Mapping[str, Any]) -> None:
    needed = session.study.minimum_heard_share
    sentence = (
        _("Please listen to the clip before you rate it.")
        if needed < 1
        else _("Please listen to the clip to its end before you rate it.")
    )
    clips = clips_of(session, [trial])[trial.position]
    times = n_listenings(session.study)
    # Without shares of its own the only clip was heard as far as the whole.
    shares = listening.get("heard_shares") or [listening["heard_share"]]
    if len(shares) < len(clips) or min(*shares, listening["heard_share"]) < needed - HEARD_TOLERANCE:
        raise NotHeardError(sentence)
    if listening["plays"] < times:
        raise NotHeardError(sentence if times == 1 else _("Please listen to the clip again before each question."))
    if session.participant is None or session.participant.simulated:
        return
    heard_at_least = timedelta(seconds=sum(clip.duration_s or 0 for clip in clips) * times * (needed - HEARD_TOLERANCE))
    since = None if trial.audio_sent_at is None else timezone.now() - trial.audio_sent_at
    # A clip that leaves in the future says that our clock was set back; then the page's word stands alone.
    if since is None or timedelta(0) <= since < heard_at_least:
        raise NotHeardError(sentence)


def next_position(session: Session) -> int | None:
    """The first trial without an answer, or None when the session is whole."""
    return session.trials.filter(answered_at=None).order_by("position").values_list("position", flat=True).first()


def complete_if_whole(session: Session) -> int | None:
    """Complete a session that has every answer; the first trial without one where it has not.

    A rater who was away so long that their plan went to somebody else still completes; their votes are surplus and hold no plan.
    """
    if (following := next_position(session)) is not None:
        return following
    # Asked of the row as it is now: a submission may have been returned since this session was read.
    going = Session.objects.filter(pk=session.pk).exclude(state__in=(Session.State.COMPLETED, Session.State.RELEASED))
    whole = {"state": Session.State.COMPLETED, "completed_at": timezone.now()}
    try:
        with transaction.atomic():
            completed = going.update(**whole)
    except IntegrityError:
        completed = going.update(**whole, plan=None)
    session.refresh_from_db()
    if completed and not session.preview:
        note_completed(session.study)
    return None


def note_audio_sent(trial: Trial) -> None:
    """Remember when the trial's clip first left for the rater."""
    if trial.audio_sent_at is None:
        Trial.objects.filter(pk=trial.pk, audio_sent_at=None).update(audio_sent_at=timezone.now())
