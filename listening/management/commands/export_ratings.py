"""manage.py export_ratings SLUG --out FILE [--format tidy|sureal|p808|datapackage] [--scale KEY]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analysis.exports import EXPORTS
from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.reports import export_ratings


class Command(BaseCommand):
    help = "Write all ratings of a study, one row per rater, stimulus and scale."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--out", type=Path, required=True, help="a .csv or .parquet file; sureal .json, datapackage .zip")
        parser.add_argument("--format", choices=[form for form in EXPORTS if form != "parquet"], default="", dest="form")
        parser.add_argument("--scale", default="", help="for sureal, which holds one scale (default: the first)")

    def handle(self, *, study: str, out: Path, form: str, scale: str, **options: Any) -> None:
        try:
            rows = export_ratings(find_study(study), out, form, scale)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{rows} ratings written to {out}.")
