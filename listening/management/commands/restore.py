"""manage.py restore"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.services.backup import restore
from listening.services.errors import ServiceError


class Command(BaseCommand):
    help = (
        "Put a backup in place, after checking every byte of it. Stop the site and the workers first; run `migrate` afterwards."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--replace", action="store_true", help="give up the studies that are in the database now")

    def handle(self, *, file: Path, replace: bool, **options: Any) -> None:
        try:
            manifest = restore(file.resolve(), replace)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored what was saved at {manifest['made_at']}. Now run: python manage.py migrate")
