"""Processes are killed, again and again, while raters answer; every promise holds afterwards."""

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from tests.faults.installation import TWO, Installation, installation, open_a_study
from tests.faults.under_load import check, check_jobs_end, prepare, rate_under


def kill_under(
    site: Installation,
    kills: list[str],
    pause_s: float,
    raters: int,
    trials: int,
    over_s: float,
    pace_s: float,
    conditions: Sequence[str] = TWO,
) -> int:
    """Kill one process after another while raters answer and stimuli of these conditions are made; return how many."""
    began, killed = time.monotonic(), list[str]()
    prepare(site, raters, trials)
    # Work for the audio worker while raters answer: a study whose stimuli are not made yet.
    open_a_study(site, raters=2, trials=30, slug="later", make=False, conditions=conditions)
    site.start("worker")

    def kill_one_after_another(done: threading.Event) -> None:
        for what in kills:
            if done.wait(pause_s):
                return
            if what == "one web worker":
                site.kill_one_web_worker()
            else:
                site.kill(what)
                site.start(what)
            killed.append(what)

    history = rate_under(site, kill_one_after_another, raters, over_s, pace_s)
    counts = ", ".join(f"{killed.count(each)} {each}" for each in sorted(set(killed)))
    check(site, history, f"{len(killed)} kills ({counts})", trials=trials, raters=raters, began=began)
    check_jobs_end(site, 180, lambda: free_jobs_of_the_dead(site))
    return len(killed)


def free_jobs_of_the_dead(site: Installation) -> None:
    """A job whose worker was killed is offered again when its lease ends; nobody waits a quarter of an hour here."""
    if "dispatch" in site.commands:  # leases of audio workers elsewhere are short
        return
    alive = f"%:{site.processes['worker'].pid}"
    with site.connect() as connection:
        connection.execute(
            "UPDATE listening_job SET lease_expires_at = now() WHERE state = 'claimed' AND worker NOT LIKE %s", [alive]
        )


def test_a_few_kills_lose_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    kills = ["one web worker", "postgres", "web", "worker", "one web worker", "postgres"]
    with installation(tmp_path_factory.mktemp("kills")) as site:
        assert kill_under(site, kills, pause_s=1.5, raters=12, trials=5, over_s=4, pace_s=2.0) >= 3


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    rng = Random(0)
    kills = [rng.choice(["one web worker", "one web worker", "web", "worker", "postgres"]) for _ in range(100)]
    with installation(tmp_path) as site:
        assert kill_under(site, kills, pause_s=1.0, raters=80, trials=20, over_s=60, pace_s=12.0) == 100
