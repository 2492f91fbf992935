"""People who take part without any page of ours."""

from typing import Any

import requests

from listening.standin import StandIn, Submission


def take_part(prolific: StandIn, study_id: str, number: int, code: str = "DONE1234", minutes: float = 10) -> Submission:
    """The person of this number reserves, opens, and comes back with a code after so many minutes."""
    person = list(prolific.world.people)[number]
    submission = prolific.reserve(study_id, person)
    prolific.open_study(submission)
    prolific.clock.advance(60 * minutes)
    prolific.complete(submission, code)
    return submission


def people(prolific: StandIn, sex: str) -> list[str]:
    return [person.id for person in prolific.world.people.values() if person.sex == sex]


def status(prolific: StandIn, submission: Submission) -> str:
    return prolific.world.submissions[submission.id].status


def ask(prolific: StandIn, method: str, path: str, **how: Any) -> requests.Response:
    return requests.request(
        method, f"{prolific.url}/api/v1/{path}", headers={"Authorization": f"Token {prolific.token}"}, **how
    )
