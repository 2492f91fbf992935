"""How a stored file leaves: from a bucket by a signed address, through nginx, or, where there is neither, from Python."""

import re
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from codecs_runner.places import Place

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def send(request: HttpRequest, place: Place, name: str, content_type: str = "audio/flac") -> HttpResponseBase:
    """A file of a place, whole or the part a Range header asks for. Raises Http404."""
    if url := place.signed_url(name, settings.MEDIA_URL_S):
        # The browser may keep the redirect for half the time that the signed address is good for.
        return HttpResponseRedirect(url, headers={"Cache-Control": f"private, max-age={settings.MEDIA_URL_S // 2}"})
    path = place.local(name)
    if not path.is_file():
        raise Http404("The file is missing from the store.")
    if settings.MEDIA_ACCEL and path.is_relative_to(settings.DATA_DIR):
        inside = path.relative_to(settings.DATA_DIR)
        return HttpResponse(headers={"X-Accel-Redirect": f"{settings.MEDIA_ACCEL}/{inside}", "Content-Type": content_type})
    return _file_part(path, request.headers.get("Range", ""), content_type)


def _file_part(path: Path, wanted: str, content_type: str) -> HttpResponseBase:
    """One range (RFC 9110, 14.2); a header that asks for anything else is ignored, as the standard allows."""
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
