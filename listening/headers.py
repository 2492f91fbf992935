"""What browsers are told on every response: where a page may load from, what it may use, who may frame or read it.

A view that needs another policy sets the header itself; nothing here overwrites one.
"""

import base64
import hashlib
import re
from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.template.loader import get_template, render_to_string

_STYLE = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL)
_LOCKED = "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
#: What a listening test uses of a browser is sound; everything else is off, for us and for whatever a page might be made to load.
PERMISSIONS = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "hid",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "serial",
        "usb",
    )
)


def hashes(html: str) -> str:
    """The inline styles of a page that we wrote ourselves, as sources of a policy."""
    found = (base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in _STYLE.findall(html))
    return " ".join(f"'sha256-{digest}'" for digest in dict.fromkeys(found))


@cache
def admin_style_hashes() -> str:
    """The hashes of the styles that the admin's frame writes into every page: our colours, which no request changes."""
    request = HttpRequest()
    request.META |= {"SCRIPT_NAME": "", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
    request.user = AnonymousUser()
    frame = render_to_string("unfold/layouts/skeleton.html", admin.site.each_context(request), request)
    # The list pages bring a style that never changes.
    return hashes(frame + get_template("admin/change_list.html").template.source)  # type: ignore[attr-defined]


def policy(*, admin_page: bool) -> str:
    """The Content-Security-Policy of a page.

    The admin's frame runs on Alpine.js, which compiles the expressions in its attributes ('unsafe-eval') and writes style
    attributes. Scripts in the page itself are refused there as everywhere.
    """
    media = "".join(f" {origin}" for origin in settings.MEDIA_ORIGINS)
    if not admin_page:
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'{media}; "
            f"connect-src 'self'{media}; {_LOCKED}"
        )
    return (
        "default-src 'none'; script-src 'self' 'unsafe-eval'; "
        f"style-src 'self'; style-src-elem 'self' {admin_style_hashes()}; style-src-attr 'unsafe-inline'; "
        f"font-src 'self'; img-src 'self' data:; media-src 'self'{media}; connect-src 'self'; {_LOCKED}"
    )


class HeadersMiddleware:
    """Adds the headers to every response that does not bring its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        in_admin = request.path.startswith("/admin/")
        if not response.has_header("Content-Security-Policy"):
            response["Content-Security-Policy"] = policy(admin_page=in_admin)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response
