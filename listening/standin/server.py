"""The stand-in's HTTP server: both forms of a path, token, faults, errors in Prolific's two envelopes, a log of every call."""

import json
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from listening.standin.records import Refused

_TITLES = {401: "Authentication failed", 404: "Not found", 405: "Method not allowed", 429: "Too many requests"}


@dataclass(frozen=True)
class Call:
    """A request. args: what the path held. query: first value of each parameter."""

    method: str
    path: str
    args: dict[str, str]
    query: dict[str, str]
    body: Any
    headers: dict[str, str]


@dataclass
class Answer:
    """What goes back; a body of None is no body. content_type other than JSON takes the body as text."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A method and a path with `{names}`. bare: errors come unwrapped. locked: nothing else changes meanwhile."""

    method: str
    path: str
    handler: Handler
    bare: bool = False
    locked: bool = True

    def match(self, path: str) -> dict[str, str] | None:
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path.rstrip("/")) + "/?", path)
        return found.groupdict() if found else None


def error_body(refused: Refused, bare: bool) -> dict[str, Any]:
    """An error in one of Prolific's two envelopes. The error_code is made up: Prolific publishes no list of them."""
    error = {"status": refused.status, "error_code": 140000 + refused.status, "title": refused.title, "detail": refused.detail}
    return error if bare else {"error": error}


def make_server(port: int, handle: Callable[["Exchange"], None]) -> ThreadingHTTPServer:
    """A threading server on the loopback interface; `handle` answers each exchange."""

    class OneRequest(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body leave in two writes; without this the second waits for an acknowledgement of the first.
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            handle(Exchange(self))

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """The stand-in keeps its own log."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A caller that hangs up before its answer, as one that times out does, is no news."""
            if not isinstance(sys.exception(), ConnectionError):
                super().handle_error(request, client_address)

    return Server(("127.0.0.1", port), OneRequest)


class Exchange:
    """One request being answered."""

    def __init__(self, request: BaseHTTPRequestHandler) -> None:
        self._request = request
        parts = urlsplit(request.path)
        self.method, self.path = request.command, parts.path
        self.query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        self.headers = {name.lower(): value for name, value in request.headers.items()}
        self.raw = request.rfile.read(int(self.headers.get("content-length") or 0))

    def json(self) -> Any:
        if not self.raw:
            return None
        try:
            return json.loads(self.raw)
        except ValueError as error:
            raise Refused("The body is not JSON.") from error

    def answer(self, answer: Answer) -> None:
        text = answer.content_type != "application/json"
        data = b"" if answer.body is None else (answer.body if text else json.dumps(answer.body)).encode()
        request = self._request
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        if answer.status != 204:
            request.send_header("Content-Type", answer.content_type)
            request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        if answer.status != 204:
            request.wfile.write(data)

    def cut(self) -> None:
        """Close the connection without an answer."""
        self._request.close_connection = True

    @staticmethod
    def wait(seconds: float) -> None:
        time.sleep(seconds)


def find_route(routes: list[Route], method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route of a call and what its path holds. Raises Refused with 404 or, for another method than the path takes, 405."""
    others = False
    for route in routes:
        args = route.match(path)
        if args is not None and route.method == method:
            return route, args
        others = others or args is not None
    status = 405 if others else 404
    raise Refused(_TITLES[status], status=status, title=_TITLES[status])
