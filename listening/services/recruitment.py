"""Launch a study on Prolific and steer it there: draft, price, publish, pilot, pause, stop."""

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from listening.models import AuditEntry, Recruitment, Session, Study, Submission
from listening.prolific import ProlificClient, RemoteStudy, StudyDraft
from listening.services.balance import free_plans
from listening.services.criteria import Criteria, build_filters
from listening.services.errors import ServiceError
from listening.services.money import money
from listening.services.studies import rater_link

#: Fewer finished submissions than this say little about how long a study takes.
ENOUGH_TIMES = 5


@dataclass(frozen=True)
class DraftOptions:
    """What a researcher decides before a study goes to Prolific. Money in minor units."""

    name: str
    description: str
    reward_minor: int
    estimated_minutes: int
    spending_cap_minor: int
    workspace_id: str
    project_id: str = ""
    pilot_places: int = 0
    secure: bool = False
    criteria: Criteria = field(default_factory=Criteria)


@dataclass(frozen=True)
class PayRate:
    """What an hour pays, by the median time that participants took or, before there are enough, by the estimate."""

    minutes: float
    measured: bool
    hourly_minor: int
    minimum_minor: int
    recommended_minor: int
    currency: str

    @property
    def too_low(self) -> bool:
        return self.hourly_minor < self.minimum_minor

    @property
    def sentence(self) -> str:
        by = "by the median time" if self.measured else "by the estimate"
        pays = f"{money(self.hourly_minor, self.currency)} an hour {by} of {self.minutes:.1f} minutes"
        if self.too_low:
            return f"This pays {pays}. Prolific's minimum is {money(self.minimum_minor, self.currency)}: raise the reward."
        if self.hourly_minor < self.recommended_minor:
            return f"This pays {pays}, less than the {money(self.recommended_minor, self.currency)} that Prolific recommends."
        return f"This pays {pays}, at least the {money(self.recommended_minor, self.currency)} that Prolific recommends."


@dataclass(frozen=True)
class LaunchCost:
    """What some number of places cost, and whether that can be paid."""

    places: int
    rewards_minor: int
    total_minor: int
    available_minor: int
    cap_minor: int
    currency: str
    eligible: int
    rate: PayRate

    @property
    def fees_minor(self) -> int:
        return self.total_minor - self.rewards_minor

    @property
    def problems(self) -> list[str]:
        """Sentences that stand in the way of spending this."""
        found = [self.rate.sentence] if self.rate.too_low else []
        if self.total_minor > self.available_minor:
            lacking = money(self.total_minor - self.available_minor, self.currency)
            found.append(f"The workspace's balance is {money(self.available_minor, self.currency)}; {lacking} are lacking.")
        if self.total_minor > self.cap_minor:
            found.append(f"That is more than the spending cap of {money(self.cap_minor, self.currency)}.")
        return found


def connect(*, attempts: int = 5, timeout_s: float = 20.0) -> ProlificClient:
    """A client with this installation's token. Raises ServiceError while there is none."""
    if not settings.PROLIFIC_TOKEN:
        raise ServiceError(
            "No Prolific token is set: put PROLIFIC_TOKEN into .env, or work with Prolific by hand through files."
        )
    return ProlificClient(settings.PROLIFIC_BASE_URL, settings.PROLIFIC_TOKEN, attempts=attempts, timeout_s=timeout_s)


def note(recruitment: Recruitment, who: str, what: str, submission: Submission | None = None, **data: Any) -> None:
    """Write a line of the audit log."""
    AuditEntry.objects.create(recruitment=recruitment, submission=submission, who=who, what=what, data=data)


def refuse_sandbox(study: Study) -> None:
    """Nobody is recruited for a sandbox. Raises ServiceError."""
    if study.is_sandbox:
        raise ServiceError(f"{study} is a sandbox for simulated raters; recruit for the study that it is a copy of.")


def completion_codes(study: Study) -> list[dict[str, Any]]:
    """The study's codes with what Prolific does when a participant hands one in. Nobody is rejected or paid by a code alone."""

    def returning(code: str, code_type: str, reason: str) -> dict[str, Any]:
        return {"code": code, "code_type": code_type, "actions": [{"action": "REQUEST_RETURN", "return_reason": reason}]}

    return [
        {"code": study.completion_code, "code_type": "COMPLETED", "actions": [{"action": "MANUALLY_REVIEW"}]},
        returning(study.no_consent_code, "NO_CONSENT", "You did not consent, so please return your submission."),
        returning(
            study.screened_out_code, "SCREENED_OUT", "All places for your group were taken. Please return your submission."
        ),
        returning(
            study.failed_check_code,
            "FAILED_ATTENTION_CHECK",
            "The sound check did not work out on your device. Please return your submission; it is not rejected.",
        ),
        returning(
            study.incompatible_device_code,
            "INCOMPATIBLE_DEVICE",
            "Your browser or device cannot play the clips. Please return your submission; it is not rejected.",
        ),
    ]


