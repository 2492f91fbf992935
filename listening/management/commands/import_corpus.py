"""manage.py import_corpus READER PATH --name NAME [--select TEXT] [--limit N]"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from analysis.corpora import READERS
from listening.services.corpora import import_corpus
from listening.services.errors import ServiceError


class Command(BaseCommand):
    help = "Import a folder of recorded speech. Importing it again adds only what is new."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("reader", choices=sorted(READERS), help="what kind of corpus it is")
        parser.add_argument("path", type=Path, help="its folder")
        parser.add_argument("--name", required=True, help="the name it gets here")
        parser.add_argument(
            "--select", default="", metavar="TEXT", help='only such clips: "sex=female; emotion=anger|sadness; duration=1..6"'
        )
        parser.add_argument("--limit", type=int, help="take at most so many clips, spread over the corpus")
        parser.add_argument(
            "--annotation", default="", help="which labels, where the corpus has several kinds: primary, secondary, …"
        )

    def handle(self, *, reader: str, path: Path, name: str, limit: int | None, **options: Any) -> None:
        if limit is not None and limit < 1:
            raise CommandError("--limit must be at least 1.")
        try:
            report = import_corpus(
                reader,
                path,
                name,
                limit,
                lambda rows: tqdm(rows, "checking clips", unit="clip", delay=2, disable=options["verbosity"] == 0),
                options["annotation"],
                options["select"],
            )
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{name}: {report.added} clips added, {report.already_there} there already, {len(report.left_out)} left out; "
            f"emotions: {', '.join(report.corpus.emotions) or 'none'}."
        )
        for note in report.notes:
            self.stdout.write(f"  {note}")
        if report.left_out:
            width = max(len(Path(item["path"]).name) for item in report.left_out)
            self.stdout.write("Left out:")
            for item in report.left_out:
                self.stdout.write(f"  {Path(item['path']).name:<{width}}  {item['reason']}")
