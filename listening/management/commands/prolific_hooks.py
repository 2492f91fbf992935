"""manage.py prolific_hooks WORKSPACE"""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from listening.prolific import ProlificError
from listening.services.errors import ServiceError
from listening.services.recruitment import connect

EVENTS = ("submission.status.change", "study.status.change")


class Command(BaseCommand):
    help = "Ask Prolific to send this server's address the events of a workspace. Polling does the same, a little later."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("workspace", help="id of the workspace, from its address on Prolific")

    def handle(self, *, workspace: str, **options: Any) -> None:
        url = f"{settings.PUBLIC_URL}{reverse('prolific-hook')}"
        try:
            with connect() as client:
                secret = client.hook_secret(workspace)
                known = {hook.event_type for hook in client.hook_subscriptions(workspace) if hook.target_url == url}
                for event in EVENTS:
                    if event not in known:
                        client.create_hook(workspace, event, url)
        except (ServiceError, ProlificError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Prolific sends its events to {url}. Set this and restart the server:")
        self.stdout.write(f"PROLIFIC_WEBHOOK_SECRETS={secret}")
