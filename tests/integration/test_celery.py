"""Stimuli made by Celery workers over a real Redis: woken at once, and none lost when the broker forgets everything."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis

from tests.integration.server import REPO, manage, manage_all

READY = "SELECT count(*) FROM listening_stimulus WHERE status = 'ready'"


@pytest.fixture
def environment(redis_url: str, tmp_path: Path) -> dict[str, str]:
    data = tmp_path / "data"
    given = {**os.environ, "CELERY_BROKER_URL": redis_url, "DATA_DIR": str(data), "STIMULUS_STORE": str(data / "stimuli")}
    given.pop("DATABASE_URL", None)
    synthetic = str(REPO / "analysis/corpora/synthetic")
    manage_all(given, ["migrate", "-v0"], ["import_corpus", "manifest", synthetic, "--name", "c", "--limit", "4"])
    return given


@contextmanager
def worker(environment: dict[str, str], app: str, queue: str) -> Iterator[subprocess.Popen[bytes]]:
    options = ["-Q", queue, "--pool", "solo", "--loglevel", "error", "-n", f"{queue}@test"]
    process = subprocess.Popen([sys.executable, "-m", "celery", "-A", app, "worker", *options], cwd=REPO, env=environment)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=30)


def create(environment: dict[str, str]) -> None:
    options = ["--corpus", "c", "--name", "s", "--conditions", "original,opus-6kbps"]
    manage(environment, "create_study", "--preset", "emo-codec", *options)


def wait_until_ready(environment: dict[str, str], wanted: int, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    with closing(sqlite3.connect(Path(environment["DATA_DIR"]) / "db.sqlite3")) as database:
        while (ready := database.execute(READY).fetchone()[0]) < wanted:
            assert time.monotonic() < deadline, f"{ready} of {wanted} stimuli are ready after {seconds:.0f} s"
            time.sleep(0.3)


def test_creating_a_study_wakes_the_workers_and_its_stimuli_are_made(environment):
    audio = {key: value for key, value in environment.items() if key not in ("DATABASE_URL", "SECRET_KEY")}
    with worker(environment, "listening", "celery"), worker(audio, "codecs_runner.worker", "render"):
        create(environment)
        wait_until_ready(environment, 8)


def test_jobs_survive_a_broker_that_forgot_everything(environment, redis_url):
    create(environment)
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("celery") == 1, "the hint waits in the broker"
        client.flushall()
    with worker(environment, "listening", "celery"), worker(environment, "codecs_runner.worker", "render"):
        manage(environment, "shell", "-v0", "-c", "from listening.tasks import sweep; sweep.delay()")
        wait_until_ready(environment, 8)


def test_without_a_broker_the_worker_command_makes_the_same_stimuli(environment):
    environment = {**environment, "CELERY_BROKER_URL": ""}
    create(environment)
    manage(environment, "worker", "--once")
    wait_until_ready(environment, 8, seconds=1)
