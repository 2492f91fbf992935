"""manage.py score_stimuli SLUG"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from analysis.objective import parse_measures
from codecs_runner.scoring import ScoreResult
from listening.frames import scores_frame
from listening.management.study_argument import add_study_argument, find_study
from listening.models import Stimulus
from listening.services.scores import due_scores, queue_scores, references_of, work_scores
from listening.services.stimuli import work
from listening.services.studies import study_stimuli


class Command(BaseCommand):
    help = "Measure the stimuli of a study against their originals, in this process. Running it again repeats nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_study_argument(parser)
        parser.add_argument("--measures", default="all", help="keys or beginnings of keys, separated by commas (default all)")
        parser.add_argument("--out", metavar="CSV", help="write the study's scores there too")

    def handle(self, *, study: str, measures: str, out: str | None, **options: Any) -> None:
        found = find_study(study)
        try:
            keys = parse_measures(measures)
        except KeyError as error:
            raise CommandError(str(error.args[0])) from None
        queue_scores(found, keys)
        work(only=references_of(found))
        wanted = study_stimuli(found)
        todo = due_scores().filter(stimulus__in=wanted).count()
        with tqdm(total=todo, desc="measuring", unit="stimulus", delay=2, disable=options["verbosity"] == 0) as bar:

            def on_result(stimulus: Stimulus, result: ScoreResult) -> None:
                bar.update()

            work_scores(only=wanted, on_result=on_result)
        frame = scores_frame(found)
        if out:
            frame.to_csv(out, index=False, lineterminator="\n")
        undefined = frame[frame["reason"] != ""]
        self.stdout.write(f"{len(frame) - len(undefined)} scores of {frame['stimulus_id'].nunique()} stimuli are stored.")
        for reason, count in undefined["reason"].value_counts().head(5).items():
            self.stdout.write(f"  {count} without a value: {reason}")
        if unmade := wanted.exclude(status=Stimulus.Status.READY).count():
            self.stdout.write(f"  {unmade} stimuli are not made yet: python manage.py prepare_stimuli {found.slug}")
