"""A rater as the tests' HTTP client plays one: from the link to the last answer."""

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client

from listening.models import Participant, Session, Study
from listening.services.checks import right_form

_numbers = itertools.count(1)

ANSWERS = {"emotion": ["anger"], "ovrl": 4, "sig": 3}
HEARD = {"plays": 1, "heard_share": 1.0}


def prolific_id() -> str:
    """A participant id that no other test rater has."""
    return f"{next(_numbers):024x}"


@dataclass
class Rater:
    """One person in one browser. Simulated ones need not wait while a clip plays."""

    study: Study
    simulated: bool = True
    participant_id: str = field(default_factory=prolific_id)
    submission_id: str = field(default_factory=prolific_id)
    client: Client = field(default_factory=Client)

    def open_link(self, **changes: str):
        from listening.services.sessions import simulation_mark

        query = {"PROLIFIC_PID": self.participant_id, "STUDY_ID": "a" * 24, "SESSION_ID": self.submission_id, **changes}
        if self.simulated:
            query["simulated"] = simulation_mark(self.participant_id)
        return self.client.get(f"/s/{self.study.slug}/", query, follow=True)

    @property
    def session(self) -> Session:
        return Session.objects.get(study=self.study, participant__in=Participant.objects.with_recruiter_id(self.participant_id))

    @property
    def base(self) -> str:
        return f"/session/{self.session.token}/"

    def consent(self, stratum: str = "female"):
        return self.client.post(f"{self.base}consent/", {"consent": "on", "stratum": stratum}, follow=True)

    def check(self):
        """Pass every step of the screening."""
        response = self.client.get(f"{self.base}check/", follow=True)
        while response.request["PATH_INFO"].endswith("/check/") and (form := right_form(self.session)):
            response = self.client.post(f"{self.base}check/", form, follow=True)
        return response

    def arrive(self, stratum: str = "female") -> "Rater":
        """Link, consent, sound check: on to the first trial."""
        self.open_link()
        self.consent(stratum)
        self.check()
        return self

    def state(self) -> dict[str, Any]:
        return self.client.get(f"/api/v1/sessions/{self.session.token}/").json()

    def hear(self, position: int) -> bytes:
        """Fetch the clip of a trial, whole."""
        return self.client.get(self.state()["trials"][position - 1]["audio_url"]).getvalue()

    def rate(self, position: int, answers: dict[str, Any] | None = None, key: str = "", **changes: Any):
        body = {"idempotency_key": key or str(uuid4()), "answers": answers or ANSWERS, "listening": HEARD, **changes}
        url = f"/api/v1/sessions/{self.session.token}/trials/{position}/ratings/"
        return self.client.post(url, body, content_type="application/json")

    def finish(self) -> "Rater":
        for trial in self.state()["trials"]:
            self.hear(trial["position"])
            assert self.rate(trial["position"]).status_code == 201
        return self
