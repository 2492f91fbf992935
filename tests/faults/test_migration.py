"""The tables change under a study that is open."""

import threading
import time
from pathlib import Path

import pytest

from tests.faults.installation import installation
from tests.faults.under_load import check, prepare, rate_under
from tests.integration.server import manage


@pytest.mark.slow
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_a_migration_under_a_running_study_loses_no_answer(postgres: bool, tmp_path: Path) -> None:
    began, raters, trials = time.monotonic(), 10, 5
    with installation(tmp_path, postgres=postgres) as site:
        prepare(site, raters, trials)
        later = site.environment | {"DJANGO_SETTINGS_MODULE": "tests.faults.later_version.settings"}

        def trouble(over: threading.Event) -> None:
            over.wait(1.0)
            manage(later, "migrate", "-v0")
            assert not over.is_set(), "the raters had left before the tables had changed"

        history = rate_under(site, trouble, raters, over_s=3, pace_s=1.5)
        known = dict(site.ask("SELECT noted, count(*) FROM listening_rating GROUP BY noted"))
        assert known["before"] and known[None], "ratings were stored before the tables changed, and after"
        check(site, history, "migrated while raters answered", trials=trials, raters=raters, began=began)
