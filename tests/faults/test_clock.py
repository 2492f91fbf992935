"""The clock of the web server leaps by an hour, ahead and back, while raters answer; the worker's stays right."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.faults.installation import installation
from tests.faults.under_load import check, prepare, rate_under


def a_clock_to_set(folder: Path) -> tuple[dict[str, str], Callable[[str], None]]:
    """The environment of a process whose time of day is off by what is set; other clocks go on as they should."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        absent("no libfaketime: apt-get install faketime")
    offset = folder / "offset"

    def leap(by: str) -> None:
        part = folder / "offset.new"
        part.write_text(by)
        part.replace(offset)

    leap("+0")
    names = {
        "FAKETIME_TIMESTAMP_FILE": str(offset),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    return {"LD_PRELOAD": str(library), **names}, leap


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["sqlite", "postgres"])
def test_a_clock_that_leaps_costs_nobody_a_place_or_an_answer(postgres: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    began, raters, trials, folder = time.monotonic(), 10, 5, tmp_path_factory.mktemp("clock")
    clock, leap = a_clock_to_set(folder)
    with installation(folder, postgres=postgres) as site:
        site.environments["web"] = site.environment | clock
        prepare(site, raters, trials, clips=trials)
        site.start("worker")

        def trouble(over: threading.Event) -> None:
            for by in ("+1h", "+0", "-1h", "+0"):
                assert not over.wait(1.5), "the raters had left before the clock had leapt"
                leap(by)

        history = rate_under(site, trouble, raters, over_s=5, pace_s=1.2)
        hours = site.ask("SELECT min(answered_at), max(answered_at) FROM listening_trial WHERE answered_at IS NOT NULL")
        check(site, history, f"the clock leapt four times, answers from {hours[0]}", trials=trials, raters=raters, began=began)
        assert site.ask("SELECT count(*) FROM listening_session WHERE state = 'completed' AND plan_id IS NULL") == [(0,)]
