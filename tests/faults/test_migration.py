"""The tables change under a study that is open."""

import threading
import time
from pathlib import Path

from tests.faults.installation import installation
from tests.faults.under_load import check, prepare, rate_under
from tests.integration.server import manage

#: A migration that the version which serves the raters works without: it takes a column away that this version does not read.
BEFORE, NAME = "0013", "0014_no_sandboxes"


def test_a_migration_under_a_running_study_loses_no_answer(tmp_path: Path) -> None:
    began, raters, trials = time.monotonic(), 10, 5
    with installation(tmp_path, postgres=False) as site:
        prepare(site, raters, trials)
        manage(site.environment, "migrate", "-v0", "listening", BEFORE)
        applied = f"SELECT count(*) FROM django_migrations WHERE app = 'listening' AND name = '{NAME}'"
        assert site.ask(applied) == [(0,)]

        def trouble(over: threading.Event) -> None:
            over.wait(1.0)
            manage(site.environment, "migrate", "-v0")
            assert not over.is_set(), "the raters had left before the tables had changed"

        history = rate_under(site, trouble, raters, over_s=3, pace_s=1.5)
        assert site.ask(applied) == [(1,)]
        check(site, history, "migrated while raters answered", trials=trials, raters=raters, began=began)
