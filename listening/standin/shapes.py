"""The stand-in's answers: the same thing looks different in a list and alone, as it does at Prolific."""

from datetime import datetime
from typing import Any

from listening.standin.records import PAID, Batch, Group, Message, Study, Submission
from listening.standin.world import World

_COUNTED = (
    *("ACTIVE", "APPROVED", "AWAITING REVIEW", "REJECTED", "RESERVED", "RETURNED", "TIMED-OUT"),
    *("PARTIALLY APPROVED", "SCREENED OUT"),
)


def iso(when: datetime | None) -> str | None:
    """RFC 3339 with T and Z."""
    return when.isoformat().replace("+00:00", "Z") if when else None


def study_detail(world: World, study: Study) -> dict[str, Any]:
    return {
        **study.fields,
        "id": study.id,
        "status": study.status,
        "is_ready_to_publish": study.status == "UNPUBLISHED",
        "project": study.fields.get("project") or world.project_id,
        "workspace": study.workspace_id,
        "currency_code": world.currency,
        "date_created": iso(study.created_at),
        "published_at": iso(study.published_at),
        "places_taken": world.places_taken(study.id),
        "number_of_submissions": len(world.of_study(study.id)),
        "total_cost": study.places * world.rates.total(study.reward),
        "fees_percentage": float(world.rates.fee),
        "vat_percentage": float(world.rates.vat),
    }


def study_short(world: World, study: Study) -> dict[str, Any]:
    names = (
        *("id", "name", "internal_name", "status", "estimated_completion_time", "total_available_places", "places_taken"),
        *("number_of_submissions", "reward", "total_cost", "published_at", "date_created", "is_ready_to_publish"),
    )
    detail = study_detail(world, study)
    return {**{name: detail[name] for name in names}, "study_type": "SINGLE", "publish_at": iso(study.publish_at)}


def submission_short(world: World, submission: Submission) -> dict[str, Any]:
    """In a list: participant_id, study_code, strata; no study."""
    taken = None
    if submission.started_at and submission.completed_at:
        taken = round((submission.completed_at - submission.started_at).total_seconds())
    person = world.people[submission.participant_id]
    return {
        "id": submission.id,
        "participant_id": submission.participant_id,
        "status": submission.status,
        "started_at": iso(submission.started_at or submission.reserved_at),
        "completed_at": iso(submission.completed_at),
        "has_siblings": False,
        "study_code": submission.entered_code,
        "return_requested": iso(submission.return_requested),
        "is_complete": submission.completed_at is not None,
        "time_taken": taken,
        "reward": world.studies[submission.study_id].reward,
        "strata": {"sex": person.sex},
        "bonus_payments": list(submission.bonuses_minor),
        "star_awarded": False,
    }


def submission_state(submission: Submission) -> dict[str, Any]:
    """After a transition: participant, study_id, entered_code."""
    return {
        "id": submission.id,
        "participant": submission.participant_id,
        "study_id": submission.study_id,
        "status": submission.status,
        "started_at": iso(submission.started_at or submission.reserved_at),
        "completed_at": iso(submission.completed_at),
        "entered_code": submission.entered_code,
    }


def submission_detail(submission: Submission) -> dict[str, Any]:
    return {
        **submission_state(submission),
        "parent_study_id": None,
        "bonus_payments": list(submission.bonuses_minor),
        "return_requested": iso(submission.return_requested),
    }


def counts(submissions: list[Submission]) -> dict[str, int]:
    of = {status: sum(each.status == status for each in submissions) for status in _COUNTED}
    return {**of, "TOTAL": len(submissions)}


def cost(world: World, study: Study, projected: bool) -> dict[str, Any]:
    """What was debited for a study so far; projected, what all its places will cost."""
    of_study = world.of_study(study.id)
    rewards = [each.paid_minor for each in of_study if each.paid_minor]
    if projected:
        paid = sum(each.status in PAID for each in of_study)
        rewards += [study.reward] * max(study.places - paid, 0)
    paid_bonuses = [amount for batch in _of_study(world, study) for _, amount in batch.lines * batch.payments]
    return {"rewards": _breakdown(world, rewards), "bonuses": _breakdown(world, paid_bonuses), "_links": {}}


def _of_study(world: World, study: Study) -> list[Batch]:
    return [batch for batch in world.batches.values() if batch.study_id == study.id]


def _breakdown(world: World, amounts: list[int]) -> dict[str, Any]:
    parts = [(amount, *world.rates.on(amount)) for amount in amounts]
    sums = [sum(part[i] for part in parts) for i in range(3)]
    return {
        name: {"amount": total, "currency": world.currency}
        for name, total in zip(("rewards", "fees", "tax"), sums, strict=True)
    }


def balance(world: World) -> dict[str, Any]:
    def breakdown(total: int) -> dict[str, int]:
        rewards = int(total / (1 + world.rates.fee * (1 + world.rates.vat)))
        fees = int(rewards * world.rates.fee)
        return {"rewards": rewards, "fees": fees, "vat": total - rewards - fees}

    available = world.available()
    return {
        "currency_code": world.currency,
        "total_balance": world.balance,
        "balance_breakdown": breakdown(world.balance),
        "available_balance": available,
        "available_balance_breakdown": breakdown(available),
    }


def bonus_batch(batch: Batch) -> dict[str, Any]:
    body: dict[str, Any] = {"id": batch.id, "study": batch.study_id, "amount": batch.amount, "fees": batch.fees}
    return {**body, "vat": batch.vat, "total_amount": batch.total}


def group(each: Group) -> dict[str, Any]:
    return {
        "id": each.id,
        "name": each.name,
        "project_id": None,
        "workspace_id": each.workspace_id,
        "organisation_id": None,
        "description": each.description,
        "participant_count": len(each.members),
        "is_deleted": each.is_deleted,
        "feeder_studies": [],
    }


def members(each: Group) -> list[dict[str, Any]]:
    return [{"participant_id": person, "datetime_created": iso(when)} for person, when in each.members.items()]


def message(each: Message) -> dict[str, Any]:
    return {
        "id": each.id,
        "sender_id": each.sender_id,
        "body": each.body,
        "sent_at": iso(each.sent_at),
        "type": "message",
        "channel_id": f"{each.sender_id}-{each.recipient_id}",
        "data": {"study_id": each.study_id},
    }
