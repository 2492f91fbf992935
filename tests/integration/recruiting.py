"""A study, a stand-in Prolific, and the people between them, as tests of recruiting use them."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from listening.models import Recruitment, Session, Study, StudyStimulus
from listening.prolific import ProlificClient
from listening.services.balance import free_plans
from listening.services.criteria import Criteria
from listening.services.recruitment import DraftOptions, create_draft, publish
from listening.services.submissions import sync
from listening.standin import StandIn
from listening.standin.people import BEHAVIOURS, Visit, arrive
from listening.standin.records import Refused

WHO = "researcher"
#: Virtual seconds that a clip takes somebody; a study of three clips takes 3 minutes and a bit.
PACE_S = 60


@dataclass
class World:
    """Both sides. ``clock`` moves Prolific's time; ours is the machine's."""

    standin: StandIn
    client: ProlificClient
    study: Study
    recruitment: Recruitment
    rng: random.Random

    def hear(self, seconds: float) -> None:
        """Wait as long as our server insists on, and let Prolific's time pass."""
        time.sleep(seconds * self.study.minimum_heard_share + 0.01)
        self.standin.clock.advance(PACE_S)

    def send(self, behaviour: str, sex: str = "") -> Visit | None:
        """Send one more person who has not been here; None when Prolific lets nobody in."""
        prolific_id = self.recruitment.prolific_study_id or ""
        tried = {each.participant_id for each in self.standin.world.of_study(prolific_id)}
        for person in list(self.standin.world.people.values()):
            if person.id in tried or (sex and person.sex.lower() != sex):
                continue
            try:
                visit = arrive(self.standin, prolific_id, person.id)
            except Refused:
                continue
            BEHAVIOURS[behaviour](self.standin, visit, self.rng, self.hear)
            self.standin.clock.advance(10)
            return visit
        return None

    def read(self) -> Recruitment:
        """A poll."""
        self.recruitment.refresh_from_db()
        sync(self.recruitment, self.client)
        return self.recruitment

    def free(self) -> int:
        return free_plans(self.study).count()

    def is_balanced(self) -> bool:
        """Every stimulus has exactly its usable votes from every stratum."""
        usable = Session.objects.filter(study=self.study, state=Session.State.COMPLETED, plan__isnull=False)
        for stimulus in StudyStimulus.objects.filter(study=self.study).values_list("stimulus", flat=True):
            for stratum in self.study.strata:
                mine = usable.filter(stratum=stratum, trials__stimulus=stimulus, trials__answered_at__isnull=False)
                if mine.distinct().count() != self.study.votes_per_stratum:
                    return False
        return True


def options(standin: StandIn, **changes: Any) -> DraftOptions:
    fields: dict[str, Any] = {
        "name": "Listen to voices",
        "description": "Rate how voices sound.",
        "reward_minor": 150,
        "estimated_minutes": 6,
        "spending_cap_minor": 100_000,
        "workspace_id": standin.world.workspace_id,
        "project_id": standin.world.project_id,
        "criteria": Criteria(countries=("United Kingdom",), languages=("English",)),
    }
    return DraftOptions(**{**fields, **changes})


@contextmanager
def recruiting(study: Study, settings: Any, monkeypatch: Any, url: str, people: int = 80, **changes: Any) -> Iterator[World]:
    """A published study on a stand-in of its own, before anybody came."""
    with standing_in(settings, monkeypatch, url, people) as (standin, client):
        recruitment = create_draft(study, options(standin, **changes), WHO, client)
        publish(recruitment, WHO, client)
        standin.clock.advance(60)
        world = World(standin, client, study, recruitment, random.Random(1))
        world.read()
        yield world


@contextmanager
def standing_in(settings: Any, monkeypatch: Any, url: str, people: int = 80) -> Iterator[tuple[StandIn, ProlificClient]]:
    """A stand-in to which this server's settings point, and a client that does not wait between attempts."""
    from listening.views import hooks

    with StandIn() as standin:
        settings.PROLIFIC_BASE_URL, settings.PROLIFIC_TOKEN = standin.url, standin.token
        settings.PUBLIC_URL, settings.PROLIFIC_POLL_S = url, 0
        monkeypatch.setattr(hooks, "timezone", SimpleNamespace(now=standin.clock.now))
        standin.add_people(people)
        with ProlificClient(standin.url, standin.token, attempts=2, sleep=_no_wait) as client:
            yield standin, client


def _no_wait(seconds: float) -> None:
    """Tests do not wait before the next attempt."""


def subscribe(world: World, settings: Any, url: str) -> None:
    """Let Prolific send its webhooks here."""
    workspace = world.recruitment.workspace_id
    settings.PROLIFIC_WEBHOOK_SECRETS = [world.client.hook_secret(workspace)]
    for event in ("submission.status.change", "study.status.change"):
        world.client.create_hook(workspace, event, f"{url}/hooks/prolific/")
