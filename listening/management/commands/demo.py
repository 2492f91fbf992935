"""manage.py demo [--corpus DIR] [--reader NAME] [--port N] [--no-serve]"""

import secrets
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils.text import slugify

from analysis.corpora import READERS
from listening.models import Study
from listening.prolific import Link
from listening.services import demo
from listening.services.errors import ServiceError
from listening.services.reports import report_directory

SYNTHETIC = settings.BASE_DIR / "analysis" / "corpora" / "synthetic"
LEAVE = 4


class Command(BaseCommand):
    help = "From a folder of speech to a report: import, render, open, rate (simulated), report, serve. Running it again repeats nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--corpus", type=Path, default=SYNTHETIC, help="a folder of speech (default: the synthetic one we ship)"
        )
        parser.add_argument("--reader", choices=sorted(READERS), default="manifest", help="what kind of corpus it is")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="end after the report")

    def handle(self, *, corpus: Path, reader: str, port: int, no_serve: bool, **options: Any) -> None:
        name = slugify(corpus.resolve().name) or "corpus"
        slug = f"demo-{name}"
        call_command("migrate", verbosity=0)
        password = demo.ensure_admin()
        self.stdout.write(f"1. Corpus {corpus}")
        call_command("import_corpus", reader, corpus, name=name, stdout=self.stdout)
        self.stdout.write("2. Study and stimuli")
        if not Study.objects.filter(slug=slug).exists():
            conditions = ",".join(demo.demo_conditions())
            call_command("create_study", preset=demo.PRESET, corpus=name, name=slug, conditions=conditions, stdout=self.stdout)
        call_command("prepare_stimuli", slug, stdout=self.stdout)
        study = Study.objects.get(slug=slug)
        if study.is_editable:
            call_command("open_study", slug, stdout=self.stdout)
        try:
            with demo.serving(demo.free_port(port)) as url:
                self._rate_and_report(study, url)
                self._print_links(study, url, password)
                if not no_serve:
                    self.stdout.write("\nServing until you press Ctrl-C.")
                    self._wait()
        except ServiceError as error:
            raise CommandError(str(error)) from error

    def _rate_and_report(self, study: Study, url: str) -> None:
        self.stdout.write("3. Simulated raters")
        call_command("simulate_raters", study.slug, base_url=url, leave=LEAVE, stdout=self.stdout)
        self.stdout.write("4. Report")
        out = report_directory(study)
        if demo.is_fresh(out / "report.html", study):
            self.stdout.write(f"{out / 'report.html'} holds every rating already.")
        else:
            call_command("report", study.slug, out=out, stdout=self.stdout)

    def _print_links(self, study: Study, url: str, password: str) -> None:
        link = Link(*(secrets.token_hex(12) for _ in range(3)))
        lines = {
            "Rate as a participant": f"{url}{reverse('join', args=[study.slug])}?{link.query}",
            "Admin": f"{url}{reverse('admin:index')}   user {demo.ADMIN}   password {password}",
            "Report": str(report_directory(study) / "report.html"),
        }
        self.stdout.write("")
        for what, where in lines.items():
            self.stdout.write(f"{what:<22} {where}")

    def _wait(self) -> None:
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
