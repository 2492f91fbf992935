"""The broker is killed, wiped and away while raters answer and jobs are done: it only wakes workers, and nothing of it is missed."""

import threading
import time
from pathlib import Path
from random import Random

import pytest

from tests.faults.installation import Installation, installation, open_a_study, until
from tests.faults.test_kills import kill_under
from tests.faults.under_load import check, check_jobs_end, prepare, rate_under

JOBS = 40
# Enough to do for a minute of one processor.
MANY = [
    "original",
    "anchor-3.5khz",
    "anchor-7khz",
    "mnru-8db",
    "mnru-16db",
    "mnru-24db",
    "mnru-32db",
    "mnru-40db",
    "opus-6kbps",
    "opus-24kbps",
    "mp3-8kbps",
    "mp3-24kbps",
    "mp3-160kbps",
    "aac-10kbps",
    "aac-24kbps",
    "aac-77kbps",
]


def order_work(site: Installation) -> None:
    """A study whose stimuli the audio workers have to make, but for those of the open study's clips."""
    open_a_study(site, raters=2, trials=JOBS // 2, slug="later", make=False)


def begun(site: Installation) -> dict[int, int]:
    """How many of the ordered jobs were begun how often; the others were made beforehand."""
    return dict(site.ask("SELECT attempts, count(*) FROM listening_job WHERE worker LIKE 'celery%' GROUP BY attempts"))


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["sqlite", "postgres"])
def test_a_broker_that_forgets_everything_costs_a_moment(postgres: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    began, raters, trials = time.monotonic(), 8, 4
    with installation(tmp_path_factory.mktemp("wiped"), postgres=postgres, broker=True, environment={"SWEEP_S": "1"}) as site:
        site.start("redis")
        prepare(site, raters, trials, clips=JOBS // 2)
        wiped_at = list[float]()

        def trouble(over: threading.Event) -> None:
            site.start("dispatch")
            order_work(site)
            until(lambda: site.redis.llen("render"), 30, "no job was sent")
            site.redis.flushall()
            wiped_at.append(time.monotonic())
            site.start("worker")

        history = rate_under(site, trouble, raters, over_s=2, pace_s=0.5)
        jobs = check_jobs_end(site, 60)
        what = f"broker wiped with jobs queued, {jobs} of them done {time.monotonic() - wiped_at[0]:.1f} s later"
        check(site, history, what, trials=trials, raters=raters, began=began)
        assert begun(site) == {1: JOBS - 2 * trials}, "no job was begun twice"


def rate_while_the_broker_is_away(site: Installation, away_s: float, *, raters: int, trials: int, pace_s: float) -> None:
    assert 2 * trials < JOBS, "something is to be made that the open study does not have"
    began = time.monotonic()
    site.start("redis")
    prepare(site, raters, trials, clips=JOBS // 2)
    site.start("dispatch")
    site.start("worker")
    until(lambda: site.redis.exists("_kombu.binding.render"), 60, "the audio worker is not there")
    back_at, asked_s = list[float](), list[float]()

    def trouble(over: threading.Event) -> None:
        site.kill("redis")
        gone = time.monotonic()
        order_work(site)
        asked_s.append(time.monotonic() - gone)
        over.wait()
        time.sleep(max(away_s - (time.monotonic() - gone), 0))
        assert begun(site) == {}, "jobs wait while the broker is away"
        site.start("redis")
        back_at.append(time.monotonic())

    history = rate_under(site, trouble, raters, over_s=2, pace_s=pace_s)
    jobs = check_jobs_end(site, 120)
    done = time.monotonic() - back_at[0]
    what = (
        f"broker away for {away_s:.0f} s (ordering took {asked_s[0]:.1f} s), {jobs} jobs done {done:.1f} s after it came back"
    )
    check(site, history, what, trials=trials, raters=raters, began=began)
    assert begun(site) == {1: JOBS - 2 * trials}, "no job was begun twice"


@pytest.mark.slow
def test_rating_goes_on_without_the_broker_and_what_was_ordered_is_made_when_it_is_back(tmp_path: Path) -> None:
    with installation(tmp_path, broker=True, environment={"SWEEP_S": "2"}) as site:
        rate_while_the_broker_is_away(site, 15, raters=8, trials=4, pace_s=1.0)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_broker_that_is_away_for_ten_minutes(tmp_path: Path) -> None:
    """As long as it takes, and with the periods of a real installation."""
    with installation(tmp_path, broker=True) as site:
        rate_while_the_broker_is_away(site, 600, raters=8, trials=10, pace_s=56.0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_process_is_killed_while_jobs_are_done(tmp_path: Path) -> None:
    """Redis too, which forgets everything each time."""
    rng = Random(0)
    kills = [rng.choice(["redis", "redis", "dispatch", "worker", "postgres", "one web worker"]) for _ in range(40)]
    with installation(tmp_path, broker=True, environment={"SWEEP_S": "2"}) as site:
        site.start("redis")
        site.start("dispatch")
        assert kill_under(site, kills, pause_s=2.0, raters=40, trials=20, over_s=30, pace_s=6.0, conditions=MANY) == 40
