"""Who asks too often is told so, and when to come back: 429 with Retry-After. The counting is `services.limits`."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from listening.services.limits import seconds_to_wait
from listening.views.language import reading
from listening.views.login import address

#: Pages by the name of their address: which limit counts them, and the part of the address that says for whom; without one, the
#: internet address does. The API counts by itself, below; the log-in has limits of its own.
PAGES = {
    "join": ("arrivals", ""),
    "enter": ("session", "token"),
    "consent": ("session", "token"),
    "check": ("session", "token"),
    "check-audio": ("session", "token"),
    "trial": ("session", "token"),
    "done": ("session", "token"),
    "trial-audio": ("clip", "ticket"),
    "prolific-hook": ("hooks", ""),
    "leaderboard": ("public", ""),
    "leaderboard-csv": ("public", ""),
}
_READ_BY_PEOPLE = {"join", "enter", "consent", "check", "trial", "done"}


class LimitsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, named: dict[str, Any]) -> HttpResponse | None:
        page = request.resolver_match.url_name if request.resolver_match else None
        if page not in PAGES:
            return None
        limit, part = PAGES[page]
        wait_s = seconds_to_wait(limit, str(named[part]) if part else address(request) or "")
        return _too_often(request, page, wait_s) if wait_s else None


def _too_often(request: HttpRequest, page: str, wait_s: int) -> HttpResponse:
    headers = {"Retry-After": str(wait_s), "Cache-Control": "no-store"}
    if page not in _READ_BY_PEOPLE:
        sentence = f"Too many requests. Please come back in {wait_s} seconds."
        return HttpResponse(sentence, status=429, content_type="text/plain; charset=utf-8", headers=headers)
    with reading(request):
        context = {
            "title": _("Please wait a moment"),
            "message": _("The site is asked for too often from here. Nothing is lost."),
            "hint": _("Please load this page again in a minute."),
        }
        response = render(request, "rater/message.html", context, status=429)
    for name, value in headers.items():
        response[name] = value
    return response


class _Throttle(BaseThrottle):
    wait_s = 0

    def wait(self) -> float:
        return self.wait_s


class RaterThrottle(_Throttle):
    """By the session's token."""

    def allow_request(self, request: Request, view: Any) -> bool:
        self.wait_s = seconds_to_wait("session", view.kwargs["token"])
        return not self.wait_s


class ResearcherThrottle(_Throttle):
    """By account, whichever token or session it came with; without one by internet address."""

    def allow_request(self, request: Request, view: Any) -> bool:
        account = request.user.pk
        limit, asker = ("researcher", str(account)) if account else ("public", address(request) or "")
        self.wait_s = seconds_to_wait(limit, asker)
        return not self.wait_s
