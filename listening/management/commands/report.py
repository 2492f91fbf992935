"""manage.py report SLUG --out DIR"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.reports import write_study_report


class Command(BaseCommand):
    help = "Write a study's report: one HTML page with figures and tables, and CSV and JSON files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--out", type=Path, required=True, help="a directory")
        parser.add_argument("--seed", type=int, default=0, help="of the bootstrap")

    def handle(self, *, study: str, out: Path, seed: int, **options: Any) -> None:
        with tqdm(desc="resampling", unit="replicate", delay=2, leave=False, disable=options["verbosity"] == 0) as bar:

            def progress(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                write_study_report(find_study(study), out, seed, progress)
            except ServiceError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"Report written to {out / 'report.html'}.")
