"""Who is coming: by Prolific's link, by a personal link, or by one link for all whose visitors a cookie tells apart."""

import re
import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from listening.models import Session, Study
from listening.prolific import Link, LinkError
from listening.services.arrivals import check_signed_link
from listening.services.sessions import plain_link

_ID = re.compile(r"[A-Za-z0-9._-]{3,64}")
_YEAR_S = 365 * 86_400


def link_of(request: HttpRequest, study: Study) -> Link:
    """The link somebody came by. Raises LinkError in a sentence for them."""
    if study.recruiter == Study.Recruiter.PROLIFIC:
        link = Link.from_query(request.GET)
        check_signed_link(study, request.GET.dict())
        return link
    if given := request.GET.get("id", "").strip():
        if not _ID.fullmatch(given):
            raise LinkError("The id in the link should be 3 to 64 letters, digits, dots, dashes and underscores.")
        return plain_link(study, given)
    return plain_link(study, _kept(request, _cookie(study)) or secrets.token_urlsafe(12))


def remember(response: HttpResponse, study: Study, link: Link) -> None:
    """Let a visitor of a plain link be known when they open it again."""
    if study.recruiter == Study.Recruiter.LINK:
        visitor = link.participant_id.removeprefix(f"{study.slug}/")
        _keep(response, _cookie(study), visitor)


def tie_to_browser(response: HttpResponse, session: Session) -> None:
    """Where the study wants sessions finished where they began, let this browser be known as the one."""
    if session.study.resume_elsewhere or session.preview:
        return
    session.device = secrets.token_urlsafe(16)
    session.save(update_fields=["device"])
    _keep(response, _device_cookie(session), session.device)


def is_same_browser(request: HttpRequest, session: Session) -> bool:
    """False for a browser other than the one that the session is tied to."""
    return not session.device or _kept(request, _device_cookie(session)) == session.device


def _keep(response: HttpResponse, name: str, value: str) -> None:
    response.set_signed_cookie(
        settings.COOKIE_PREFIX + name,
        value,
        max_age=_YEAR_S,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


def _kept(request: HttpRequest, name: str) -> str:
    """A cookie of ours, or one from before they had the prefix: nobody loses a session by it."""
    found = (request.get_signed_cookie(each, default="") for each in (settings.COOKIE_PREFIX + name, name))
    return next(filter(None, map(str, found)), "")


def _device_cookie(session: Session) -> str:
    return f"browser_{session.pk}"


def _cookie(study: Study) -> str:
    return f"visitor_{study.slug}"
