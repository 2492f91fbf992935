"""The pages by which a study is tried in a sandbox, and a sandbox thrown away."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from listening.models import Sandbox, Study
from listening.services.access import studies_of
from listening.services.errors import ServiceError
from listening.services.sandboxes import discard_sandbox, interval_widths, make_sandbox


def sandbox_panel(study: Study) -> dict[str, Any]:
    """What the board shows of sandboxes: of a study those that were made of it, of a sandbox how far its raters are."""
    if not study.is_sandbox:
        return {"sandboxes": study.sandboxes.select_related("study")}
    sandbox = study.sandbox
    return {"sandbox": sandbox, "widths": interval_widths(study) if sandbox.state == Sandbox.State.DONE else []}


class SandboxPages(ModelAdmin):
    """Mixed into the admin of studies."""

    def sandbox_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/sandbox/", wrap(self.make), name="listening_study_sandbox"),
            path("<int:pk>/discard/", wrap(self.discard), name="listening_study_discard"),
        ]

    def make(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Copy the study and queue its simulated raters; a worker sends them."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        raters = request.POST.get("raters", "").strip()
        if request.method != "POST":
            return redirect("admin:listening_study_change", pk)
        if not (self.has_add_permission(request) and self.has_change_permission(request, study)):
            messages.error(request, "Your account may look at studies, but not copy them.")
        elif not raters.isdecimal():
            messages.error(request, f"How many raters? {raters!r} is not a whole number.")
        else:
            try:
                copy = make_sandbox(study, raters=int(raters[:6]), who=str(request.user))
            except ServiceError as error:
                messages.error(request, str(error))
            else:
                self.log_change(request, study, f"Made the sandbox {copy}.")
                messages.success(request, f"{copy} is made. A worker sends its simulated raters; watch them here.")
                return redirect("admin:listening_study_change", copy.pk)
        return redirect("admin:listening_study_change", pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what goes with a sandbox, and delete it when that is confirmed."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        sandbox = Sandbox.objects.select_related("original").filter(study=study).first()
        if sandbox is None:
            messages.error(request, f"{study} is no sandbox. Studies are never deleted: what raters said in them is kept.")
            return redirect("admin:listening_study_change", pk)
        original = sandbox.original
        if not self.has_change_permission(request, study):
            messages.error(request, "Your account may look at studies, but not delete sandboxes.")
            return redirect("admin:listening_study_change", pk)
        if request.method != "POST":
            context = {
                **self.admin_site.each_context(request),
                "title": f"Delete the sandbox {study}?",
                "opts": self.opts,
                "study": study,
                "original": original,
                "n_sessions": study.sessions.count(),
            }
            return TemplateResponse(request, "researcher/sandbox_confirm.html", context)
        name = str(study)
        try:
            gone = discard_sandbox(study, str(request.user))
        except ServiceError as error:
            messages.error(request, str(error))
            return redirect("admin:listening_study_change", pk)
        self.log_change(request, original, f"Deleted the sandbox {name}.")
        messages.success(request, f"{name} is deleted: {gone['sessions']} sessions, {gone['ratings']} simulated ratings.")
        visible = studies_of(request.user).filter(pk=original.pk).exists()
        return redirect(*("admin:listening_study_change", original.pk) if visible else ("admin:listening_study_changelist",))
