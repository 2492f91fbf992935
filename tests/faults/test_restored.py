"""The machine is lost while raters answer; a copy that was made meanwhile is put in place on a bare one, and its raters go on there."""

import threading
import time
from pathlib import Path

import pytest

from tests.faults.installation import broken_promises, installation
from tests.faults.under_load import prepare, rate_under, session_of
from tests.faults.virtual_raters import History, VirtualRater
from tests.integration.server import manage

COUNT = "SELECT count(*) FROM listening_rating"
LATER_S = 3.0  # the machine lives on for so long after the copy was begun: these answers are lost with it


class Returning(VirtualRater):
    """The same person as before the loss, whose new answers are new."""

    def name(self) -> str:
        name = super().name()
        self._rng.seed(f"{name} again")
        return name


@pytest.mark.slow
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_raters_go_on_with_a_copy_that_was_made_while_they_answered(postgres: bool, tmp_path: Path) -> None:
    began, raters, trials, copy = time.monotonic(), 10, 6, tmp_path / "copy.tar"
    safe: dict[tuple[str, int], str] = {}
    with installation(tmp_path / "lost", postgres=postgres) as lost:
        prepare(lost, raters, trials)

        def trouble(over: threading.Event) -> None:
            over.wait(4.0)
            safe.update(first.acknowledged)
            manage(lost.environment, "backup", str(copy))
            over.wait(LATER_S)
            lost.kill("web")

        first = History()
        rate_under(lost, trouble, raters, over_s=4, pace_s=2.0, history=first, give_up_s=1)
    assert safe and first.unfinished, "the copy was made before the first answer, or the loss came after the last"
    with installation(tmp_path / "bare", postgres=postgres) as bare:
        manage(bare.environment, "restore", str(copy))
        manage(bare.environment, "migrate", "-v0")
        restored = bare.ask(COUNT)[0][0]
        assert broken_promises(bare.ask, History(attempted=first.attempted, acknowledged=safe), session_of) == []
        bare.start("web")
        second = rate_under(bare, lambda over: None, raters, over_s=2, pace_s=1.0, kind=Returning)
        print(
            f"\nmachine lost under raters: {len(first.acknowledged)} answers acknowledged, {len(safe)} of them before the copy was begun, "
            f"{restored} in the copy, {len(second.attempted)} given with the copy, {len(second.completed)} codes, "
            f"{time.monotonic() - began:.0f} s"
        )
        both = History(
            attempted=first.attempted | second.attempted, acknowledged=safe | second.acknowledged, completed=second.completed
        )
        assert broken_promises(bare.ask, both, session_of) == []
        assert len(second.completed) == raters and second.turned_away == 0
        assert bare.ask(COUNT) == [(restored + len(second.acknowledged),)] == [(raters * trials,)]
