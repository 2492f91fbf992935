"""One's own log-in: the second factor, backup codes, and where one is logged in."""

import hashlib
from typing import Any

import segno
from axes.models import AccessLog
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp import login as note_device

from listening.forms import EnrolmentForm, PasswordAgainForm
from listening.models import LoginSession
from listening.services import second_factor
from listening.services.audit import note

_staff_page: Any = staff_member_required(login_url="admin:login")


@_staff_page
@never_cache
@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """What guards one's account; every change asks for the password again."""
    form = PasswordAgainForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _do(request, request.POST.get("do", ""))
    context = {
        "title": "Your log-in",
        "form": form,
        "tried": request.POST.get("do", ""),
        "set_up": second_factor.is_set_up(_user(request)),
        "required": settings.REQUIRE_TOTP,
        "sessions": _sessions(request),
    }
    return render(request, "researcher/account.html", {**admin.site.each_context(request), **context})


@_staff_page
@never_cache
@require_http_methods(["GET", "POST"])
def set_up(request: HttpRequest) -> HttpResponse:
    """Set up an app that makes codes, as the first or in the place of another; ends with backup codes, shown once."""
    user = _user(request)
    if second_factor.is_set_up(user) and not user.is_verified():  # type: ignore[attr-defined]  # django-otp adds it
        logout(request)  # a log-in from before there was one
        return redirect("admin:login")
    form = EnrolmentForm(request, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        confirmed = second_factor.confirm_device(user, form.cleaned_data["code"])
        if confirmed:
            device, codes = confirmed
            _renew_key(request)
            note_device(request, device)
            second_factor.end_sessions(user, but=str(request.session.session_key))
            return _show_codes(request, codes)
        form.add_error("code", "This is not the code of now. Is the clock of your phone right?")
    device = (second_factor.offered_device(user) if request.method == "POST" else None) or second_factor.offer_device(user)
    secret = device.config_url.partition("secret=")[2].partition("&")[0]
    context = {
        "title": "Set up a second factor",
        "form": form,
        "required": settings.REQUIRE_TOTP and not user.is_verified(),  # type: ignore[attr-defined]
        "qr": segno.make(device.config_url, micro=False, error="m").svg_data_uri(scale=4, border=4, light="white"),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
    }
    return render(request, "researcher/second_factor.html", {**admin.site.each_context(request), **context})


def _renew_key(request: HttpRequest) -> None:
    """A new key for the session, under which what django-axes knows of the log-in is found again."""
    old = hashlib.sha256(str(request.session.session_key).encode()).hexdigest()
    request.session.cycle_key()
    new = hashlib.sha256(str(request.session.session_key).encode()).hexdigest()
    AccessLog.objects.filter(session_hash=old).update(session_hash=new)


def _do(request: HttpRequest, what: str) -> HttpResponse:
    user, own_key = _user(request), str(request.session.session_key)
    if what == "codes" and second_factor.is_set_up(user):
        return _show_codes(request, second_factor.new_backup_codes(user))
    if what == "remove" and not settings.REQUIRE_TOTP:
        second_factor.forget_devices(user, user)
        messages.success(request, "Your password alone lets you in now.")
    if what in ("end", "end-others"):
        only = request.POST.getlist("session") if what == "end" else None
        ended = second_factor.end_sessions(user, but=own_key, only=only)
        if ended:
            note(user, user, f"Ended {ended} log-in{'s' if ended > 1 else ''}.")
        messages.success(request, f"{ended} of your log-ins {'were' if ended != 1 else 'was'} ended.")
    return redirect("account")


def _show_codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Your backup codes", "codes": codes}
    return render(request, "researcher/backup_codes.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _sessions(request: HttpRequest) -> list[dict[str, Any]]:
    """Where the account is logged in, this browser first, with what is known of each log-in."""
    own_key = request.session.session_key
    rows = LoginSession.objects.filter(user_id=_user(request).pk)
    found = {row.digest: row for row in rows if row.get_decoded()}
    began = {log.session_hash: log for log in AccessLog.objects.filter(session_hash__in=found).order_by("attempt_time")}
    listed = [
        {"digest": digest, "own": row.session_key == own_key, "until": row.expire_date, "log": began.get(digest)}
        for digest, row in found.items()
    ]
    return sorted(listed, key=lambda entry: (not entry["own"], -entry["until"].timestamp()))
