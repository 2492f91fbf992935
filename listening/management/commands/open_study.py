"""manage.py open_study SLUG"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.studies import open_study, rater_link


class Command(BaseCommand):
    help = "Freeze a study if it is a draft, and let raters in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)

    def handle(self, *, study: str, **options: Any) -> None:
        found = find_study(study)
        try:
            notes = open_study(found)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        for note in notes:
            self.stdout.write(f"  {note}")
        self.stdout.write(f"{found} is open: {found.plans.count()} sessions of up to {found.trials_per_session} clips.")
        self.stdout.write(f"Study link: {rater_link(found)}")
