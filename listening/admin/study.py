"""The study: chosen, described, started and watched."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm, model_to_dict
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join, linebreaks
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin
from unfold.decorators import display

from listening.admin.base import count_of
from listening.admin.sandboxes import SandboxPages
from listening.admin.study_actions import ACTIONS
from listening.admin.study_board import board, fieldwork_panel, live
from listening.admin.study_forms import (
    BEFORE_FIELDS,
    CODE_FIELDS,
    STUDY_FIELDS,
    WITHIN_FIELDS,
    DesignForm,
    FrozenStudyForm,
    StudyForm,
)
from listening.models import Corpus, Plan, Session, SourceClip, Study
from listening.rating_tasks.registry import get_rating_task
from listening.screening.registry import chosen_steps, get_step
from listening.services.access import studies_of, within_studies
from listening.services.asking import study_emotions
from listening.services.errors import ServiceError
from listening.services.presets import PRESETS
from listening.services.sizing import study_size
from listening.services.studies import change_lease, create_study, new_draft, save_draft

STATUS_COLOURS = {"sandbox": "warning", "draft": "info", "frozen": "warning", "open": "success", "closed": "danger"}

DRAFT_FIELDSETS = (
    ("Study", {"fields": ("title", "slug", "from_preset")}),
    ("What is heard", {"fields": ("corpus", "clip_selection", "n_clips", "seed", "conditions")}),
    ("What is asked", {"fields": ("rating_tasks", "emotions")}),
    ("Who rates how much", {"fields": ("recruiter", "strata", "votes_per_stratum", "trials_per_session", "second_panel")}),
    ("What raters read", {"fields": ("language", "instructions", "consent_text")}),
    ("Before the test", {"fields": BEFORE_FIELDS}),
    ("Within the test", {"fields": WITHIN_FIELDS}),
    ("Rules and codes", {"fields": ("minimum_heard_share", "max_plays", "resume_elsewhere", "lease_minutes", *CODE_FIELDS)}),
)
FROZEN_FIELDSETS = (
    ("May still change", {"fields": ("lease_minutes",)}),
    ("What is heard", {"fields": ("title", "slug", "corpus", "clip_selection", "n_clips", "seed", "shown_conditions")}),
    ("What is asked", {"fields": ("shown_tasks", "shown_emotions")}),
    (
        "Who rates how much",
        {"fields": ("recruiter", "shown_strata", "votes_per_stratum", "trials_per_session", "second_panel")},
    ),
    ("What raters read", {"fields": ("language", "shown_instructions", "shown_consent")}),
    ("Before the test", {"fields": ("shown_screening", "training_trials", "training_expires_minutes")}),
    ("Within the test", {"fields": WITHIN_FIELDS}),
    ("Rules and codes", {"fields": ("minimum_heard_share", "max_plays", "resume_elsewhere", *CODE_FIELDS)}),
)

ACCESS_FIELDSET = ("Who works on it", {"fields": ("owner", "shared_with")})


@admin.register(Study)
class StudyAdmin(SandboxPages, ModelAdmin):
    list_display = ("name", "state", "corpus", "design", "completed", "created_at")
    list_filter = ("status", "corpus")
    list_select_related = ("corpus", "sandbox")
    search_fields = ("slug", "title")
    actions = None
    show_full_result_count = False
    warn_unsaved_form = True
    change_form_template = "researcher/study_form.html"

    # Who may do what

    def has_delete_permission(self, request: HttpRequest, obj: Study | None = None) -> bool:
        # A study's log is append only, and would go with it.
        return False

    def get_form(self, request: HttpRequest, obj: Study | None = None, change: bool = False, **kwargs: Any) -> type[ModelForm]:
        form = StudyForm if obj is None or obj.is_editable else FrozenStudyForm
        return super().get_form(request, obj, change, form=form, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Study | None = None) -> Any:
        if obj is None:
            return DRAFT_FIELDSETS
        return (*(DRAFT_FIELDSETS if obj.is_editable else FROZEN_FIELDSETS), ACCESS_FIELDSET)

    def get_readonly_fields(self, request: HttpRequest, obj: Study | None = None) -> Sequence[str]:
        if obj is None or obj.is_editable:
            return () if request.user.is_superuser else ("owner",)
        shown = [field for _, options in FROZEN_FIELDSETS for field in options["fields"]]
        if not request.user.is_superuser:
            shown.append("owner")
        return [field for field in shown if field != "lease_minutes"]

    # Creating and changing

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and "preset" not in request.GET and self.has_add_permission(request):
            return self._start(request)
        return super().add_view(request, form_url, extra_context)

    def _start(self, request: HttpRequest) -> HttpResponse:
        """The page before the form: which corpus, which preset."""
        corpora = Corpus.objects.annotate(n=count_of(SourceClip.objects.all(), "corpus"))
        context = {
            **self.admin_site.each_context(request),
            "title": "New study",
            "opts": self.opts,
            "corpora": corpora,
            "presets": [(name, Study(**fields), study_size(Study(**fields))) for name, fields in PRESETS.items()],
        }
        return TemplateResponse(request, "researcher/study_start.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        preset = request.GET.get("preset", "")
        corpus = Corpus.objects.filter(pk=request.GET["corpus"]).first() if request.GET.get("corpus", "").isdigit() else None
        if preset not in PRESETS:
            return {"corpus": corpus and corpus.pk, "conditions": ["original"]}
        draft = new_draft(corpus=corpus, preset=preset) if corpus else Study(**PRESETS[preset])
        initial = model_to_dict(draft, [field for field in STUDY_FIELDS if field != "emotions"])
        return {**initial, "slug": _free_slug(f"{preset}-{corpus}" if corpus else preset), "from_preset": preset}

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {**(extra_context or {}), "show_save_and_add_another": False, "show_save_and_continue": False}
        if object_id and (study := self.get_object(request, object_id)):
            context |= {"title": study.title, "subtitle": study.slug, "board": board(study)}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except ServiceError as error:
            # Somebody else was faster: the name was taken, or the study frozen, after this form was checked.
            messages.error(request, str(error))
            return HttpResponseRedirect(request.get_full_path())

    def save_model(self, request: HttpRequest, obj: Study, form: ModelForm, change: bool) -> None:
        if not change:
            fields = {name: form.cleaned_data[name] for name in STUDY_FIELDS}
            obj.pk = create_study(preset=form.cleaned_data["from_preset"], owner=request.user, **fields).pk
            obj.refresh_from_db()
        elif isinstance(form, StudyForm):
            save_draft(obj)
        else:
            change_lease(obj, obj.lease_minutes)
            if "title" in request.POST:
                messages.warning(
                    request, f"The study is {obj.status} by now: only the lease was saved, nothing that raters see."
                )

        if change and "owner" in form.changed_data:
            obj.save(update_fields=["owner"])

    def response_add(self, request: HttpRequest, obj: Study, post_url_continue: str | None = None) -> HttpResponse:
        messages.success(
            request, f"The study {obj} is created, and its {obj.n_clips} clips are drawn. Next: prepare the stimuli."
        )
        return redirect("admin:listening_study_change", obj.pk)

    def response_change(self, request: HttpRequest, obj: Study) -> HttpResponse:
        messages.success(request, f"The study {obj} is saved.")
        return redirect("admin:listening_study_change", obj.pk)

    # Pages of their own

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("arithmetic/", wrap(self.arithmetic), name="listening_study_arithmetic"),
            path("<int:pk>/progress/", wrap(self.progress), name="listening_study_progress"),
            path("<int:pk>/fieldwork/", wrap(self.fieldwork), name="listening_study_fieldwork"),
            *self.sandbox_urls(),
            path("<int:pk>/do/<slug:verb>/", wrap(self.act), name="listening_study_do"),
            *super().get_urls(),
        ]

    def arithmetic(self, request: HttpRequest) -> HttpResponse:
        """What the design that stands in the form adds up to, as a piece of page."""
        form = DesignForm(request.GET)
        problems = [sentence for errors in form.errors.values() for sentence in errors]
        context = {"arithmetic": None if form.errors else study_size(form.instance), "problems": problems}
        return TemplateResponse(request, "researcher/arithmetic.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the study's page refreshes while one watches."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        if not self.has_view_permission(request, study):
            return JsonResponse({"detail": "You may not see this study."}, status=403)
        return JsonResponse(live(study))

    def fieldwork(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The live figures as a piece of page."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        if not self.has_view_permission(request, study):
            return HttpResponse("You may not see this study.", status=403)
        context = {**fieldwork_panel(study), "minutes": study_size(study).minutes}
        return TemplateResponse(request, "researcher/fieldwork.html", context)

    def act(self, request: HttpRequest, pk: int, verb: str) -> HttpResponse:
        """Say what an action will do, and do it when that is confirmed."""
        study = get_object_or_404(studies_of(request.user), pk=pk)
        action = ACTIONS.get(verb)
        if not self.has_change_permission(request, study):
            messages.error(request, "Your account may look at studies, but not change them.")
        elif action is None or study.status not in action.statuses:
            messages.error(request, f"The study is {study.status}; this cannot be done now.")
        elif request.method == "POST":
            self._do(request, study, verb)
        else:
            context = {
                **self.admin_site.each_context(request),
                "title": f"{action.title} {study}?",
                "opts": self.opts,
                "study": study,
                "action": action,
                "consequences": action.consequences(study),
            }
            return TemplateResponse(request, "researcher/study_confirm.html", context)
        return redirect("admin:listening_study_change", pk)

    def _do(self, request: HttpRequest, study: Study, verb: str) -> None:
        action = ACTIONS[verb]
        try:
            notes = action.run(study)
        except ServiceError as error:
            messages.error(request, str(error))
            return
        for note in notes or ():
            messages.warning(request, note)
        self.log_change(request, study, f"{action.title}.")
        messages.success(request, action.done(study))

    # What is shown

    def get_queryset(self, request: HttpRequest) -> QuerySet[Study]:
        completed = Session.objects.filter(state=Session.State.COMPLETED, plan__isnull=False)
        mine = within_studies(super().get_queryset(request), request.user, "pk")
        return mine.annotate(n_plans=count_of(Plan.objects.all(), "study"), n_completed=count_of(completed, "study"))

    @display(description="study", ordering="slug", header=True)
    def name(self, study: Study) -> list[str]:
        return [study.title, study.slug]

    @display(description="status", label=STATUS_COLOURS, ordering="status")
    def state(self, study: Study) -> str | tuple[str, str]:
        return ("sandbox", f"sandbox, {study.status}") if study.is_sandbox else study.status

    @display(description="design")
    def design(self, study: Study) -> str:
        return f"{study.n_clips} clips × {len(study.conditions)} conditions"

    @display(description="sessions completed")
    def completed(self, study: Study) -> SafeString | str:
        if not study.n_plans:  # type: ignore[attr-defined]
            return "–"
        return format_html(
            '<span class="r-inline-bar"><progress max="{0}" value="{1}"></progress> {1} of {0}</span>',
            study.n_plans,  # type: ignore[attr-defined]
            study.n_completed,  # type: ignore[attr-defined]
        )

    @display(description="conditions")
    def shown_conditions(self, study: Study) -> SafeString:
        return _chips(study.conditions)

    @display(description="rating tasks")
    def shown_tasks(self, study: Study) -> SafeString:
        return _chips(get_rating_task(key).title for key in study.rating_tasks)

    @display(description="screening")
    def shown_screening(self, study: Study) -> SafeString:
        return _chips(get_step(chosen.step).title for chosen in chosen_steps(study.screening))

    @display(description="emotion options")
    def shown_emotions(self, study: Study) -> SafeString:
        return _chips(study_emotions(study))

    @display(description="strata of raters")
    def shown_strata(self, study: Study) -> SafeString:
        return _chips(study.strata)

    @display(description="instructions")
    def shown_instructions(self, study: Study) -> SafeString:
        return SafeString(linebreaks(study.instructions, autoescape=True))  # nosec B703

    @display(description="consent text")
    def shown_consent(self, study: Study) -> SafeString:
        return SafeString(linebreaks(study.consent_text, autoescape=True))  # nosec B703


def _chips(names: Any) -> SafeString:
    return format_html(
        '<span class="r-chips">{}</span>', format_html_join("", '<span class="r-chip">{}</span>', ((n,) for n in names))
    )


def _free_slug(wanted: str) -> str:
    taken = set(Study.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    return next(name for n in range(len(taken) + 1) if (name := f"{wanted}-{n + 1}" if n else wanted) not in taken)
