"""The life of a submission: a place reserved, the study opened, finished, timed out or returned, approved or rejected."""

from collections.abc import Iterable
from typing import Any

from listening.standin.records import PAID, Refused, Study, Submission
from listening.standin.studies import move, places_changed
from listening.standin.validation import REJECTION_CATEGORIES
from listening.standin.vocabulary import cell_of, passes
from listening.standin.world import World

RESERVED_FOR_S = 600
APPROVED_AFTER_S = 21 * 24 * 3600
_RETURNABLE = {"RESERVED", "ACTIVE", "AWAITING REVIEW"}


def reserve(world: World, study_id: str, participant_id: str) -> Submission:
    """Give a participant a place for ten minutes; the same one again while they hold it. Raises Refused with the reason."""
    study, person = world.study(study_id), world.people[participant_id]
    for own in world.of_study(study_id):
        if own.participant_id == participant_id:
            if own.status in ("RESERVED", "ACTIVE"):
                return own
            raise Refused("You have taken part in this study already.", status=403)
    if study.status != "ACTIVE":
        raise Refused(f"The study is {study.status}.", status=403)
    filters = study.fields.get("filters")
    cell = cell_of(person, filters)
    if cell is None or not passes(person, filters, world.belongs(person)):
        raise Refused("You are not eligible for this study.", status=403)
    if world.free_in_cell(study, cell) <= 0:
        raise Refused("There is no free place for you.", status=403)
    most = int((study.fields.get("submissions_config") or {}).get("max_concurrent_submissions") or -1)
    if most > 0 and sum(each.status in ("RESERVED", "ACTIVE") for each in world.of_study(study_id)) >= most:
        raise Refused("Too many people are taking part right now.", status=403)
    submission = Submission(world.new_id(), study_id, participant_id, world.now(), cell)
    world.submissions[submission.id] = submission
    _set(world, submission, "RESERVED")
    places_changed(world, study)
    world.clock.after(RESERVED_FOR_S, lambda: _leave_if(world, submission, "RESERVED", "RETURNED"))
    return submission


def open_study(world: World, submission: Submission) -> str:
    """The address a participant is sent to; opening it the first time starts the clock of the study."""
    study = world.study(submission.study_id)
    if submission.status == "RESERVED":
        submission.started_at = world.now()
        _set(world, submission, "ACTIVE")
        minutes = float(study.fields["maximum_allowed_time"])
        world.clock.after(60 * minutes, lambda: _leave_if(world, submission, "ACTIVE", "TIMED-OUT"))
    elif submission.status != "ACTIVE":
        raise Refused(f"Your submission is {submission.status}.", status=403)
    return study_url(study, submission.participant_id, submission.id)


def study_url(study: Study, participant_id: str, submission_id: str) -> str:
    """The study's address with the placeholders replaced, and nothing else of it touched."""
    url = str(study.fields["external_study_url"])
    values = {"PROLIFIC_PID": participant_id, "STUDY_ID": study.id, "SESSION_ID": submission_id}
    for name, value in values.items():
        url = url.replace(f"{{{{%{name}%}}}}", value)
    return url


def complete(world: World, submission: Submission, code: str) -> None:
    """A participant came back with a code, or without one: what its actions say happens, an unknown one is kept for review."""
    if submission.status != "ACTIVE":
        raise Refused(f"Your submission is {submission.status}.", status=403)
    study = world.study(submission.study_id)
    submission.completed_at = world.now()
    known = {
        item["code"]: item for item in study.fields["completion_codes"] if item.get("actor", "participant") == "participant"
    }
    submission.entered_code = code or "NOCODE"
    actions = known[code]["actions"] if code in known else []
    if world.processing_s:
        _set(world, submission, "PROCESSING")
        world.clock.after(world.processing_s, lambda: _settle_later(world, submission, actions))
    else:
        _settle(world, submission, actions)


def _settle_later(world: World, submission: Submission, actions: list[dict[str, Any]]) -> None:
    with world.lock:
        _settle(world, submission, actions)


