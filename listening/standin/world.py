"""Everything the stand-in holds, and the sums over it."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from listening.standin.clock import Clock
from listening.standin.money import Rates
from listening.standin.records import PAID, TAKES_PLACE, Batch, Group, Message, Person, Refused, Study, Submission
from listening.standin.vocabulary import Belongs, cell_sizes

Thing = TypeVar("Thing")
#: Called with the event's type, the resource's id and what else the event says.
Emit = Callable[[str, str, dict[str, object]], None]


@dataclass
class World:
    """One account with one workspace and one project.

    publish_delay_s, bulk_delay_s, pay_delay_s: how long Prolific takes over what it does later. processing_s: how long a finished
    submission shows the undocumented PROCESSING. quotas: whether the weightings of filters are kept. lock: held for every change.
    """

    clock: Clock
    rng: random.Random
    rates: Rates = field(default_factory=Rates)
    currency: str = "GBP"
    balance: int = 1_000_000
    publish_delay_s: float = 30
    bulk_delay_s: float = 5
    pay_delay_s: float = 5
    processing_s: float = 0
    quotas: bool = True
    emit: Emit = lambda _type, _id, _said: None
    lock: threading.RLock = field(default_factory=threading.RLock)
    people: dict[str, Person] = field(default_factory=dict)
    studies: dict[str, Study] = field(default_factory=dict)
    submissions: dict[str, Submission] = field(default_factory=dict)
    batches: dict[str, Batch] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    messages: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.user_id, self.workspace_id, self.project_id = self.new_id(), self.new_id(), self.new_id()

    def new_id(self) -> str:
        return f"{self.rng.getrandbits(96):024x}"

    def now(self) -> datetime:
        return self.clock.now()

    def study(self, study_id: str) -> Study:
        return _found(self.studies, study_id, "Study")

    def submission(self, submission_id: str) -> Submission:
        return _found(self.submissions, submission_id, "Submission")

    def of_study(self, study_id: str) -> list[Submission]:
        return [each for each in self.submissions.values() if each.study_id == study_id]

    def places_taken(self, study_id: str) -> int:
        return sum(each.status in TAKES_PLACE for each in self.of_study(study_id))

    def free_in_cell(self, study: Study, cell: tuple[str, ...]) -> int:
        """Free places of a quota cell, never more than the study has."""
        free = study.places - self.places_taken(study.id)
        if not (self.quotas and cell):
            return free
        taken = sum(each.status in TAKES_PLACE and each.cell == cell for each in self.of_study(study.id))
        return min(free, cell_sizes(study.fields.get("filters"), study.places)[cell] - taken)

    def belongs(self, person: Person) -> Belongs:
        return {
            "ParticipantID": {person.id},
            "StudyID": {each.study_id for each in self.submissions.values() if each.participant_id == person.id},
            "ParticipantGroupID": {group.id for group in self.groups.values() if person.id in group.members},
        }

    def locked(self, study: Study) -> int:
        """What a published study keeps from being spent: every place not paid yet, and once stopped every submission undecided."""
        if study.status in ("UNPUBLISHED", "SCHEDULED"):
            return 0
        of_study = self.of_study(study.id)
        if study.status == "COMPLETED":
            owed = sum(each.status in TAKES_PLACE and each.status not in PAID for each in of_study)
        else:
            owed = study.places - sum(each.status in PAID for each in of_study)
        return max(owed, 0) * self.rates.total(study.reward)

    def available(self) -> int:
        return self.balance - sum(self.locked(study) for study in self.studies.values())

    def spend(self, amount: int) -> int:
        """Take an amount with fee and VAT from the balance; returns what went."""
        self.balance -= self.rates.total(amount)
        return self.rates.total(amount)


def _found(table: dict[str, Thing], key: str, what: str) -> Thing:
    if key not in table:
        raise Refused(f"{what} not found.", status=404, title="Not found")
    return table[key]
