"""A whole installation of real processes on free ports, any of which can be killed and started again."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.conftest import _postgres_programs, absent
from tests.integration.server import REPO, free_port, manage, manage_all


class Installation:
    """Web (gunicorn), audio worker (`manage.py worker`), PostgreSQL with fsync on, or SQLite; below one folder.

    With ``broker`` there are Redis, which keeps nothing on disk, ``dispatch`` and a Celery ``worker``, as docker/compose.yml has them.
    ``environment`` is added to that of the site's own processes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        postgres: bool = True,
        broker: bool = False,
        web_workers: int = 2,
        threads: int = 8,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder, self.web_port = folder, free_port()
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.url = f"http://127.0.0.1:{self.web_port}"
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self.environment = {
            **kept,
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEY": "for this test only",
            "DJANGO_SETTINGS_MODULE": "listening.settings",
            "WEB_LISTEN": f"127.0.0.1:{self.web_port}",
            "WEB_WORKERS": str(web_workers),
            "WEB_THREADS": str(threads),
            "ARRIVALS_PER_MINUTE": "0",  # a whole campaign comes from one address here
            "LOG_LEVEL": "ERROR",
            "PYTHONWARNINGS": "ignore",
            **(environment or {}),
        }
        self.commands: dict[str, list[str]] = {
            "web": [sys.executable, "-m", "gunicorn", "--config=python:listening.serving", "listening.wsgi"],
            "worker": [sys.executable, "manage.py", "worker", "--poll", "0.2"],
        }
        self.environments: dict[str, dict[str, str]] = {}
        self.account: str | None = None
        folder.mkdir(parents=True, exist_ok=True)
        if broker:
            self._add_broker(kept)
        if postgres:
            self._make_cluster()

    def _add_broker(self, kept: dict[str, str]) -> None:
        if (program := shutil.which("redis-server")) is None:
            absent("no Redis: apt-get install redis-server")
        port, celery = free_port(), [sys.executable, "-m", "celery"]
        self.environment["CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
        # An audio worker knows the broker and the stores: no database, no secret key.
        self.environments["worker"] = {
            **kept,
            "CELERY_BROKER_URL": self.environment["CELERY_BROKER_URL"],
            "STIMULUS_STORE": str(self.folder / "data/stimuli"),
            "CODEC_DOWNLOAD": "0",
        }
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        beat = f"--schedule={self.folder / 'beat'}"
        self.commands = {
            "redis": [program, "--port", str(port), *options],
            "web": self.commands["web"],
            "dispatch": [*celery, "--app=listening", "worker", "--beat", beat, "--queues=celery", "--concurrency=1"],
            "worker": [*celery, "--app=codecs_runner.worker", "worker", "--queues=render", "--concurrency=1"],
        }

    @property
    def redis(self) -> Any:
        """A client of the broker."""
        return redis.Redis.from_url(self.environment["CELERY_BROKER_URL"])

    def _redis_answers(self) -> bool:
        try:
            with self.redis as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def _make_cluster(self) -> None:
        programs = _postgres_programs()
        if programs is None:
            absent("no PostgreSQL: apt-get install postgresql")
        self.account = "postgres" if os.geteuid() == 0 else None
        # Not below the test's own folder: any run of pytest closes that to other users, and the server is one.
        self._home = tempfile.TemporaryDirectory(prefix="listening-test-", ignore_cleanup_errors=True)
        self._cluster, port = Path(self._home.name) / "cluster", free_port()
        if self.account:
            shutil.chown(self._home.name, self.account)
        make = [f"{programs}/initdb", f"--pgdata={self._cluster}", "--username=postgres", "--auth=trust", "--encoding=UTF8"]
        subprocess.run(make, check=True, capture_output=True, user=self.account, cwd="/")
        # fsync and synchronous_commit stay on, as they must in a real study.
        options = [
            "-p",
            str(port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "max_connections=100",
        ]
        self.commands = {"postgres": [f"{programs}/postgres", "-D", str(self._cluster), *options], **self.commands}
        self.environment["DATABASE_URL"] = f"postgres://postgres@127.0.0.1:{port}/listening"
        self._port = port
        self.start("postgres")
        with self.connect("postgres") as connection:
            connection.execute("CREATE DATABASE listening")

    def connect(self, name: str = "listening") -> psycopg.Connection[tuple[Any, ...]]:
        """To the database; waits while it recovers."""

        def ready() -> psycopg.Connection[tuple[Any, ...]] | None:
            try:
                return psycopg.connect(f"postgres://postgres@127.0.0.1:{self._port}/{name}", autocommit=True, connect_timeout=2)
            except psycopg.OperationalError:
                return None

        return until(ready, 60, "PostgreSQL does not take connections")

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the site's database."""
        if "postgres" in self.commands:
            with self.connect() as connection:
                return connection.execute(sql).fetchall()
        with closing(sqlite3.connect(self.folder / "data/db.sqlite3", timeout=60)) as database:
            return database.execute(sql).fetchall()

    def start(self, name: str) -> None:
        if name == "postgres":  # a dead server leaves its lock; pg_ctl would ask, a supervisor does not
            (self._cluster / "postmaster.pid").unlink(missing_ok=True)
        log = (self.folder / f"{name}.log").open("ab")
        user = self.account if name == "postgres" else None
        self.processes[name] = subprocess.Popen(
            self.commands[name],
            cwd="/" if name == "postgres" else REPO,
            env=None if name == "postgres" else self.environments.get(name, self.environment),
            stdout=log,
            stderr=log,
            user=user,
            start_new_session=True,
        )
        log.close()
        if name == "postgres":
            self.connect("postgres").close()
        if name == "redis":
            until(self._redis_answers, 30, "Redis does not answer")
        if name == "web":
            until(self._web_answers, 60, "the site does not answer")

    def _web_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def kill(self, name: str) -> None:
        """SIGKILL to the process and all its children at once, as a power cut would take them."""
        process = self.processes[name]
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)

    def revive(self, name: str) -> bool:
        """Start a process again if it has ended, as a supervisor does; whether it had."""
        ended = self.processes[name].poll() is not None
        if ended:
            self.start(name)
        return ended

    def children(self, name: str) -> list[int]:
        pid = self.processes[name].pid
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except OSError:
            return []

    def kill_one_web_worker(self) -> None:
        for child in self.children("web")[:1]:
            os.kill(child, signal.SIGKILL)

    def fill_disk(self, name: str, *, full: bool = True) -> None:
        """Let a process and its children (of the web server: the children) write not one byte to any file; or let them again.

        A limit on the size of files, set from outside: the write fails as on a full disk, and needs neither mounts nor a small disk.
        """
        limit, user = "0" if full else "unlimited", self.account if name == "postgres" else None
        for pid in [*self.children(name), *([] if name == "web" else [self.processes[name].pid])]:
            subprocess.run(
                ["prlimit", f"--pid={pid}", f"--fsize={limit}:unlimited"], check=False, capture_output=True, user=user, cwd="/"
            )

    def stop(self) -> None:
        for name in reversed(self.processes):
            if self.processes[name].poll() is None:
                self.kill(name)
        if "postgres" in self.commands:
            self._home.cleanup()

    def manage(self, *commands: list[str]) -> None:
        manage_all(self.environment, *commands)


def until(ready: Callable[[], Any], seconds: float, sentence: str) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < deadline, sentence
        time.sleep(0.05)
    return found


@contextmanager
def installation(folder: Path, **options: Any) -> Iterator[Installation]:
    running = Installation(folder, **options)
    try:
        yield running
    finally:
        running.stop()


TWO = "original", "opus-6kbps"
CREATE = """
from listening.models import Corpus, Study
from listening.services.studies import create_study, queue_stimuli, open_study
from listening.services.stimuli import work
study = create_study(corpus=Corpus.objects.get(), slug="{slug}", conditions={conditions!r}, n_clips={clips}, strata=["all"],
    votes_per_stratum={votes}, trials_per_session={trials}, rating_tasks=["acr"], recruiter="link", minimum_heard_share=0.1, {more})
queue_stimuli(study)
if {make}:
    work(); open_study(study)
"""


def open_a_study(
    site: Installation, *, raters: int, trials: int, slug: str = "s", make: bool = True, conditions: Sequence[str] = TWO
) -> None:
    """An open study with places for exactly so many raters; each hears ``trials`` clips, half of them through Opus."""
    votes = raters // 2  # two conditions, as many clips as trials
    fields = {
        "conditions": list(conditions),
        "clips": trials,
        "votes": votes,
        "trials": trials,
        "more": "screening=[]",
    }
    manage(site.environment, "shell", "-v0", "-c", CREATE.format(slug=slug, make=make, **fields))


def broken_promises(
    site_query: Callable[[str], list[tuple[Any, ...]]], history: Any, tokens: Callable[[str], str]
) -> list[str]:
    """Each promise that the history and the database together show broken; none is how it must be."""
    rows = site_query(
        "SELECT s.public_id, t.position, r.scale, CAST(r.idempotency_key AS text), r.stimulus_id, s.state, s.plan_id, s.stratum"
        " FROM listening_rating r JOIN listening_trial t ON r.trial_id = t.id JOIN listening_session s ON t.session_id = s.id"
    )
    stored = {(public_id, position): key.replace("-", "") for public_id, position, _, key, *_ in rows}
    known = {(tokens(token), position): key.replace("-", "") for (token, position), key in history.attempted.items()}
    promised = {(tokens(token), position): key.replace("-", "") for (token, position), key in history.acknowledged.items()}
    broken = [f"acknowledged and not stored: {name}" for name, key in promised.items() if stored.get(name) != key]
    broken += [f"stored and never sent: {name}" for name, key in stored.items() if known.get(name) != key]
    if len({(public_id, position, scale) for public_id, position, scale, *_ in rows}) != len(rows):
        broken.append("stored twice")
    counts: dict[tuple[Any, Any], int] = {}
    for *_, stimulus, state, plan, stratum in rows:
        if state == "completed" and plan is not None:
            counts[stimulus, stratum] = counts.get((stimulus, stratum), 0) + 1
    (target,) = {votes for (votes,) in site_query("SELECT votes_per_stratum FROM listening_study WHERE slug = 's'")}
    broken += [f"stimulus {stimulus} has {n} votes of {target}" for (stimulus, _), n in counts.items() if n > target]
    held = site_query(
        "SELECT plan_id FROM listening_session WHERE plan_id IS NOT NULL AND state IN ('consent','check','rating','completed')"
    )
    if len({plan for (plan,) in held}) != len(held):
        broken.append("a plan has two holders")
    open_trials = {
        public_id
        for (public_id,) in site_query(
            "SELECT s.public_id FROM listening_session s JOIN listening_trial t ON t.session_id = s.id WHERE t.answered_at IS NULL"
        )
    }
    broken += [f"a code for an incomplete session: {token}" for token in history.completed if tokens(token) in open_trials]
    return broken
