"""What becomes of too many wrong passwords and codes (django-axes counts them), and whom they are counted for."""

import math
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def address(request: HttpRequest) -> str | None:
    """The internet address that asked. Only behind our own proxy is a header believed, and of it only what that proxy wrote last."""
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip() or request.META.get("REMOTE_ADDR") or None


def refused(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """429 with the pause in seconds. The sentence is the same for accounts that exist and for those that do not."""
    pause_s = int(settings.AXES_COOLOFF_TIME.total_seconds())
    sentence = f"Too many wrong passwords or codes. Log-ins are refused for {math.ceil(pause_s / 60)} minutes; please try again after that."
    headers = {"Retry-After": str(pause_s), "Cache-Control": "no-store"}
    return HttpResponse(sentence, status=429, content_type="text/plain; charset=utf-8", headers=headers)
