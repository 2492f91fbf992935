"""The life of a study: draft, publishing, active, waiting for review, paused, completed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from listening.standin.records import UNFINISHED, Refused, Study
from listening.standin.validation import check_changes, check_codes, check_fields, complete_fields
from listening.standin.world import World

_MOVES = {
    "PUBLISH": ({"UNPUBLISHED"}, "PUBLISHING"),
    "SCHEDULE_PUBLISH": ({"UNPUBLISHED"}, "SCHEDULED"),
    "CANCEL_PUBLISH": ({"SCHEDULED"}, "UNPUBLISHED"),
    "PAUSE": ({"ACTIVE"}, "PAUSED"),
    "START": ({"PAUSED", "AWAITING REVIEW"}, "ACTIVE"),
    "STOP": ({"ACTIVE", "PAUSED", "AWAITING REVIEW"}, "COMPLETED"),
}


def create(world: World, body: Mapping[str, Any]) -> Study:
    fields = complete_fields(body)
    study = Study(world.new_id(), fields, world.workspace_id, world.now())
    world.studies[study.id] = study
    return study


def change(world: World, study_id: str, changes: Mapping[str, Any]) -> Study:
    study = world.study(study_id)
    fields = {**study.fields, **changes}
    if study.status not in ("UNPUBLISHED", "SCHEDULED"):
        check_changes(study.fields, changes)
        check_codes(fields["completion_codes"], study.reward)
        added = int(fields["total_available_places"]) - study.places
        _afford(world, added * world.rates.total(study.reward))
    else:
        check_fields(fields)
    raised = fields["total_available_places"] > study.places
    study.fields = fields
    if raised and study.status in ("AWAITING REVIEW", "COMPLETED"):
        move(world, study, "ACTIVE")
    return study


def transition(world: World, study_id: str, action: str, publish_at: str | None = None) -> Study:
    """Asked for the state it is already in, a study stays there."""
    study = world.study(study_id)
    if action not in _MOVES:
        raise Refused({"action": [f"{action} is not a valid choice."]})
    origins, target = _MOVES[action]
    if study.status == target or (action == "PUBLISH" and study.published_at):
        return study
    if study.status not in origins:
        raise Refused(f"A study that is {study.status} cannot {action}.")
    if action == "PUBLISH":
        _publish(world, study)
    elif action == "SCHEDULE_PUBLISH":
        _schedule(world, study, publish_at)
    elif action == "START" and world.places_taken(study.id) >= study.places:
        raise Refused("All places are taken; increase the number of places.")
    else:
        move(world, study, target)
    return study


def _publish(world: World, study: Study) -> None:
    _afford(world, study.places * world.rates.total(study.reward))
    study.published_at = world.now()
    move(world, study, "PUBLISHING")
    world.clock.after(world.publish_delay_s, lambda: _go_live(world, study))


def _go_live(world: World, study: Study) -> None:
    with world.lock:
        if study.status == "PUBLISHING":
            move(world, study, "ACTIVE")


def _schedule(world: World, study: Study, publish_at: str | None) -> None:
    if not publish_at:
        raise Refused({"publish_at": ["This field is required."]})
    study.publish_at = datetime.fromisoformat(publish_at.replace("Z", "+00:00"))
    move(world, study, "SCHEDULED")

    def due() -> None:
        with world.lock:
            if study.status == "SCHEDULED":
                _publish(world, study)

    world.clock.after((study.publish_at - world.now()).total_seconds(), due)


def _afford(world: World, amount: int) -> None:
    if amount > world.available():
        raise Refused("Your balance is too low for this; top it up first.")


def move(world: World, study: Study, status: str) -> None:
    if study.status != status:
        study.status = status
        world.emit("study.status.change", study.id, {"status": status})


def places_changed(world: World, study: Study, left: str = "") -> None:
    """After a submission took or left a place. left: the state it was in when it left.

    The last place taken sends an active study to AWAITING REVIEW. A place left by somebody who had not finished reopens by itself;
    one that was rejected or returned after finishing reopens only while the study is active, else the researcher must START.
    """
    full = world.places_taken(study.id) >= study.places
    if full and study.status == "ACTIVE":
        move(world, study, "AWAITING REVIEW")
    elif not full and study.status == "AWAITING REVIEW" and left in UNFINISHED:
        move(world, study, "ACTIVE")


def clone(world: World, study_id: str, block_previous: bool) -> Study:
    """A draft like another study; block_previous keeps its participants out."""
    fields = dict(world.study(study_id).fields)
    if block_previous:
        blocked = {"filter_id": "previous_studies_blocklist", "selected_values": [study_id]}
        fields["filters"] = [*(fields.get("filters") or ()), blocked]
    return create(world, {**fields, "name": f"{fields['name']} Copy"})


def delete(world: World, study_id: str) -> None:
    study = world.study(study_id)
    if study.status != "UNPUBLISHED":
        raise Refused("Only drafts can be deleted.")
    del world.studies[study_id]
