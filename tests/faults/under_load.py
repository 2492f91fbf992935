"""A study that raters are answering while something goes wrong, and what must hold afterwards."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.faults.installation import Installation, broken_promises, open_a_study
from tests.faults.virtual_raters import History, VirtualRater, crowd
from tests.integration.server import REPO

CORPUS = str(REPO / "analysis/corpora/synthetic")
#: What goes wrong: called in a thread of its own with an event that is set when the last rater has left.
Trouble = Callable[[threading.Event], None]


def prepare(site: Installation, raters: int, trials: int, *, clips: int | None = None) -> None:
    """A migrated database, a corpus, an open study with places for exactly these raters, and the site served."""
    limit = [] if clips is None else [f"--limit={clips}"]
    site.manage(["migrate", "--verbosity=0"], ["import_corpus", "manifest", CORPUS, "--name=synthetic", *limit])
    open_a_study(site, raters=raters, trials=trials)
    site.start("web")


def rate_under(
    site: Installation,
    trouble: Trouble,
    raters: int,
    over_s: float,
    pace_s: float,
    kind: type[VirtualRater] = VirtualRater,
    **options: Any,
) -> History:
    """What the raters saw. An error of the trouble's own is raised once they have left. ``options`` are those of `crowd`."""
    history, over = options.pop("history", None) or History(), threading.Event()
    with ThreadPoolExecutor(2) as threads:  # a browser test before this one may have left a loop running in our thread
        troubled = threads.submit(trouble, over)
        try:
            threads.submit(asyncio.run, crowd(site.url, "s", raters, over_s, pace_s, history, kind=kind, **options)).result()
        finally:
            over.set()
        troubled.result()
    return history


def check(site: Installation, history: History, what: str, *, trials: int, raters: int, began: float) -> None:
    """Prints the figures; every promise holds, and every rater came to the end."""
    print(
        f"\n{what}: {len(history.attempted)} answers sent, {len(history.acknowledged)} acknowledged, {len(history.completed)} codes, "
        f"{history.retries} retries, {history.unfinished} gave up, {time.monotonic() - began:.0f} s"
    )
    assert broken_promises(site.ask, history, session_of) == []
    assert history.unfinished == 0 and history.turned_away == 0
    assert len(history.completed) == raters and len(history.acknowledged) == raters * trials


def session_of(token: str) -> str:
    """What a rater's address says of the session's public id."""
    return token.rpartition(":")[0]


def check_jobs_end(site: Installation, within_s: float, unblock: Callable[[], None] = lambda: None) -> int:
    """Every job is done, or failed with a reason; prints and returns how many there are."""
    deadline = (began := time.monotonic()) + within_s
    while due := site.ask("SELECT state, count(*) FROM listening_job WHERE state IN ('queued', 'claimed') GROUP BY state"):
        unblock()
        assert time.monotonic() < deadline, due
        time.sleep(0.3)
    failed = site.ask(
        "SELECT error FROM listening_stimulus s JOIN listening_job j ON j.stimulus_id = s.id WHERE j.state = 'failed'"
    )
    assert all(error for (error,) in failed)
    ((jobs, attempts),) = site.ask("SELECT count(*), max(attempts) FROM listening_job")
    print(f"\n{jobs} jobs, {len(failed)} of them failed, {time.monotonic() - began:.0f} s later; at most {attempts} attempts")
    return int(jobs)
