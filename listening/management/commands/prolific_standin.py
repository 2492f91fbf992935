"""manage.py prolific_standin [--port N] [--virtual-clock] [--people N] [--token TEXT]"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from listening.standin import StandIn


class Command(BaseCommand):
    help = "A stand-in for Prolific on this machine: its API, people who take part, and faults on demand. Ends with Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8800)
        parser.add_argument(
            "--virtual-clock", action="store_true", help="time stands still until POST /standin/clock/ moves it"
        )
        parser.add_argument("--people", type=int, default=200, help="how many people there are to take part")
        parser.add_argument("--token", default="standin", help="what the API asks for")
        parser.add_argument("--balance", type=int, default=1_000_000, help="money on the account, in minor units")
        parser.add_argument("--seed", type=int, default=0)

    def handle(
        self, *, port: int, virtual_clock: bool, people: int, token: str, balance: int, seed: int, **options: Any
    ) -> None:
        try:
            standin = StandIn(seed=seed, virtual=virtual_clock, port=port, token=token, balance=balance)
        except OSError as error:
            raise CommandError(f"Port {port} cannot be used ({error.strerror}); name another with --port.") from error
        standin.add_people(people)
        with standin:
            self.stdout.write(
                f"A stand-in for Prolific answers on {standin.url}, with {people} people.\n"
                f"Set PROLIFIC_BASE_URL={standin.url} and PROLIFIC_TOKEN={token}; its switches are under {standin.url}/standin/."
            )
            self.stdout.flush()  # a pipe would keep it until the end
            try:
                standin.wait()
            except KeyboardInterrupt:
                self.stdout.write("Stopped.")
