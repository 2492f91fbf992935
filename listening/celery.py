"""The Celery app. It is only ever a wake-up: every task can be lost, and the job table still says what is due."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "listening.settings")

app = Celery("listening")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["listening", "codecs_runner"])
