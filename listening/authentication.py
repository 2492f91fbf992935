"""How researchers log in: a password, and a code where a second factor is set up or asked of everybody (REQUIRE_TOTP).

API tokens carry no second factor: they are made by superusers for scripts, which have no app to look at.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from listening.services import second_factor


class PasswordAndCode(ModelBackend):
    """Lets in who knows the password and, with a second factor, a fresh code. A wrong code is refused like a wrong password."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        code: str = "",
        **kwargs: Any,
    ) -> User | None:
        user: Any = super().authenticate(request, username, password, **kwargs)
        if user is None or _has_shown_it(request, user) or not second_factor.is_set_up(user):
            return user
        device = second_factor.device_for(user, code)
        if device is None:
            return None
        user.otp_device = device  # django-otp notes it in the session that begins
        return user


def _has_shown_it(request: HttpRequest | None, user: User) -> bool:
    """Whether this very session was begun with the account's second factor: who confirms the password within it has no new code."""
    current: Any = getattr(request, "user", None)
    return current is not None and current.pk == user.pk and current.is_verified()


class SecondFactorMiddleware:
    """Where REQUIRE_TOTP is on, staff without a second factor in their session are nobody, on every page but the one that sets it up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Raters have no such cookie, and cost nothing here.
        if settings.REQUIRE_TOTP and settings.SESSION_COOKIE_NAME in request.COOKIES:
            user: Any = request.user
            if user.is_authenticated and not user.is_verified():
                enrolment = reverse("second-factor")
                if request.path not in (enrolment, reverse("admin:logout")):
                    if request.path.startswith("/admin/"):
                        return redirect(enrolment)
                    request.user = AnonymousUser()
        return self.get_response(request)
