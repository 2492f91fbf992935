"""System checks: a wrong set-up is told in a sentence, before anything runs."""

import importlib.util
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from codecs_runner.places import is_bucket

_LEAST_FREE_BYTES = 1_000_000_000


@register(Tags.security)
def check_public_url(**kwargs: Any) -> list[CheckMessage]:
    """PUBLIC_URL is an address whose host Django answers to."""
    url = urlparse(settings.PUBLIC_URL)
    if url.scheme not in ("http", "https") or not url.hostname:
        return [
            Error(
                f"PUBLIC_URL is {settings.PUBLIC_URL!r}; it must be an address such as https://listen.example.org.",
                id="listening.E001",
            )
        ]
    local = url.hostname in ("localhost", "127.0.0.1", "::1")
    found: list[CheckMessage] = []
    if not local and not {url.hostname, "*"} & set(settings.ALLOWED_HOSTS):
        found.append(
            Error(f"PUBLIC_URL names {url.hostname}, which is not in ALLOWED_HOSTS; add it there.", id="listening.E002")
        )
    if not local and url.scheme == "http":
        hint = "Put a proxy with TLS in front and set PUBLIC_URL to its https:// address."
        found.append(Warning("Raters would reach this server without encryption.", hint=hint, id="listening.W001"))
    if not local and not (os.environ.get("SECRET_KEY") or os.environ.get("SECRET_KEY_FILE")):
        hint = "Set SECRET_KEY, the same on every machine; raters' addresses are signed with it."
        found.append(Warning("SECRET_KEY was made up on this machine.", hint=hint, id="listening.W002"))
    return found


@register(Tags.security, deploy=True)
def check_second_factor(**kwargs: Any) -> list[CheckMessage]:
    """Where the site is for the world, researchers log in with a second factor."""
    if settings.REQUIRE_TOTP or not settings.PUBLIC_IS_HTTPS:
        return []
    hint = "Set REQUIRE_TOTP=true; the next log-in of each sets up an app for one-time codes."
    return [Warning("Researchers may log in by their passwords alone.", hint=hint, id="listening.W006")]


@register(Tags.security)
def check_prolific(**kwargs: Any) -> list[CheckMessage]:
    """Prolific's settings fit together. None of these sentences shows a token or a secret."""
    found: list[CheckMessage] = []
    url = urlparse(settings.PROLIFIC_BASE_URL)
    local = url.hostname in ("localhost", "127.0.0.1", "::1")
    if url.scheme != "https" and not (url.scheme == "http" and local):
        sentence = (
            f"PROLIFIC_BASE_URL is {settings.PROLIFIC_BASE_URL!r}; the token would travel unencrypted. Use an https:// address."
        )
        found.append(Error(sentence, id="listening.E005"))
    if any(character.isspace() for character in settings.PROLIFIC_TOKEN):
        sentence = "PROLIFIC_TOKEN holds a blank or a line break; copy the token again."
        found.append(Error(sentence, id="listening.E006"))
    if settings.PROLIFIC_WEBHOOK_SECRETS and not settings.PROLIFIC_TOKEN:
        sentence = "PROLIFIC_WEBHOOK_SECRETS is set without PROLIFIC_TOKEN: events cannot be read back, so they change nothing."
        found.append(Warning(sentence, id="listening.W004"))
    if settings.PROLIFIC_POLL_S < 10:
        sentence = f"PROLIFIC_POLL_S is {settings.PROLIFIC_POLL_S}; Prolific limits how often it may be asked. Take 10 or more."
        found.append(Error(sentence, id="listening.E007"))
    return found


@register()
def check_stores(**kwargs: Any) -> list[CheckMessage]:
    """The stores can be written and have room."""
    found: list[CheckMessage] = []
    for name in ("SOURCE_STORE", "STIMULUS_STORE"):
        if is_bucket(getattr(settings, name)):
            found += _check_bucket(name)
            continue
        directory = Path(getattr(settings, name))
        there = next(path for path in (directory, *directory.parents) if path.exists())
        if not there.is_dir() or not os.access(there, os.W_OK):
            found.append(
                Error(f"{name} is {directory}, but {there} cannot be written; choose another place.", id="listening.E003")
            )
        elif shutil.disk_usage(there).free < _LEAST_FREE_BYTES:
            found.append(Warning(f"The disk of {name} ({there}) has less than 1 GB free.", id="listening.W003"))
    return found


def _check_bucket(name: str) -> list[CheckMessage]:
    if importlib.util.find_spec("s3fs") is None:
        sentence = f"{name} is a bucket, which needs the package s3fs: pip install -r requirements-s3.txt."
        return [Error(sentence, id="listening.E008")]
    if not settings.MEDIA_ORIGINS:
        hint = "Raters' pages fetch clips from the bucket and are allowed to reach only the origins named there."
        return [Warning(f"{name} is a bucket, but MEDIA_ORIGINS is empty.", hint=hint, id="listening.W005")]
    return []


@register()
def check_weights(**kwargs: Any) -> list[CheckMessage]:
    """CODEC_WEIGHTS, when given, is a directory."""
    weights = os.environ.get("CODEC_WEIGHTS", "")
    if weights and not Path(weights).is_dir():
        return [
            Error(
                f"CODEC_WEIGHTS is {weights}, which is not a directory; neural codecs look for their weights there.",
                id="listening.E004",
            )
        ]
    return []
