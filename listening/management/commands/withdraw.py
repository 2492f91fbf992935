"""manage.py withdraw ID"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.models import Participant
from listening.services.privacy import withdraw


class Command(BaseCommand):
    help = "Erase everything that a participant gave, because they asked for it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the recruiter's id (Prolific PID), or the random name in exports (r…)")

    def handle(self, *, id: str, **options: Any) -> None:
        participant = Participant.objects.with_recruiter_id(id).first() or Participant.objects.filter(rater_id=id).first()
        if participant is None:
            raise CommandError("Nobody with this id has taken part, or their identity was erased before.")
        erased = withdraw(participant)
        self.stdout.write(f"{participant.rater_id}: {erased} ratings and the identity are erased; the places are free again.")
