"""The Django app."""

from django.apps import AppConfig


class ListeningConfig(AppConfig):
    name = "listening"
    verbose_name = "Listening tests"

    def ready(self) -> None:
        # Registers the system checks; they need the app registry, which is not there when this module is read.
        from listening import checks  # noqa: F401, PLC0415
