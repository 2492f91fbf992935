"""A stand-in for Prolific: an HTTP server with its API, its people and its faults, for tests, demonstrations and teaching.

    with StandIn() as prolific:
        client = ProlificClient(prolific.url, prolific.token)
        prolific.add_people(20)
        …
        prolific.clock.advance(60)

Nothing in it was checked against the live service; the README of the room lists what it leaves out.
"""

import random
import secrets
import threading
from typing import Any, Self

from listening.standin import bonuses, studies, submissions
from listening.standin.clock import Clock
from listening.standin.control import Control
from listening.standin.faults import Fault, Faults
from listening.standin.hooks import Hooks
from listening.standin.records import Person, Refused, Study, Submission
from listening.standin.routes import Api
from listening.standin.server import Answer, Call, Exchange, Route, error_body, find_route, make_server
from listening.standin.signing import Signer
from listening.standin.world import World

__all__ = ["Clock", "Fault", "Hooks", "Person", "Refused", "StandIn", "Study", "Submission", "World"]

_TICK_S = 0.2
_TOKEN_PATH = "/api/"


class StandIn:
    """One Prolific on a loopback port.

    seed: for ids, delays and retries. virtual: whether time stands still until clock.advance. port: 0 for a free one. token: what
    the API asks for; drawn where none is given. settings: fields of World, as balance, quotas, rates or processing_s.
    """

    def __init__(self, *, seed: int = 0, virtual: bool = True, port: int = 0, token: str = "", **settings: Any) -> None:
        self.clock = Clock(virtual)
        self.world = World(self.clock, random.Random(seed), **settings)
        self.hooks = Hooks(self.world)
        self.faults = Faults()
        self.signer = Signer(self.world)
        self.token = token or secrets.token_urlsafe(32)
        self.log: list[dict[str, Any]] = []
        self._api = Api(self.world, self.hooks)
        self._routes = [
            *self._api.routes(),
            *Control(self).routes(),
            Route("GET", "/.well-known/study/jwks.json", self._key_set),
        ]
        self._server = make_server(port, self._handle)
        self.url = self._api.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Serve in the background; a real clock runs by itself."""
        self._run(lambda: self._server.serve_forever(poll_interval=0.05))
        if not self.clock.virtual:
            self._run(self._tick)

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join(timeout=5)

    def wait(self) -> None:
        """Until close is called from elsewhere."""
        self._closing.wait()

    def _run(self, target: Any) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _tick(self) -> None:
        while not self._closing.wait(_TICK_S):
            self.clock.run_due()

    # what a test or a teacher does

    def inject(self, **fault: Any) -> None:
        """Let something go wrong with the next calls: the fields of Fault."""
        self.faults.add(Fault(**fault))

    def go_down(self, seconds: float) -> None:
        """The API answers 503 until so much time has passed."""
        self.inject(path="^/api/", status=503, until=self.world.now().timestamp() + seconds)

    def add_people(self, count: int, **answers: Any) -> list[Person]:
        """People as many studies want them: half women, half men, living in the UK, fluent in English, of good hearing.

        answers: filter id (with _ for -) to what all of them answer instead.
        """
        made = []
        with self.world.lock:
            for number in range(count):
                usual = {
                    "sex": str(number % 2),
                    "current-country-of-residence": "0",
                    "fluent-languages": ["19"],
                    "first-language": "18",
                    "hearing-difficulties": "1",
                    "age": self.world.rng.randint(18, 70),
                    "approval_rate": 98,
                    "approval_numbers": 120,
                }
                person = Person(self.world.new_id(), {**usual, **{_filter_id(name): said for name, said in answers.items()}})
                self.world.people[person.id] = person
                made.append(person)
        return made

    def reserve(self, study_id: str, participant_id: str) -> Submission:
        """A participant takes a place. Raises Refused with the reason they are not let in."""
        with self.world.lock:
            return submissions.reserve(self.world, study_id, participant_id)

    def open_study(self, submission: Submission) -> str:
        """The address the participant is sent to, signed where the study is secure; opening it again gives the same ids."""
        with self.world.lock:
            url = submissions.open_study(self.world, submission)
            study = self.world.study(submission.study_id)
            return self.signer.signed(study, submission, url) if study.fields["is_external_study_url_secure"] else url

    def preview(self, study_id: str) -> str:
        """The address of the researcher's preview, whose mock ids are none of Prolific's."""
        study = self.world.study(study_id)
        return submissions.study_url(study, "60d9aadeb86739de712faee0", "035orbpf1pk3")

    def complete(self, submission: Submission, code: str = "") -> None:
        """The participant comes back with a code, or without one."""
        with self.world.lock:
            submissions.complete(self.world, submission, code)

    def give_back(self, submission: Submission) -> None:
        with self.world.lock:
            submissions.give_back(self.world, submission)

    def bonus_received(self, participant_id: str) -> int:
        """All the bonus a person was credited, in minor units."""
        return bonuses.received(self.world, participant_id)

    def stop(self, study_id: str) -> None:
        """As if the researcher stopped the study on Prolific's own pages."""
        with self.world.lock:
            studies.transition(self.world, study_id, "STOP")

    # the server's side

    def _key_set(self, call: Call) -> Answer:
        return Answer(self.signer.key_set())

    def _handle(self, exchange: Exchange) -> None:
        fault = None
        if exchange.path.startswith(_TOKEN_PATH):
            fault = self.faults.take(exchange.method, exchange.path, self.world.now().timestamp())
        entry: dict[str, Any] = {"method": exchange.method, "path": exchange.path, "query": exchange.query, "status": 0}
        self.log.append(entry)
        if fault and fault.latency_s:
            exchange.wait(fault.latency_s)
        if fault and fault.cut == "before":
            return exchange.cut()
        answer = self._faulty(fault) if fault and fault.status else self._work(exchange, entry)
        entry["status"], entry["answer"] = answer.status, answer.body
        if fault and fault.cut == "after":
            return exchange.cut()
        exchange.answer(answer)

    def _faulty(self, fault: Fault) -> Answer:
        refused = Refused("Injected fault.", status=fault.status, title="Injected fault")
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return Answer(error_body(refused, bare=False), fault.status, headers)

    def _work(self, exchange: Exchange, entry: dict[str, Any]) -> Answer:
        bare = False
        try:
            if exchange.path.startswith(_TOKEN_PATH) and exchange.headers.get("authorization") != f"Token {self.token}":
                raise Refused("Authentication credentials were not provided or are wrong.", 401, "Authentication failed")
            route, args = find_route(self._routes, exchange.method, exchange.path)
            bare = route.bare
            entry["body"] = body = exchange.json()
            call = Call(exchange.method, exchange.path, args, exchange.query, body, exchange.headers)
            if not route.locked:
                return route.handler(call)
            with self.world.lock:
                return route.handler(call)
        except Refused as refused:
            return Answer(error_body(refused, bare), refused.status)


def _filter_id(name: str) -> str:
    return name if name in ("approval_rate", "approval_numbers") else name.replace("_", "-")
