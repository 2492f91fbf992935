"""The whole path for somebody who just arrived: from a folder of speech to a report, on this machine alone."""

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model

from codecs_runner.registry import availability
from listening.models import Rating, Study
from listening.services.errors import ServiceError
from listening.services.presets import PRESETS

ADMIN = "admin"
PRESET = "emo-codec"
# Beside the preset's own conditions, what needs no weights or little ones: a demo without downloads should still compare codecs.
EXTRA_CONDITIONS = ("mp3-8kbps", "mp3-24kbps", "aac-24kbps", "lyra-6kbps", "lyra-9.2kbps")


def demo_conditions() -> list[str]:
    """The preset's conditions, whether they can run here or not, and those of the extra ones that can."""
    return [*PRESETS[PRESET]["conditions"], *(slug for slug in EXTRA_CONDITIONS if availability(slug).ok)]


def ensure_admin() -> str:
    """A researcher's account for the demo; returns its password, which is drawn once and kept in DATA_DIR."""
    path = settings.DATA_DIR / "demo_password"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(9))
    password = path.read_text().strip()
    user, _ = get_user_model().objects.get_or_create(username=ADMIN, defaults={"is_staff": True, "is_superuser": True})
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return password


def is_fresh(report: Path, study: Study) -> bool:
    """Whether a report holds every rating that the study has."""
    newest = (
        Rating.objects.filter(trial__session__study=study)
        .order_by("-received_at")
        .values_list("received_at", flat=True)
        .first()
    )
    return report.exists() and newest is not None and report.stat().st_mtime > newest.timestamp()


def free_port(wanted: int) -> int:
    """The wanted port, or the next one that nobody listens on."""
    for port in range(wanted, wanted + 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServiceError(f"No port between {wanted} and {wanted + 49} is free; give another with PORT=….")


@contextmanager
def serving(port: int) -> Iterator[str]:
    """A web server and a render worker as child processes; yields the address, and stops both at the end."""
    url = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "PUBLIC_URL": url, "DJANGO_SETTINGS_MODULE": "listening.settings"}
    web = ["-m", "gunicorn", "listening.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8", "--log-level", "warning"]
    worker = ["manage.py", "worker"]
    children = [
        subprocess.Popen([sys.executable, *arguments], cwd=settings.BASE_DIR, env=environment, stdout=subprocess.DEVNULL)
        for arguments in (web, worker)
    ]
    try:
        _wait_for(url, children[0])
        yield url
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=20)
            except subprocess.TimeoutExpired:
                child.kill()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=5).close()  # the server started above  # nosec B310
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)
        else:
            return
    raise ServiceError(f"The web server did not come up at {url}; its messages above say why.")
