"""What raters hear, over HTTP: whole clips of a session's own trials, and the sounds of the screening."""

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening.models import ScreeningResult, Session, TicketOver, Trial
from listening.services.asking import clips_of
from listening.services.checks import try_sound
from listening.services.ratings import note_audio_sent
from listening.services.stimuli import store
from listening.views.delivery import send


@require_safe
def trial_audio(request: HttpRequest, ticket: str) -> HttpResponseBase:
    """A clip of one trial, FLAC at 48 kHz; ?clip=2 is the second of two. The address tells neither clip nor condition, and ends."""
    try:
        trial, left_s = Trial.from_ticket(ticket)
    except TicketOver:
        gone = "The address of this clip is over. Please load the page again."
        return HttpResponse(gone, status=410, headers={"Cache-Control": "no-store"})
    except Trial.DoesNotExist:
        return HttpResponseNotFound("There is no such clip.")
    clips = clips_of(trial.session, [trial])[trial.position]
    place = request.GET.get("clip", "1")
    if place not in ("1", "2")[: len(clips)]:
        return HttpResponseNotFound("There is no such clip.")
    stimulus = clips[int(place) - 1]
    etag = f'"{stimulus.audio_sha256}"'
    if request.headers.get("If-None-Match") == etag:
        note_audio_sent(trial)
        return HttpResponse(status=304, headers={"ETag": etag})
    stimuli = store()
    try:
        response = send(request, stimuli.place, stimuli.name(stimulus.key))
    except Http404:
        return HttpResponseNotFound(
            "The clip's file is missing from the store; the researchers need to prepare the stimuli again."
        )
    note_audio_sent(trial)
    if response.status_code < 300:
        response["Accept-Ranges"] = "bytes"
        response["ETag"] = etag
        response["Cache-Control"] = f"private, max-age={left_s}, immutable"
        response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


@never_cache
@require_safe
def check_audio(request: HttpRequest, token: str, try_id: str, number: int) -> HttpResponse:
    """A sound of the screening's open try, made as it is asked for; its address tells nothing, and no cache may keep it."""
    try:
        session = Session.from_token(token)
        content = try_sound(session, try_id, number)
    except (Session.DoesNotExist, ScreeningResult.DoesNotExist):
        return HttpResponseNotFound(_("There is no such clip."))
    return HttpResponse(content, content_type="audio/flac")
