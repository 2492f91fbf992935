"""manage.py sandbox SLUG [--raters N] [--seed N] [--queue] [--delete]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.fieldwork import fieldwork
from listening.services.reports import report_directory
from listening.services.sandboxes import discard_sandbox, interval_widths, make_sandbox, run_sandbox

WHO = "manage.py"


class Command(BaseCommand):
    help = "Copy a study into a sandbox, let simulated raters take it, and say what came out; --delete throws a sandbox away."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--raters", type=int, default=100, help="at most so many come (default: 100)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--queue", action="store_true", help="leave the raters to a worker instead of sending them here")
        parser.add_argument("--delete", action="store_true", help="SLUG is a sandbox: delete it with everything it holds")

    def handle(self, *, study: str, raters: int, seed: int, queue: bool, delete: bool, **options: Any) -> None:
        try:
            if delete:
                gone = discard_sandbox(find_study(study), WHO)
                self.stdout.write(f"{study} is deleted: {gone['sessions']} sessions, {gone['ratings']} ratings.")
                return
            copy = make_sandbox(find_study(study), raters=raters, seed=seed, who=WHO)
            if queue:
                self.stdout.write(f"{copy} is queued; a worker sends its raters.")
                return
            run_sandbox(copy)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        copy.refresh_from_db()
        seen = fieldwork(copy)
        self.stdout.write(f"{copy}: {copy.sandbox.arrived} simulated raters came.")
        for state in seen.sessions:
            self.stdout.write(f"  {state.label:<40} {state.n}")
        self.stdout.write(f"  {seen.full} of {seen.stimuli} stimuli have every vote")
        for step in seen.screening:
            self.stdout.write(f"  {step.title}: {step.failed} of {step.took} failed a try, {step.ended} ended over it")
        for widths in interval_widths(copy):
            self.stdout.write(
                f"  {widths.label}: intervals of ±{widths.median:.2f} in the median, ±{widths.widest:.2f} at most"
            )
        self.stdout.write(f"Report: {report_directory(copy) / 'report.html'}")
