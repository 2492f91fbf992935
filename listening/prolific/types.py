"""What Prolific sends and takes, as frozen values: unknown fields are tolerated, unknown statuses stay as they came, money is in minor
units (pence, cents) as whole numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Self

Json = Mapping[str, Any]


def minor(amount: Any) -> int:
    """An amount in minor units as a whole number; halves away from zero, None as 0.

    >>> minor(150), minor("150.0"), minor(283.34), minor(0.5), minor(None)
    (150, 150, 283, 1, 0)
    """
    return int(Decimal(str(amount)).quantize(Decimal(1), ROUND_HALF_UP)) if amount is not None else 0


def major(amount_minor: int) -> str:
    """Minor units as the decimal of pounds or dollars that Prolific's bonus lists take.

    >>> major(30), major(1205)
    ('0.30', '12.05')
    """
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def moment(text: Any) -> datetime | None:
    """A time that Prolific wrote, with T or with a space; None where there is none. A time without a zone is UTC.

    >>> moment("2026-11-20 10:00:00Z")
    datetime.datetime(2026, 11, 20, 10, 0, tzinfo=datetime.timezone.utc)
    """
    if not text:
        return None
    iso = str(text).strip().replace("Z", "+00:00")
    when = datetime.fromisoformat(iso)
    return when if when.tzinfo else datetime.fromisoformat(f"{iso}+00:00")


@dataclass(frozen=True)
class Account:
    id: str
    email: str


@dataclass(frozen=True)
class Workspace:
    id: str
    title: str


@dataclass(frozen=True)
class Project:
    id: str
    title: str


@dataclass(frozen=True)
class Balance:
    """A workspace's money. available_minor is what is not locked by published studies."""

    currency_code: str
    available_minor: int
    total_minor: int

    @classmethod
    def from_json(cls, body: Json) -> Self:
        return cls(body.get("currency_code") or "", minor(body.get("available_balance")), minor(body.get("total_balance")))


@dataclass(frozen=True)
class StudyDraft:
    """A study as it is created on Prolific. completion_codes and filters are in Prolific's own shape."""

    name: str
    description: str
    external_study_url: str
    completion_codes: Sequence[Json]
    estimated_minutes: int
    reward_minor: int
    places: int
    internal_name: str = ""
    maximum_minutes: int | None = None
    filters: Sequence[Json] = ()
    device_compatibility: Sequence[str] = ()
    peripheral_requirements: Sequence[str] = ()
    secure_url: bool = False
    project_id: str = ""
    metadata: str = ""
    max_concurrent: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The body of POST studies/."""
        body: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "external_study_url": self.external_study_url,
            "prolific_id_option": "url_parameters",
            "completion_codes": [dict(code) for code in self.completion_codes],
            "estimated_completion_time": self.estimated_minutes,
            "reward": self.reward_minor,
            "total_available_places": self.places,
            "device_compatibility": list(self.device_compatibility),
            "peripheral_requirements": list(self.peripheral_requirements),
            "filters": [dict(chosen) for chosen in self.filters],
            "submissions_config": {
                "max_submissions_per_participant": 1,
                "max_concurrent_submissions": self.max_concurrent or -1,
            },
        }
        optional = {
            "internal_name": self.internal_name,
            "maximum_allowed_time": self.maximum_minutes,
            "project": self.project_id,
            "metadata": self.metadata,
            "is_external_study_url_secure": self.secure_url,
        }
        return {**body, **{name: value for name, value in optional.items() if value}}


@dataclass(frozen=True)
class RemoteStudy:
    """A study as Prolific holds it. status is Prolific's word, also one we do not know."""

    id: str
    status: str
    name: str
    reward_minor: int
    places: int
    places_taken: int
    raw: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, body: Json) -> Self:
        return cls(
            id=body["id"],
            status=body.get("status") or "",
            name=body.get("name") or "",
            reward_minor=minor(body.get("reward")),
            places=int(body.get("total_available_places") or 0),
            places_taken=int(body.get("places_taken") or 0),
            raw=dict(body),
        )


