"""manage.py worker"""

import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections

from codecs_runner.jobs import RenderResult
from listening.models import Stimulus
from listening.services import alerts
from listening.services.sandboxes import work_sandboxes
from listening.services.scores import work_scores
from listening.services.sessions import expire_sessions
from listening.services.stimuli import give_back, work, worker_name
from listening.services.upkeep import keep_up

ALERTS_S = 60  # between looks at what needs a person


class Command(BaseCommand):
    help = (
        "Make and measure due stimuli, send simulated raters into sandboxes, free the places of raters who left, "
        "keep in step with Prolific. Needs no broker."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="stop when nothing is due")
        parser.add_argument("--poll", type=float, default=2.0, help="seconds between looks at the job table")

    def handle(self, *, once: bool, poll: float, **options: Any) -> None:
        stopping = False

        def stop(*_: Any) -> None:
            nonlocal stopping
            stopping = True

        if not once:
            signal.signal(signal.SIGTERM, stop)
            signal.signal(signal.SIGINT, stop)
        self._check_at, lost = 0.0, False
        while not stopping:
            close_old_connections()
            try:
                if lost:
                    give_back(worker_name())
                self._look(once)
                lost = False
            except (OperationalError, InterfaceError) as error:
                if once:
                    raise
                lost = True
                self.stderr.write(f"The database does not answer; looking again in {poll:g} s: {str(error).splitlines()[0]}")
            if once:
                break
            time.sleep(poll)

    def _look(self, once: bool) -> None:
        """Do what is due."""
        work(on_result=self._say)
        work_scores()
        while work_sandboxes() and once:
            pass
        expire_sessions()
        keep_up()
        if time.monotonic() >= self._check_at:
            alerts.check()
            self._check_at = time.monotonic() + ALERTS_S

    def _say(self, stimulus: Stimulus, result: RenderResult) -> None:
        self.stdout.write(f"{stimulus}: {'ready' if result.ok else result.message}")
