"""No byte can be written for a while: raters are asked to wait and lose nothing."""

import threading
import time
from pathlib import Path

import pytest

from tests.faults.installation import installation
from tests.faults.under_load import check, prepare, rate_under

FULL_S = 3.0


@pytest.mark.slow
def test_a_full_disk_under_sqlite_loses_no_answer(tmp_path: Path) -> None:
    began, raters, trials = time.monotonic(), 10, 5
    with installation(tmp_path, postgres=False) as site:
        prepare(site, raters, trials)

        def trouble(over: threading.Event) -> None:
            over.wait(1.5)
            site.fill_disk("web")
            over.wait(FULL_S)
            site.fill_disk("web", full=False)

        history = rate_under(site, trouble, raters, over_s=3, pace_s=1.0)
        check(site, history, f"disk full for {FULL_S:.0f} s under SQLite", trials=trials, raters=raters, began=began)
        assert history.retries > 0, "nobody noticed the full disk"
