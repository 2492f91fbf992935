"""manage.py export_ratings SLUG --out FILE.csv|FILE.parquet"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.reports import export_ratings


class Command(BaseCommand):
    help = "Write all ratings of a study, one row per rater, stimulus and scale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--out", type=Path, required=True, help="a .csv or .parquet file")

    def handle(self, *, study: str, out: Path, **options: Any) -> None:
        try:
            rows = export_ratings(find_study(study), out)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{rows} ratings written to {out}.")
