"""manage.py simulate_raters SLUG [--seed N] [--base-url URL]"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from listening.management.study_argument import add_study_argument, find_study
from listening.services.errors import ServiceError
from listening.services.simulation import simulate_raters


class Command(BaseCommand):
    help = "Let simulated raters take every free place of an open study over HTTP. Their ratings are marked as simulated everywhere."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--base-url", default=settings.PUBLIC_URL, help="where the server runs (default: PUBLIC_URL)")

        parser.add_argument("--leave", type=int, default=0, help="free places of each stratum that stay free, for people")

    def handle(self, *, study: str, seed: int, base_url: str, leave: int, **options: Any) -> None:
        try:
            done = simulate_raters(
                find_study(study),
                base_url,
                seed,
                leave,
                lambda raters: tqdm(raters, "simulated raters", unit="rater", delay=2, disable=options["verbosity"] == 0),
            )
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{done} simulated raters have taken {study}.")
