"""The audit of packages says what it found, and never that it looked where it could not. The vulnerability service is a stand-in."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.architecture.test_requirements import SETS, pins

REPO = Path(__file__).resolve().parents[2]
HOLE = {
    "id": "PYSEC-0000-1",
    "summary": "made up",
    "affected": [
        {
            "package": {"name": "django", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}
Answer = Callable[[dict[str, Any]], dict[str, Any] | None]


@contextmanager
def service(answer: Answer) -> Iterator[tuple[str, list[str]]]:
    """The address of a service that speaks OSV's protocol, and the packages that it was asked about; None is answered with 503."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(query["package"]["name"])
            found = answer(query)
            self.send_response(503 if found is None else 200)
            self.end_headers()
            self.wfile.write(json.dumps(found or {}).encode())

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output clean."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query", asked
    finally:
        server.shutdown()
        server.server_close()


def audit(url: str) -> tuple[int, str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = subprocess.run(
        [str(REPO / ".ci/audit")], capture_output=True, text=True, check=False, env={**os.environ, "PATH": path, "OSV_URL": url}
    )
    return told.returncode, told.stdout + told.stderr


def test_every_pinned_package_of_this_python_is_asked_about() -> None:
    with service(lambda query: {}) as (url, asked):
        status, told = audit(url)
    assert (status, told.splitlines()[-1]) == (0, "No known vulnerabilities found")
    # What other Pythons and other systems need is not asked about here.
    pinned = {name for which in SETS for name in pins(which)}
    assert set(asked) <= pinned and len(asked) > 0.9 * len(pinned)
    assert {"django", "torch", "pesq", "bandit"} <= set(asked)


def test_a_vulnerable_package_ends_the_audit_with_its_name() -> None:
    with service(lambda query: {"vulns": [HOLE]} if query["package"]["name"] == "django" else {}) as (url, _):
        status, told = audit(url)
    assert status == 1 and "PYSEC-0000-1" in told and "django" in told


def test_where_the_service_is_away_nothing_is_said_to_be_audited() -> None:
    with service(lambda query: None) as (url, _):
        status, told = audit(url)
    assert status == 0 and told.startswith("NOT AUDITED") and "No known vulnerabilities" not in told
    status, told = audit(url)  # now nobody listens there
    assert status == 0 and told.startswith("NOT AUDITED") and "No known vulnerabilities" not in told
