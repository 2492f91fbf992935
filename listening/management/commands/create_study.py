"""manage.py create_study --preset emo-codec --corpus NAME --name SLUG [...]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.models import Corpus
from listening.services.errors import ServiceError
from listening.services.presets import PRESETS
from listening.services.stimuli import unavailable_conditions
from listening.services.studies import create_study, queue_stimuli


class Command(BaseCommand):
    help = "Create a study from a preset and queue its stimuli."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--preset", required=True, choices=sorted(PRESETS))
        parser.add_argument("--corpus", required=True, help="name of an imported corpus")
        parser.add_argument("--name", required=True, help="the study's name in links")
        parser.add_argument("--conditions", help="slugs or aliases, separated by commas, instead of the preset's")
        parser.add_argument("--clips", type=int, help="number of clips, instead of the preset's")
        parser.add_argument(
            "--select", metavar="TEXT", help='only such clips: "sex=female; emotion=anger|sadness; duration=1..6"'
        )
        parser.add_argument("--votes-per-stratum", type=int, help="votes for each stimulus from each stratum of raters")
        parser.add_argument("--trials-per-session", type=int, help="clips that one rater hears")
        parser.add_argument(
            "--second-panel", action="store_true", help="other raters judge each original again: the noise ceiling"
        )
        parser.add_argument("--seed", type=int, help="clip selection and session plans are drawn from it")

    def handle(self, *, preset: str, corpus: str, name: str, conditions: str | None, **options: Any) -> None:
        found = Corpus.objects.filter(name=corpus).first()
        if found is None:
            there = ", ".join(Corpus.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(
                f"There is no corpus named {corpus}; there are: {there}. Import one with `manage.py import_corpus`."
            )
        try:
            study = create_study(
                corpus=found,
                slug=name,
                preset=preset,
                conditions=[slug.strip() for slug in conditions.split(",") if slug.strip()] if conditions is not None else None,
                n_clips=options["clips"],
                clip_selection=options["select"],
                votes_per_stratum=options["votes_per_stratum"],
                trials_per_session=options["trials_per_session"],
                second_panel=options["second_panel"],
                seed=options["seed"],
            )
            queue_stimuli(study)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Study {study}: {study.n_clips} clips × {len(study.conditions)} conditions, {study.votes_per_stratum} votes from each of "
            f"{', '.join(study.strata)}; {study.trials_per_session} trials per session."
        )
        for slug, reason in unavailable_conditions(study.conditions).items():
            self.stdout.write(f"  {slug} is not available: {reason}")
