"""Stimuli made and measured by Celery workers over a real Redis: woken at once, and none lost when the broker forgets everything."""

import json
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
from celery import Celery

from codecs_runner.jobs import RenderJob
from codecs_runner.pipeline import render
from codecs_runner.store import Store
from listening.services.dispatch import RENDER_QUEUE, messages_waiting
from tests.integration.server import REPO, manage, manage_all

READY = "SELECT count(*) FROM listening_stimulus WHERE status = 'ready'"
SCORES = "SELECT count(*) FROM listening_stimulusscore"
ASK_SCORES = """from listening.models import Study; from listening.services.scores import queue_scores
queue_scores(Study.objects.get(), ("stoi", "si_sdr"))"""


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


def wait_until_ready(environment: dict[str, str], wanted: int, seconds: float = 90, counted: str = READY) -> None:
    deadline = time.monotonic() + seconds
    with closing(sqlite3.connect(Path(environment["DATA_DIR"]) / "db.sqlite3")) as database:
        while (ready := database.execute(counted).fetchone()[0]) < wanted:
            assert time.monotonic() < deadline, f"{ready} of {wanted} are there after {seconds:.0f} s: {counted}"
            time.sleep(0.3)


def without_database(environment: dict[str, str]) -> dict[str, str]:
    """What an audio worker is told."""
    return {key: value for key, value in environment.items() if key not in ("DATABASE_URL", "SECRET_KEY")}


def test_creating_a_study_wakes_the_workers_and_its_stimuli_are_made(environment):
    with worker(environment, "listening", "celery"), worker(without_database(environment), "codecs_runner.worker", "render"):
        create(environment)
        wait_until_ready(environment, 8)


def test_audio_workers_are_woken_to_measure_and_find_what_is_found_here(environment):
    with worker(environment, "listening", "celery"), worker(without_database(environment), "codecs_runner.worker", "render"):
        create(environment)
        wait_until_ready(environment, 8)
        manage(environment, "shell", "-v0", "-c", ASK_SCORES)
        wait_until_ready(environment, 16, counted=SCORES)
    asked = "SELECT stimulus_id, measure, value, reason, version FROM listening_stimulusscore ORDER BY stimulus_id, measure"
    with closing(sqlite3.connect(Path(environment["DATA_DIR"]) / "db.sqlite3")) as database:
        by_worker = database.execute(asked).fetchall()
        unfinished = "SELECT count(*) FROM listening_job WHERE kind = 'score' AND state <> 'done'"
        assert database.execute(unfinished).fetchone() == (0,)
        with database:
            database.execute("UPDATE listening_stimulusscore SET value = -1, version = 'old'")
        manage(environment, "score_stimuli", "s", "--measures", "stoi,si_sdr")
        assert database.execute(asked).fetchall() == by_worker


@pytest.mark.neural
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_worker_encodes_a_clip_once_for_all_rates_of_a_model(environment, tmp_path):
    """A clip's rates travel in one message, and the worker gives what each of them gives alone."""
    from tests.unit.codecs_runner.checkpoints import write_random_encodec

    write_random_encodec(tmp_path / "weights")
    passes, rates = tmp_path / "passes", ("1.5", "6", "24")
    environment |= {"CODEC_WEIGHTS": str(tmp_path / "weights"), "PASSES": str(passes), "CODEC_DEVICE": "cpu"}
    environment["PYTHONPATH"] = str(Path(__file__).parent)  # where noting_worker lies
    slugs = ",".join(["original", *(f"encodec-24k-{rate}kbps" for rate in rates)])
    with worker(environment, "listening", "celery"), worker(environment, "noting_worker", "render"):
        manage(environment, "create_study", "--preset", "emo-codec", "--corpus", "c", "--name", "s", "--conditions", slugs)
        wait_until_ready(environment, 16, seconds=600)
    assert passes.read_text().splitlines() == ["1 clips, 32 codebooks"] * 4
    asked = """SELECT c.file, s.condition, s.sidecar FROM listening_stimulus s JOIN listening_sourceclip c
        ON c.id = s.source_clip_id WHERE s.condition LIKE 'encodec%' ORDER BY s.id LIMIT 3"""
    with closing(sqlite3.connect(Path(environment["DATA_DIR"]) / "db.sqlite3")) as database:
        made = [(file, condition, json.loads(sidecar)) for file, condition, sidecar in database.execute(asked)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CODEC_WEIGHTS", environment["CODEC_WEIGHTS"])
        for file, condition, sidecar in made:
            job = RenderJob(str(Path(environment["DATA_DIR"]) / "sources" / file), sidecar["source_sha256"], condition)
            assert render(job, Store(tmp_path / "alone")).sidecar["audio_sha256"] == sidecar["audio_sha256"]


def test_jobs_survive_a_broker_that_forgot_everything(environment, redis_url):
    create(environment)
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("celery") == 1, "the hint waits in the broker"
        client.flushall()
    with worker(environment, "listening", "celery"), worker(environment, "codecs_runner.worker", "render"):
        manage(environment, "shell", "-v0", "-c", "from listening.tasks import sweep; sweep.delay()")
        wait_until_ready(environment, 8)


def test_scores_survive_a_broker_that_forgot_everything(environment, redis_url):
    create({**environment, "CELERY_BROKER_URL": ""})
    manage({**environment, "CELERY_BROKER_URL": ""}, "worker", "--once")
    manage(environment, "shell", "-v0", "-c", ASK_SCORES)
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("celery") == 1, "the hint waits in the broker"
        client.flushall()
    with worker(environment, "listening", "celery"), worker(without_database(environment), "codecs_runner.worker", "render"):
        manage(environment, "shell", "-v0", "-c", "from listening.tasks import sweep; sweep.delay()")
        wait_until_ready(environment, 16, counted=SCORES)


def test_without_a_broker_the_worker_command_makes_the_same_stimuli(environment):
    environment = {**environment, "CELERY_BROKER_URL": ""}
    create(environment)
    manage(environment, "worker", "--once")
    wait_until_ready(environment, 8, seconds=1)


def test_lists_that_wait_at_the_broker_are_counted_and_those_taken_are_not(redis_url: str) -> None:
    with Celery(broker=redis_url) as app, closing(redis.from_url(redis_url)) as broker:
        assert messages_waiting(app) == 0  # there is no such queue yet
        for _ in range(2):
            app.send_task("codecs_runner.render_jobs", args=[[]], queue=RENDER_QUEUE)
        assert messages_waiting(app) == 2
        broker.lpop(RENDER_QUEUE)
        assert messages_waiting(app) == 1
