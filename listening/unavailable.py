"""What is answered while the database cannot serve, because it is away or its disk is full: come again, rather than a page of an error.

Raters' scripts keep an answer until they have a receipt, and send it again after any answer of this kind.
"""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _

logger = logging.getLogger(__name__)

AGAIN_S = 5


class UnavailableMiddleware:
    """Answers 503 where a view met a database that could not read or store; nothing of such a request was stored."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, OperationalError | InterfaceError):
            return None
        logger.error("The database could not serve a request: %s", str(error).partition("\n")[0], exc_info=error)
        with translation.override(translation.get_language_from_request(request)):
            response = _answer(request)
        response["Retry-After"] = str(AGAIN_S)
        response["Cache-Control"] = "no-store"
        return response


def _answer(request: HttpRequest) -> HttpResponse:
    text = _("The site can neither read nor store anything at the moment. What you have answered is kept.")
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": text}, status=503)
    looking = request.method in ("GET", "HEAD")
    hint = _("This page tries again by itself.") if looking else _("Please go back and try again in a moment.")
    page = {"title": _("One moment, please"), "message": text, "hint": hint}
    response = render(request, "rater/message.html", page, status=503)
    if looking:
        response["Refresh"] = str(AGAIN_S)
    return response