@dataclass(frozen=True)
class Submission:
    """One person's submission, read from the list or from the detail, which name its fields differently.

    strata: the demographics that only the list may carry. time_taken_s is None until the submission is complete.
    """

    id: str
    participant_id: str
    study_id: str
    status: str
    started_at: datetime | None
    completed_at: datetime | None
    study_code: str
    time_taken_s: int | None
    return_requested: datetime | None
    strata: dict[str, str]
    bonuses_minor: tuple[int, ...]
    raw: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, body: Json, study_id: str = "") -> Self:
        started, completed = moment(body.get("started_at")), moment(body.get("completed_at"))
        taken = body.get("time_taken")
        if taken is None and started and completed:
            taken = (completed - started).total_seconds()
        return cls(
            id=body["id"],
            participant_id=body.get("participant_id") or body.get("participant") or "",
            study_id=body.get("study_id") or body.get("study") or study_id,
            status=body.get("status") or "",
            started_at=started,
            completed_at=completed,
            study_code=body.get("study_code") or body.get("entered_code") or "",
            time_taken_s=None if taken is None else round(taken),
            return_requested=moment(body.get("return_requested")),
            strata=dict(body.get("strata") or {}),
            bonuses_minor=tuple(minor(amount) for amount in body.get("bonus_payments") or ()),
            raw=dict(body),
        )


@dataclass(frozen=True)
class Filter:
    """One entry of Prolific's vocabulary of filters. choices: id to label, empty for a range."""

    id: str
    title: str
    type: str
    choices: dict[str, str]

    @classmethod
    def from_json(cls, body: Json) -> Self:
        choices = {str(key): str(label) for key, label in (body.get("choices") or {}).items()}
        return cls(body["filter_id"], body.get("title") or "", body.get("type") or "", choices)

    def select(self, *labels: str, weights: Mapping[str, int] | None = None) -> dict[str, Any]:
        """This filter in a study, its choices named by label, because their ids change. weights: label to weight of a quota.

        Raises ValueError for a label that Prolific does not offer.

        >>> sex = Filter("sex", "Sex", "select", {"0": "Male", "1": "Female"})
        >>> sex.select("Female", "Male", weights={"Female": 1, "Male": 1})
        {'filter_id': 'sex', 'selected_values': ['1', '0'], 'weightings': {'1': 1, '0': 1}}
        """
        by_label = {label.casefold(): key for key, label in self.choices.items()}
        missing = [label for label in labels if label.casefold() not in by_label]
        if missing:
            raise ValueError(f"Prolific's filter {self.id} offers no {', '.join(missing)}.")
        chosen: dict[str, Any] = {"filter_id": self.id, "selected_values": [by_label[label.casefold()] for label in labels]}
        if weights:
            chosen["weightings"] = {by_label[label.casefold()]: weight for label, weight in weights.items()}
        return chosen


def select_range(filter_id: str, lower: float, upper: float) -> dict[str, Any]:
    """A range filter in a study, as `approval_rate` from 90 to 100."""
    return {"filter_id": filter_id, "selected_range": {"lower": lower, "upper": upper}}


@dataclass(frozen=True)
class BonusBatch:
    """A set of bonuses that is set up and not paid until pay_bonus is called with its id."""

    id: str
    study_id: str
    amount_minor: int
    fees_minor: int
    total_minor: int

    @classmethod
    def from_json(cls, body: Json) -> Self:
        amount, fees, total = (minor(body.get(name)) for name in ("amount", "fees", "total_amount"))
        return cls(body["id"], body.get("study") or "", amount, fees, total)


@dataclass(frozen=True)
class Cost:
    """What a study has cost, or will cost where it was asked for the projection."""

    rewards_minor: int
    fees_minor: int
    tax_minor: int
    bonuses_minor: int
    bonus_fees_minor: int
    bonus_tax_minor: int
    currency_code: str

    @property
    def total_minor(self) -> int:
        parts = (self.rewards_minor, self.fees_minor, self.tax_minor)
        return sum(parts) + self.bonuses_minor + self.bonus_fees_minor + self.bonus_tax_minor

    @classmethod
    def from_json(cls, body: Json) -> Self:
        rewards, bonuses = body.get("rewards") or {}, body.get("bonuses") or {}
        return cls(*_amounts(rewards), *_amounts(bonuses), (rewards.get("rewards") or {}).get("currency") or "")


def _amounts(breakdown: Json) -> tuple[int, int, int]:
    rewards, fees, tax = (minor((breakdown.get(name) or {}).get("amount")) for name in ("rewards", "fees", "tax"))
    return rewards, fees, tax


@dataclass(frozen=True)
class RewardRecommendation:
    """Least and recommended pay in minor units per hour."""

    currency_code: str
    minimum_minor: int
    recommended_minor: int


@dataclass(frozen=True)
class ParticipantGroup:
    id: str
    name: str
    participant_count: int


@dataclass(frozen=True)
class Hook:
    """A subscription to one type of event. secret: what its confirmation must send back, only known when it is created."""

    id: str
    event_type: str
    target_url: str
    is_enabled: bool
    secret: str = field(default="", repr=False)

    @classmethod
    def from_json(cls, body: Json, secret: str = "") -> Self:
        return cls(
            body["id"], body.get("event_type") or "", body.get("target_url") or "", bool(body.get("is_enabled", True)), secret
        )
