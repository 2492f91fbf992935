"""What raters hear, over HTTP: whole clips of a session's own trials, and the sounds of the screening."""

import re
from pathlib import Path

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from listening.models import ScreeningResult, Session, TicketOver, Trial
from listening.services.asking import clips_of
from listening.services.checks import try_sound
from listening.services.ratings import note_audio_sent
from listening.services.stimuli import store

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


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
    path = store().flac_path(stimulus.key)
    if not path.exists():
        return HttpResponseNotFound(
            "The clip's file is missing from the store; the researchers need to prepare the stimuli again."
        )
    note_audio_sent(trial)
    etag = f'"{stimulus.audio_sha256}"'
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers={"ETag": etag})
    response = file_part(path, request.headers.get("Range", ""))
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Cache-Control"] = f"private, max-age={left_s}, immutable"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response


def file_part(path: Path, wanted: str, content_type: str = "audio/flac") -> HttpResponseBase:
    """The file, or the part a Range header asks for; Safari plays nothing from a server that ignores Range."""
    size = path.stat().st_size
    match = _RANGE.fullmatch(wanted)
    if not match or not any(match.groups()):
        return FileResponse(path.open("rb"), content_type=content_type)
    first, last = match.groups()
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if start >= stop:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    with path.open("rb") as file:
        file.seek(start)
        response = HttpResponse(file.read(stop - start), status=206, content_type=content_type)
    response["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
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
