"""What the stand-in remembers: people, studies, submissions, groups, bonus batches, messages."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Submissions in these states take a place.
TAKES_PLACE = {"RESERVED", "ACTIVE", "PROCESSING", "AWAITING REVIEW", "APPROVED", "PARTIALLY APPROVED"}
PAID = {"APPROVED", "PARTIALLY APPROVED"}
UNFINISHED = {"RESERVED", "ACTIVE"}


class Refused(Exception):
    """A request that Prolific would refuse. detail: a sentence, or a list of sentences for each field."""

    def __init__(self, detail: str | dict[str, list[str]], status: int = 400, title: str = "Bad request") -> None:
        super().__init__(str(detail))
        self.detail = detail
        self.status = status
        self.title = title


@dataclass
class Person:
    """A participant. answers: filter id to a choice id, a list of them, or a number."""

    id: str
    answers: dict[str, Any]

    @property
    def sex(self) -> str:
        return {"0": "Male", "1": "Female"}.get(str(self.answers.get("sex")), "")


@dataclass
class Submission:
    id: str
    study_id: str
    participant_id: str
    reserved_at: datetime
    cell: tuple[str, ...]
    status: str = "RESERVED"
    started_at: datetime | None = None
    completed_at: datetime | None = None
    entered_code: str | None = None
    return_requested: datetime | None = None
    return_reasons: list[str] = field(default_factory=list)
    rejection: tuple[str, str] | None = None
    paid_minor: int = 0
    bonuses_minor: list[int] = field(default_factory=list)
    history: list[tuple[datetime, str]] = field(default_factory=list)


@dataclass
class Study:
    """fields: what the researcher sent, with Prolific's defaults filled in."""

    id: str
    fields: dict[str, Any]
    workspace_id: str
    created_at: datetime
    status: str = "UNPUBLISHED"
    published_at: datetime | None = None
    publish_at: datetime | None = None
    exports: list[str] = field(default_factory=list)

    @property
    def places(self) -> int:
        return int(self.fields["total_available_places"])

    @property
    def reward(self) -> int:
        return int(self.fields["reward"])


@dataclass
class Group:
    id: str
    name: str
    workspace_id: str
    description: str | None
    members: dict[str, datetime] = field(default_factory=dict)
    is_deleted: bool = False


@dataclass
class Batch:
    """A bonus batch. payments: how often it was paid; nothing keeps that from being twice."""

    id: str
    study_id: str
    lines: list[tuple[str, int]]
    fees: int
    vat: int
    payments: int = 0

    @property
    def amount(self) -> int:
        return sum(amount for _, amount in self.lines)

    @property
    def total(self) -> int:
        return self.amount + self.fees + self.vat


@dataclass
class Message:
    id: str
    sender_id: str
    recipient_id: str
    body: str
    study_id: str
    sent_at: datetime
