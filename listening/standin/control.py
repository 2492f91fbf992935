"""What is no part of Prolific's API: the page participants come back to, and the switches of the stand-in."""

import threading
from html import escape
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any

from listening.standin import people
from listening.standin.records import Refused
from listening.standin.server import Answer, Call, Route

if TYPE_CHECKING:
    from listening.standin import StandIn


class Control:
    """Endpoints under /standin/, for a person or a script beside the stand-in; they ask for no token."""

    def __init__(self, standin: "StandIn") -> None:
        self._standin = standin

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/submissions/complete", self.complete),
            Route("GET", "/standin/", self.state),
            Route("GET", "/standin/log/", self.log),
            Route("GET", "/standin/preview/{id}/", self.preview),
            # Advancing the clock delivers webhooks, whose receiver may ask us back: no lock may be held.
            Route("POST", "/standin/clock/", self.advance, locked=False),
            Route("POST", "/standin/people/", self.add_people),
            Route("POST", "/standin/faults/", self.add_fault),
            Route("POST", "/standin/mishaps/", self.add_mishaps),
            Route("POST", "/standin/arrivals/", self.arrivals, locked=False),
        ]

    def complete(self, call: Call) -> Answer:
        """The page a completion link leads to; who comes is told by the cookie `participant`."""
        cookie = SimpleCookie(call.headers.get("cookie", "")).get("participant")
        own = [each for each in self._standin.world.submissions.values() if cookie and each.participant_id == cookie.value]
        active = [each for each in own if each.status == "ACTIVE"]
        if not active:
            raise Refused("You have no active submission.", status=403)
        self._standin.complete(active[-1], call.query.get("cc", ""))
        text = f"<h1>Thank you</h1><p>Your submission is {escape(active[-1].status)}.</p>"
        return Answer(text, content_type="text/html; charset=utf-8")

    def state(self, call: Call) -> Answer:
        world = self._standin.world
        studies = {each.id: {"name": each.fields["name"], "status": each.status} for each in world.studies.values()}
        return Answer(
            {
                "now": world.now().isoformat(),
                "workspace": world.workspace_id,
                "project": world.project_id,
                "balance": world.balance,
                "available": world.available(),
                "people": len(world.people),
                "studies": studies,
            }
        )

    def log(self, call: Call) -> Answer:
        return Answer({"results": self._standin.log})

    def preview(self, call: Call) -> Answer:
        return Answer({"url": self._standin.preview(call.args["id"])})

    def advance(self, call: Call) -> Answer:
        """{"seconds": 60}"""
        try:
            self._standin.clock.advance(float((call.body or {}).get("seconds", 0)))
        except (TypeError, ValueError) as error:
            raise Refused(str(error)) from error
        return Answer({"now": self._standin.world.now().isoformat()})

    def add_people(self, call: Call) -> Answer:
        """{"count": 20, "answers": {"sex": "1"}}"""
        body: dict[str, Any] = call.body or {}
        made = self._standin.add_people(int(body.get("count", 1)), **body.get("answers", {}))
        return Answer({"ids": [each.id for each in made]}, 201)

    def add_fault(self, call: Call) -> Answer:
        """The fields of Fault, as {"status": 429, "times": 3, "path": "submissions"}."""
        try:
            self._standin.inject(**(call.body or {}))
        except (TypeError, ValueError) as error:
            raise Refused(str(error)) from error
        return Answer({}, 201)

    def add_mishaps(self, call: Call) -> Answer:
        """{"mishaps": ["lost", "twice", 600]}, for the next webhooks, one each."""
        self._standin.hooks.mishaps.extend((call.body or {}).get("mishaps", ()))
        return Answer({}, 201)

    def arrivals(self, call: Call) -> Answer:
        """{"study": "…", "count": 5, "behaviour": "finish"}: that many people come, one after the other, in the background."""
        body: dict[str, Any] = call.body or {}
        behaviour = people.BEHAVIOURS.get(str(body.get("behaviour", "finish")))
        if behaviour is None:
            raise Refused(f"behaviour is one of {', '.join(people.BEHAVIOURS)}.")
        study = self._standin.world.study(str(body.get("study")))
        count = int(body.get("count", 1))
        threading.Thread(target=people.send, args=(self._standin, study.id, count, behaviour), daemon=True).start()
        return Answer({"sent": count}, 202)
