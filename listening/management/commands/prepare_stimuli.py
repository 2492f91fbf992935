"""manage.py prepare_stimuli SLUG"""

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from codecs_runner.fetch import fetch_missing_weights
from codecs_runner.jobs import RenderResult
from listening.management.study_argument import add_study_argument, find_study
from listening.models import Stimulus
from listening.services.check_items import check_stimuli
from listening.services.stimuli import due_jobs, unavailable_conditions, work
from listening.services.studies import queue_stimuli, study_stimuli


class Command(BaseCommand):
    help = "Render what is pending for a study, in this process. Running it again repeats nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)

    def handle(self, *, study: str, **options: Any) -> None:
        found = find_study(study)
        if found.is_editable:
            queue_stimuli(found)
        for sentence in fetch_missing_weights(found.conditions):
            self.stderr.write(f"  {sentence}")
        wanted = study_stimuli(found) | check_stimuli(found)
        unavailable = unavailable_conditions(found.conditions)
        todo = due_jobs().filter(stimulus__in=wanted).exclude(stimulus__condition__in=unavailable).count()
        failed: Counter[str] = Counter()
        with tqdm(total=todo, desc="rendering", unit="clip", delay=2, disable=options["verbosity"] == 0) as bar:

            def on_result(stimulus: Stimulus, result: RenderResult) -> None:
                bar.update()
                if not result.ok:
                    failed[f"{stimulus}: {result.message}"] += 1

            work(only=wanted, on_result=on_result)
        ready = wanted.filter(status=Stimulus.Status.READY).count()
        self.stdout.write(f"{ready} of {wanted.count()} stimuli are ready.")
        for slug, reason in unavailable.items():
            self.stdout.write(f"  {slug} is not available: {reason}")
        for sentence in failed:
            self.stdout.write(f"  {sentence}")
