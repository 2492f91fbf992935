"""Pages for researchers outside the admin."""

from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from listening.models import Study
from listening.services import sessions
from listening.services.errors import ServiceError


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """What this server is, for somebody who came without a link."""
    return render(request, "rater/home.html")


@staff_member_required
@require_GET
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """Start a look at a study as its raters see it."""
    study = get_object_or_404(Study, slug=slug)
    try:
        session = sessions.preview(study)
    except ServiceError as error:
        messages.error(request, str(error))
        return redirect("admin:listening_study_change", study.pk)
    return redirect("enter", token=session.token)
