"""Pages and files for researchers outside the admin."""

import mimetypes
from pathlib import Path

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_safe

from codecs_runner.places import open_place
from listening.headers import hashes
from listening.models import Stimulus
from listening.services import sessions
from listening.services.access import clips_of, stimuli_of, studies_of
from listening.services.errors import ServiceError
from listening.services.reports import report_directory
from listening.services.stimuli import store
from listening.views.delivery import send
from listening.views.language import reading

# A report is one self-contained page that draws with style attributes and runs no script; whatever it holds, it reaches no other server.
_REPORT_POLICY = (
    "default-src 'none'; style-src-attr 'unsafe-inline'; style-src-elem {styles}; img-src 'self' data:; font-src data:; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-popups allow-downloads"
)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What this server is, for somebody who came without a link."""
    with reading(request):
        return render(request, "rater/home.html")


@staff_member_required
@require_GET
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a look at a study as its raters see it."""
    study = get_object_or_404(studies_of(request.user), slug=slug)
    try:
        session = sessions.preview(study)
    except ServiceError as error:
        messages.error(request, str(error))
        return redirect("admin:listening_study_change", study.pk)
    return redirect("enter", token=session.token)


@staff_member_required
@require_safe
def report(request: HttpRequest, slug: str, name: str = "report.html") -> HttpResponseBase:
    """A file of a study's report: only what lies in the study's own report directory, wherever links may point."""
    directory = report_directory(get_object_or_404(studies_of(request.user), slug=slug)).resolve()
    try:
        path = (directory / name).resolve()
    except ValueError:  # a NUL byte in the address
        path = directory
    if not path.is_relative_to(directory) or not path.is_file():
        raise Http404("The report has no such file; write it from the study's page first.")
    response = FileResponse(path.open("rb"), content_type=_content_type(path))
    styles = hashes(path.read_text()) if path.suffix in (".html", ".svg") else ""
    response["Content-Security-Policy"] = _REPORT_POLICY.format(styles=styles or "'none'")
    return response


@staff_member_required
@require_safe
def stimulus_audio(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A stimulus as raters hear it."""
    stimuli = store()
    return send(
        request,
        stimuli.place,
        stimuli.name(get_object_or_404(stimuli_of(request.user), pk=pk, status=Stimulus.Status.READY).key),
    )


@staff_member_required
@require_safe
def clip_audio(request: HttpRequest, pk: int) -> HttpResponseBase:
    """An original recording as it was imported."""
    file = get_object_or_404(clips_of(request.user), pk=pk).file
    return send(request, open_place(settings.SOURCE_STORE), file, _content_type(Path(file)))


def _content_type(path: Path) -> str:
    found = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return f"{found}; charset=utf-8" if found.startswith("text/") else found
