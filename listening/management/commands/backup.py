"""manage.py backup"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.services.backup import backup
from listening.services.errors import ServiceError


class Command(BaseCommand):
    help = "Write the database and every recording and stimulus into one file, also while a study is open. Keys are not in it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="such as /backups/2026-11-26.tar")

    def handle(self, *, file: Path, **options: Any) -> None:
        try:
            manifest = backup(file.resolve())
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: the database and {len(manifest['files']) - 1} files.")
        for name in manifest["left_to_the_bucket"]:
            self.stdout.write(f"{name} is a bucket and not in the backup; keep its versions.")
        self.stdout.write("Keep SECRET_KEY and PARTICIPANT_KEYS apart from it: without them nobody in it can be paid.")
