"""Takes the second factor of an account away, for the superuser who has lost app and backup codes."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from listening.services import second_factor


class Command(BaseCommand):
    help = "Take an account's app and backup codes away and end its log-ins; the next log-in sets up anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="The account's user name.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = User.objects.filter(username=options["name"]).first()
        if account is None:
            raise CommandError(f"There is no account {options['name']!r}.")
        second_factor.forget_devices(account, account)
        second_factor.end_sessions(account)
        self.stdout.write(f"{account.get_username()} logs in by password now.")
