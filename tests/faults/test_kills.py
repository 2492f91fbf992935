"""Processes are killed, again and again, while raters answer; every promise holds afterwards."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.installation import Installation, broken_promises, installation, open_a_study
from tests.faults.virtual_raters import History, crowd
from tests.integration.server import REPO

CORPUS = str(REPO / "analysis/corpora/synthetic")


def prepare(site: Installation, raters: int, trials: int) -> None:
    site.manage(["migrate", "--verbosity=0"], ["import_corpus", "manifest", CORPUS, "--name=synthetic"])
    open_a_study(site, raters=raters, trials=trials)
    # Work for the audio worker while raters answer: a study whose stimuli are not made yet.
    open_a_study(site, raters=2, trials=30, slug="later", make=False)
    site.start("web")
    site.start("worker")


def nemesis(site: Installation, kills: list[str], pause_s: float, done: threading.Event, log: list[str]) -> None:
    for what in kills:
        if done.wait(pause_s):
            return
        if what == "one web worker":
            site.kill_one_web_worker()
        else:
            site.kill(what)
            site.start(what)
        log.append(what)


def rate_under(
    site: Installation, raters: int, over_s: float, pace_s: float, kills: list[str], pause_s: float
) -> tuple[History, list[str]]:
    history, killed, over = History(), list[str](), threading.Event()
    thread = threading.Thread(target=nemesis, args=(site, kills, pause_s, over, killed))
    thread.start()
    try:
        with ThreadPoolExecutor(1) as own_loop:  # a browser test before this one may have left a loop running in our thread
            own_loop.submit(asyncio.run, crowd(site.url, "s", raters, over_s, pace_s, history)).result()
    finally:
        over.set()
        thread.join()
    return history, killed


def check(site: Installation, history: History, killed: list[str], trials: int, raters: int, began: float) -> None:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        with site.connect() as connection:
            return connection.execute(sql).fetchall()

    def public_id(token: str) -> str:
        return token.rpartition(":")[0]

    print(
        f"\n{len(killed)} kills ({', '.join(f'{killed.count(each)} {each}' for each in sorted(set(killed)))}), "
        f"{len(history.attempted)} answers sent, {len(history.acknowledged)} acknowledged, {len(history.completed)} codes, "
        f"{history.retries} retries, {history.unfinished} gave up, {time.monotonic() - began:.0f} s"
    )
    assert broken_promises(ask, history, public_id) == []
    assert history.unfinished == 0 and history.turned_away == 0
    assert len(history.completed) == raters and len(history.acknowledged) == raters * trials
    deadline = time.monotonic() + 120
    while due := ask("SELECT state, count(*) FROM listening_job WHERE state IN ('queued', 'claimed') GROUP BY state"):
        # A job whose worker was killed is offered again when its lease ends; nobody waits a quarter of an hour here.
        free_jobs_of_the_dead(site)
        assert time.monotonic() < deadline, due
        time.sleep(0.5)
    failed = ask("SELECT error FROM listening_stimulus s JOIN listening_job j ON j.stimulus_id = s.id WHERE j.state = 'failed'")
    assert all(error for (error,) in failed)


def free_jobs_of_the_dead(site: Installation) -> None:
    alive = f"%:{site.processes['worker'].pid}"
    with site.connect() as connection:
        connection.execute(
            "UPDATE listening_job SET lease_expires_at = now() WHERE state = 'claimed' AND worker NOT LIKE %s", [alive]
        )


def test_a_few_kills_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    began = time.monotonic()
    kills = ["one web worker", "postgres", "web", "worker", "one web worker", "postgres"]
    with installation(tmp_path_factory.mktemp("kills")) as site:
        prepare(site, raters=12, trials=5)
        history, killed = rate_under(site, 12, over_s=4, pace_s=2.0, kills=kills, pause_s=1.5)
        check(site, history, killed, trials=5, raters=12, began=began)
        assert len(killed) >= 3


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    began, rng = time.monotonic(), Random(0)
    kills = [rng.choice(["one web worker", "one web worker", "web", "worker", "postgres"]) for _ in range(100)]
    with installation(tmp_path) as site:
        prepare(site, raters=80, trials=20)
        history, killed = rate_under(site, 80, over_s=60, pace_s=12.0, kills=kills, pause_s=1.0)
        check(site, history, killed, trials=20, raters=80, began=began)
        assert len(killed) == 100
