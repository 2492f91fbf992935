"""Rendering on PostgreSQL and Redis with the processes that docker/compose.yml starts: one hands out jobs, one renders them."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

REPO = Path(__file__).resolve().parents[2]
CORPUS = REPO / "analysis/corpora/synthetic"
READY = "SELECT count(*) FROM listening_stimulus WHERE status = 'ready'"
DUE = "SELECT count(*) FROM listening_stimulus WHERE status <> 'ready'"

Run = Callable[..., None]


@pytest.fixture
def secrets(postgres_url: str) -> dict[str, str]:
    """What the site knows and an audio worker does not."""
    return {"DATABASE_URL": postgres_url, "SECRET_KEY": "for this test only", "DJANGO_SETTINGS_MODULE": "listening.settings"}


@pytest.fixture
def environment(redis_url: str, tmp_path: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "CELERY_BROKER_URL": redis_url, "DATA_DIR": str(tmp_path), "STIMULUS_STORE": str(tmp_path / "stimuli")}


@pytest.fixture
def manage(environment: dict[str, str], secrets: dict[str, str]) -> Run:
    def run(*arguments: str) -> None:
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=REPO, env={**environment, **secrets}, check=True)

    return run


@contextmanager
def celery(environment: dict[str, str], log: Path, *arguments: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", *arguments]
    with log.open("w") as output:
        process = subprocess.Popen(command, cwd=REPO, env=environment, stdout=output, stderr=output)
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=20)


def count(postgres_url: str, query: str) -> int:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute(query).fetchone()
    assert row
    return int(row[0])


def test_stimuli_are_rendered_by_a_worker_that_has_no_database_password(
    manage: Run, environment: dict[str, str], secrets: dict[str, str], postgres_url: str, tmp_path: Path
) -> None:
    manage("migrate", "--verbosity=0")
    manage("import_corpus", "manifest", str(CORPUS), "--name", "synthetic")
    study = ["--clips", "5", "--votes-per-stratum", "1", "--trials-per-session", "5", "--seed", "1"]
    manage("create_study", "--preset=emo-codec", "--corpus=synthetic", "--name=s", "--conditions=original,opus-6kbps", *study)
    assert (count(postgres_url, READY), count(postgres_url, DUE)) == (0, 10)

    worker_log, dispatch_log = tmp_path / "worker.log", tmp_path / "dispatch.log"
    site = {**environment, **secrets}
    dispatch = ["--app=listening", "worker", "--beat", f"--schedule={tmp_path / 'beat'}", "--queues=celery", "--concurrency=1"]
    with (
        celery(environment, worker_log, "--app=codecs_runner.worker", "worker", "--queues=render", "--concurrency=1"),
        celery(site, dispatch_log, *dispatch),
    ):
        subprocess.run(
            [sys.executable, "-m", "celery", "--app=listening", "call", "listening.dispatch"], cwd=REPO, env=site, check=True
        )
        deadline = time.monotonic() + 60
        while count(postgres_url, DUE) and time.monotonic() < deadline:
            time.sleep(0.2)
    assert count(postgres_url, DUE) == 0, f"{dispatch_log.read_text()}\n{worker_log.read_text()}"
    assert len(list((tmp_path / "stimuli").rglob("*.flac"))) == 10
