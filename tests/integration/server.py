"""The project's own processes, as tests start and look into them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

REPO = Path(__file__).resolve().parents[2]


def manage(environment: Mapping[str, str], *arguments: str) -> str:
    """Run manage.py and return what it said; a failure shows its output."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=REPO, env=dict(environment), capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def manage_all(environment: Mapping[str, str], *commands: list[str]) -> None:
    """Run several commands of manage.py in one process, which starts Django once."""
    calls = "; ".join(f"call_command(*{command!r})" for command in commands)
    manage(environment, "shell", "-v0", "-c", f"from django.core.management import call_command; {calls}")


def query(environment: Mapping[str, str], sql: str, rows: bool = True) -> list[tuple[Any, ...]]:
    """Ask the PostgreSQL database of an environment."""
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if rows else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_server(environment: Mapping[str, str], application: str = "listening.wsgi") -> Iterator[str]:
    """A real web server on a free port; yields its address."""
    port = free_port()
    command = [
        "-m",
        "gunicorn",
        application,
        "--bind",
        f"127.0.0.1:{port}",
        "--workers",
        "2",
        "--threads",
        "8",
        "--log-level",
        "error",
    ]
    server = subprocess.Popen([sys.executable, *command], cwd=REPO, env={**os.environ, **environment})
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)