def _settle(world: World, submission: Submission, actions: list[dict[str, Any]]) -> None:
    study = world.study(submission.study_id)
    for action in actions:
        if action["action"] == "FIXED_SCREEN_OUT_PAYMENT":
            return _screen_out(world, study, submission, action)
        group = world.groups.get(action.get("participant_group", ""))
        if group and action["action"] == "ADD_TO_PARTICIPANT_GROUP":
            group.members[submission.participant_id] = world.now()
        elif group and action["action"] == "REMOVE_FROM_PARTICIPANT_GROUP":
            group.members.pop(submission.participant_id, None)
    _set(world, submission, "AWAITING REVIEW")
    world.clock.after(APPROVED_AFTER_S, lambda: _approve_if_waiting(world, submission))
    kinds = {action["action"]: action for action in actions}
    if "REQUEST_RETURN" in kinds:
        request_return(world, submission.id, [kinds["REQUEST_RETURN"]["return_reason"]])
    elif "AUTOMATICALLY_APPROVE" in kinds and not _too_fast(study, submission):
        approve(world, submission.id)


def _too_fast(study: Study, submission: Submission) -> bool:
    """Whether it took less than half the estimate, which keeps it from being approved without a look."""
    assert submission.started_at and submission.completed_at
    taken = (submission.completed_at - submission.started_at).total_seconds()
    return taken < 60 * float(study.fields["estimated_completion_time"]) / 2


def _screen_out(world: World, study: Study, submission: Submission, action: dict[str, Any]) -> None:
    reward = int(action["fixed_screen_out_reward"])
    world.spend(reward)
    submission.paid_minor = reward
    _set(world, submission, "SCREENED OUT")
    places_changed(world, study, left="ACTIVE")
    used = sum(each.status == "SCREENED OUT" for each in world.of_study(study.id))
    if used >= int(action["slots"]) and study.status == "ACTIVE":
        move(world, study, "PAUSED")


def give_back(world: World, submission: Submission) -> None:
    """A participant returns a submission, before or after finishing it."""
    if submission.status not in _RETURNABLE:
        raise Refused(f"Your submission is {submission.status}.", status=403)
    _leave_if(world, submission, submission.status, "RETURNED")


def approve(world: World, submission_id: str) -> Submission:
    """Pay. Again, it does nothing. Raises Refused for one that is not finished, or decided otherwise."""
    submission = world.submission(submission_id)
    if submission.status in PAID:
        return submission
    # A participant whose time ran out with all the work done may be paid still; it takes no place from others.
    if submission.status not in ("AWAITING REVIEW", "TIMED-OUT"):
        raise Refused(f"A submission that is {submission.status} cannot be approved.")
    study = world.study(submission.study_id)
    world.spend(study.reward)
    submission.paid_minor = study.reward
    _set(world, submission, "APPROVED")
    return submission


def reject(world: World, submission_id: str, category: str, message: str) -> Submission:
    """Refuse pay, for good. Again, it does nothing."""
    submission = world.submission(submission_id)
    if category not in REJECTION_CATEGORIES:
        raise Refused({"rejection_category": ["This field is required and must be a valid category."]})
    if len(message) < 100:
        raise Refused({"message": ["The message must have at least 100 characters."]})
    if submission.status == "REJECTED":
        return submission
    if submission.status != "AWAITING REVIEW":
        raise Refused(f"A submission that is {submission.status} cannot be rejected.")
    submission.rejection = (category, message)
    _set(world, submission, "REJECTED")
    places_changed(world, world.study(submission.study_id), left="AWAITING REVIEW")
    return submission


def request_return(world: World, submission_id: str, reasons: list[str]) -> Submission:
    submission = world.submission(submission_id)
    if submission.status not in ("ACTIVE", "AWAITING REVIEW"):
        raise Refused(f"A submission that is {submission.status} cannot be asked back.")
    submission.return_requested = world.now()
    submission.return_reasons = reasons
    return submission


def approve_later(world: World, submission_ids: Iterable[str]) -> None:
    """Bulk approval: asked for now, done later; what cannot be approved by then is passed over."""
    chosen = [world.submission(submission_id) for submission_id in submission_ids]

    def due() -> None:
        with world.lock:
            for submission in chosen:
                if submission.status == "AWAITING REVIEW":
                    approve(world, submission.id)

    world.clock.after(world.bulk_delay_s, due)


def _approve_if_waiting(world: World, submission: Submission) -> None:
    with world.lock:
        if submission.status == "AWAITING REVIEW":
            approve(world, submission.id)


def _leave_if(world: World, submission: Submission, expected: str, status: str) -> None:
    with world.lock:
        if submission.status == expected:
            _set(world, submission, status)
            places_changed(world, world.study(submission.study_id), left=expected)


def _set(world: World, submission: Submission, status: str) -> None:
    submission.status = status
    submission.history.append((world.now(), status))
    said: dict[str, object] = {"participant_id": submission.participant_id, "status": status}
    world.emit("submission.status.change", submission.id, said)