def pay_rate(recruitment: Recruitment, client: ProlificClient) -> PayRate:
    """The hourly rate against Prolific's minimum and recommendation. Raises ProlificError."""
    finished = Submission.objects.filter(recruitment_id=recruitment.pk, session__state=Session.State.COMPLETED)
    times = [row.time_taken_s for row in finished if row.time_taken_s]
    measured = len(times) >= ENOUGH_TIMES
    minutes = statistics.median(times) / 60 if measured else recruitment.estimated_minutes
    advice = client.reward_recommendation(recruitment.workspace_id, recruitment.currency)
    return PayRate(
        minutes=minutes,
        measured=measured,
        hourly_minor=math.floor(recruitment.reward_minor * 60 / minutes),
        minimum_minor=advice.minimum_minor,
        recommended_minor=advice.recommended_minor,
        currency=recruitment.currency,
    )


def launch_cost(recruitment: Recruitment, places: int, client: ProlificClient) -> LaunchCost:
    """What so many places cost in all, against the balance and the cap. Raises ProlificError."""
    return LaunchCost(
        places=places,
        rewards_minor=recruitment.reward_minor * places,
        total_minor=client.calculate_cost(recruitment.reward_minor, places),
        available_minor=client.balance(recruitment.workspace_id).available_minor,
        cap_minor=recruitment.spending_cap_minor,
        currency=recruitment.currency,
        eligible=client.eligibility_count(recruitment.filters, recruitment.workspace_id),
        rate=pay_rate(recruitment, client),
    )


def create_draft(study: Study, options: DraftOptions, who: str, client: ProlificClient) -> Recruitment:
    """Write the study down on Prolific as a draft, which nobody sees and which costs nothing. Raises ServiceError, ProlificError.

    The row is stored before the call. When the answer is lost, the next attempt looks for the draft by its internal name and takes
    it rather than make another.
    """
    refuse_sandbox(study)
    if study.status not in (Study.Status.FROZEN, Study.Status.OPEN):
        raise ServiceError(f"The study is {study.status}; freeze it first, so that its places are known.")
    wanted = free_plans(study).count()
    if not wanted:
        raise ServiceError("Every place of the study is taken; there is nobody to recruit.")
    filters, words = build_filters(options.criteria, client.filters())
    pilot = min(options.pilot_places, wanted)
    fields = {
        "workspace_id": options.workspace_id,
        "project_id": options.project_id,
        "currency": client.balance(options.workspace_id).currency_code or "GBP",
        "reward_minor": options.reward_minor,
        "estimated_minutes": options.estimated_minutes,
        "pilot_places": pilot,
        "places": pilot or wanted,
        "spending_cap_minor": options.spending_cap_minor,
        "secure": options.secure,
        "filters": filters,
        "criteria": words,
    }
    rate = pay_rate(Recruitment(study=study, **fields), client)
    if rate.too_low:
        raise ServiceError(rate.sentence)
    fields["minimum_hourly_minor"] = rate.minimum_minor
    with transaction.atomic():
        recruitment, again = _hold(study, fields)
        note(recruitment, who, "draft", reward_minor=options.reward_minor, places=recruitment.places, criteria=words)
    draft = study_draft(recruitment, options)
    remote = (_find_draft(draft, client) if again else None) or client.create_study(draft)
    recruitment.prolific_study_id = remote.id
    store_remote(recruitment, remote)
    note(recruitment, who, "draft made", prolific_study_id=remote.id)
    return recruitment


def _hold(study: Study, fields: dict[str, Any]) -> tuple[Recruitment, bool]:
    recruitment, created = Recruitment.objects.select_for_update().get_or_create(study=study, defaults=fields)
    if not created:
        if recruitment.prolific_study_id or recruitment.submissions.exists():
            raise ServiceError("The study is on Prolific already.")
        for field, value in fields.items():
            setattr(recruitment, field, value)
        recruitment.save()
    return recruitment, not created


def _find_draft(draft: StudyDraft, client: ProlificClient) -> RemoteStudy | None:
    """A draft of this very recruitment whose creation was answered to nobody."""
    same = (one for one in client.studies(draft.project_id) if one.raw.get("internal_name") == draft.internal_name)
    return next((one for one in same if one.status == "UNPUBLISHED"), None)


