"""A message is delivered twice: to two workers at once, and again after all is done."""

import threading
import time

import pytest

from tests.faults.installation import installation, open_a_study, until
from tests.faults.test_full_disk import whole_files
from tests.faults.under_load import check, check_jobs_end, prepare, rate_under

JOBS = 40
ROWS = "SELECT * FROM listening_stimulus ORDER BY id", "SELECT * FROM listening_job ORDER BY id"


@pytest.mark.slow
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_a_list_that_is_delivered_again_and_again_is_one_list(postgres: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    began, raters, trials = time.monotonic(), 6, 4
    with installation(tmp_path_factory.mktemp("twice"), postgres=postgres, broker=True) as site:
        for number in (1, 2):
            name = f"worker {number}"
            site.commands[name] = [*site.commands["worker"], f"--hostname={number}@%h"]
            site.environments[name] = site.environments["worker"]
        site.start("redis")
        prepare(site, raters, trials, clips=JOBS // 2)
        sent: list[bytes] = []

        def trouble(over: threading.Event) -> None:
            site.start("dispatch")
            open_a_study(site, raters=2, trials=JOBS // 2, slug="later", make=False)
            until(lambda: site.redis.llen("render"), 30, "no job was sent")
            sent.extend(site.redis.lrange("render", 0, -1))
            site.redis.lpush("render", *sent)
            site.start("worker 1")
            site.start("worker 2")

        history = rate_under(site, trouble, raters, over_s=2, pace_s=1.0)
        jobs = check_jobs_end(site, 60)
        done = [site.ask(sql) for sql in ROWS]
        site.redis.lpush("render", *sent)
        queues = "render", "celery"
        until(
            lambda: not any(map(site.redis.llen, queues)) and not site.redis.hlen("unacked"), 30, "nobody took the late message"
        )
        assert [site.ask(sql) for sql in ROWS] == done, "what came late has changed something"
        ((twice,),) = site.ask("SELECT count(*) FROM listening_job WHERE attempts = 2")
        assert twice == JOBS - 2 * trials, "both workers had the list"
        files = whole_files(site)
        for name in ("dispatch", "worker 1", "worker 2"):
            assert "Traceback" not in (site.folder / f"{name}.log").read_text(), name
        what = f"{twice} jobs delivered three times, two of them at once: {jobs} jobs done, {files} stimuli"
        check(site, history, what, trials=trials, raters=raters, began=began)
