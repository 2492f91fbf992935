"""The argument that most commands share: a study by its name."""

from argparse import ArgumentParser

from django.core.management.base import CommandError

from listening.models import Study


def add_study_argument(parser: ArgumentParser) -> None:
    parser.add_argument("study", metavar="SLUG", help="the study's name")


def find_study(slug: str) -> Study:
    """The study of a name. Raises CommandError that lists the names there are."""
    study = Study.objects.filter(slug=slug).first()
    if study is None:
        there = ", ".join(Study.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no study named {slug}; there are: {there}.")
    return study