def study_draft(recruitment: Recruitment, options: DraftOptions) -> StudyDraft:
    """What is sent to Prolific."""
    study, minutes = recruitment.study, recruitment.estimated_minutes
    return StudyDraft(
        name=options.name,
        internal_name=f"{study.slug} #{recruitment.pk}",
        description=options.description,
        external_study_url=rater_link(study),
        completion_codes=completion_codes(study),
        estimated_minutes=minutes,
        # Prolific's own least: 2 + 2t + 2 sqrt(t). A rater who is slow but there is not cut off.
        maximum_minutes=math.ceil(2 + 2 * minutes + 2 * math.sqrt(minutes)),
        reward_minor=recruitment.reward_minor,
        places=recruitment.places,
        filters=recruitment.filters,
        device_compatibility=["desktop"],
        peripheral_requirements=["audio"],
        secure_url=recruitment.secure,
        project_id=recruitment.project_id,
        metadata=f"listening:{study.slug}:{recruitment.pk}",
    )


def store_remote(recruitment: Recruitment, remote: RemoteStudy) -> None:
    """Write down how Prolific holds the study."""
    if recruitment.status and remote.status != recruitment.status:
        note(recruitment, "Prolific", "study status", old=recruitment.status, new=remote.status)
    recruitment.status = remote.status
    recruitment.places = remote.places or recruitment.places
    recruitment.save(update_fields=["prolific_study_id", "status", "places"])


def publish(recruitment: Recruitment, who: str, client: ProlificClient) -> None:
    """Let people in and lock the money for the places. Raises ServiceError, ProlificError."""
    if recruitment.study.status != Study.Status.OPEN:
        raise ServiceError("The study is not open here; open it first, or those who come would be turned away.")
    if recruitment.status != "UNPUBLISHED":
        raise ServiceError(f"The study is {recruitment.status} on Prolific already.")
    cost = launch_cost(recruitment, recruitment.places, client)
    if cost.problems:
        raise ServiceError(" ".join(cost.problems))
    recruitment.cost_per_place_minor = math.ceil(cost.total_minor / cost.places)
    recruitment.published_at = timezone.now()
    recruitment.save(update_fields=["cost_per_place_minor", "published_at"])
    _move(recruitment, "PUBLISH", who, client, places=recruitment.places, cost_minor=cost.total_minor)


def end_pilot(recruitment: Recruitment, who: str, client: ProlificClient) -> None:
    """After the test run, ask for every place that is still free. Raises ServiceError, ProlificError."""
    if not recruitment.is_pilot:
        raise ServiceError("All places are asked for already.")
    cost = launch_cost(recruitment, places_in_all(recruitment), client)
    # The pilot's own places are paid out of what is locked already.
    locked = recruitment.cost_per_place_minor * recruitment.places
    more = LaunchCost(**{**vars(cost), "available_minor": cost.available_minor + locked})
    if more.problems:
        raise ServiceError(" ".join(more.problems))
    recruitment.pilot_places = 0
    recruitment.save(update_fields=["pilot_places"])
    note(recruitment, who, "pilot ended", cost_minor=cost.total_minor)
    if cost.places > recruitment.places:
        set_places(recruitment, cost.places, who, client)


def places_in_all(recruitment: Recruitment) -> int:
    """Places that would be paid for if everybody who holds one finishes and every free plan gets its rater."""
    return taken(recruitment) + max(free_plans(recruitment.study).count() - arriving(recruitment), 0)


#: What no longer takes a place on Prolific.
GONE = ("RETURNED", "TIMED-OUT", "REJECTED")


def taken(recruitment: Recruitment) -> int:
    """Places that somebody has at Prolific."""
    return recruitment.submissions.exclude(status__in=GONE).count()


def arriving(recruitment: Recruitment) -> int:
    """People who have a place at Prolific and will want a plan, but hold none yet."""
    coming = recruitment.submissions.filter(status__in=("RESERVED", "ACTIVE"))
    consenting = coming.filter(session__state=Session.State.CONSENT, session__plan=None).count()
    return coming.filter(session=None).count() + consenting


def set_places(recruitment: Recruitment, places: int, who: str, client: ProlificClient) -> None:
    """Raise the places; Prolific never lowers them."""
    note(recruitment, who, "places", old=recruitment.places, new=places)
    store_remote(recruitment, client.update_study(recruitment.prolific_study_id or "", total_available_places=places))


def pause(recruitment: Recruitment, who: str, client: ProlificClient, *, held: bool = False) -> None:
    """Let nobody new in on Prolific; who has begun goes on. held: until a plan is free again."""
    _move(recruitment, "PAUSE", who, client, held=held)


def resume(recruitment: Recruitment, who: str, client: ProlificClient) -> None:
    """Let people in again."""
    _move(recruitment, "START", who, client)


def stop(recruitment: Recruitment, who: str, client: ProlificClient) -> None:
    """End recruiting; submissions that are in can still be decided."""
    _move(recruitment, "STOP", who, client)


def _move(recruitment: Recruitment, action: str, who: str, client: ProlificClient, **data: Any) -> None:
    note(recruitment, who, action.lower(), **data)
    recruitment.held = bool(data.get("held"))
    recruitment.save(update_fields=["held"])
    store_remote(recruitment, client.transition_study(recruitment.prolific_study_id or "", action))
