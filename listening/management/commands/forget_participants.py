"""manage.py forget_participants [--days N]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from listening.services.privacy import forget_participants


class Command(BaseCommand):
    help = "Erase the identity of people whose studies are closed, once the retention period is over. Their answers stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, help="retention period (default: PARTICIPANT_RETENTION_DAYS)")

    def handle(self, *, days: int | None, **options: Any) -> None:
        self.stdout.write(f"The identity of {forget_participants(days)} participants was erased.")
