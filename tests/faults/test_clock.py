"""The clock of the web server leaps by an hour, ahead and back, while raters answer; the worker's stays right."""

import shutil
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.faults.installation import installation, until
from tests.faults.under_load import check, prepare, rate_under
from tests.faults.virtual_raters import History


def a_clock_to_set(folder: Path) -> tuple[dict[str, str], Callable[[int], None]]:
    """The environment of a process whose time of day is off by the seconds that are set."""
    if (compiler := shutil.which("cc")) is None:
        absent("no C compiler: apt-get install gcc libc6-dev")
    library, offset = folder / "clock.so", folder / "offset"
    source = Path(__file__).with_name("leaping_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, source], check=True)
    offset.write_bytes(bytes(8))

    def leap(seconds: int) -> None:
        with offset.open("r+b") as file:  # in place: the process looks into this very file
            file.write(struct.pack("q", seconds))

    return {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}, leap


@pytest.mark.parametrize("postgres", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["sqlite", "postgres"])
def test_a_clock_that_leaps_costs_nobody_a_place_or_an_answer(postgres: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    began, raters, trials, folder = time.monotonic(), 10, 5, tmp_path_factory.mktemp("clock")
    clock, leap = a_clock_to_set(folder)
    with installation(folder, postgres=postgres) as site:
        site.environments["web"] = site.environment | clock
        prepare(site, raters, trials, clips=trials)
        site.start("worker")

        def trouble(over: threading.Event) -> None:
            for answers, by in ((5, 3600), (17, 0), (29, -3600), (41, 0)):
                until(lambda answers=answers: len(history.acknowledged) >= answers, 60, "nobody answers")  # type: ignore[misc]
                leap(by)

        history = History()
        rate_under(site, trouble, raters, over_s=5, pace_s=1.2, history=history)
        check(site, history, "the clock leapt four times by an hour", trials=trials, raters=raters, began=began)
        hours = {str(at)[:13] for (at,) in site.ask("SELECT answered_at FROM listening_trial")}
        assert len(hours) >= 3, "answers came an hour too early, in time, and an hour late"
        assert site.ask("SELECT count(*) FROM listening_session WHERE state = 'completed' AND plan_id IS NULL") == [(0,)]
