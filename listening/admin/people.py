"""Raters, their sessions and what they said. Nothing here can be edited: it is what happened."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from analysis.scales import SCALES
from listening.admin.base import ConditionFilter, ReadOnlyAdmin, StudyFilter, count_of, pretty
from listening.models import Event, Participant, Rating, Session, Trial
from listening.models.identity import fingerprint

STATE_COLOURS = {
    "completed": "success",
    "rating": "info",
    "check": "info",
    "consent": "info",
    "expired": "warning",
    "failed the screening": "danger",
    "device cannot play the sound": "warning",
    "submission returned or rejected": "warning",
    "no place in the rater's stratum": "warning",
}
SIMULATED = {"simulated": "warning"}


class RatingsOfStudy(StudyFilter):
    path = "trial__session__study"


class RatingsOfCondition(ConditionFilter):
    path = "stimulus__condition"


class ScaleFilter(admin.SimpleListFilter):
    title = "scale"
    parameter_name = "scale"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(scale.key, f"{scale.title} ({scale.key})") for scale in SCALES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(scale=self.value()) if self.value() else queryset


def rater_name(participant: Participant | None) -> str:
    return participant.rater_id if participant else "preview"


@admin.register(Participant)
class ParticipantAdmin(ReadOnlyAdmin):
    study_path = "sessions__study"
    list_display = ("rater_id", "kind", "n_sessions", "created_at", "forgotten_at")
    list_filter = ("simulated",)
    search_fields = ("rater_id",)
    search_help_text = "name in exports, or the whole id that the recruiter uses"
    fields = ("rater_id", "recruiter_id", "kind", "created_at", "forgotten_at")
    readonly_fields = ("recruiter_id", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Participant]:
        return super().get_queryset(request).annotate(n=count_of(Session.objects.all(), "participant"))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        found, distinct = super().get_search_results(request, queryset, search_term)
        return found | queryset.filter(fingerprint=fingerprint(search_term.strip())), distinct

    @display(description="id at the recruiter")
    def recruiter_id(self, participant: Participant) -> str:
        return participant.recruiter_id or "erased"

    @display(description="kind", label=SIMULATED)
    def kind(self, participant: Participant) -> str:
        return "simulated" if participant.simulated else "person"

    @display(description="sessions", ordering="n")
    def n_sessions(self, participant: Participant) -> int:
        return participant.n  # type: ignore[attr-defined]


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    study_path = "study"
    list_display = ("number", "study", "rater", "kind", "status", "stratum", "progress", "created_at", "completed_at")
    list_filter = (StudyFilter, "state", "preview", "participant__simulated")
    list_select_related = ("study", "participant")
    search_fields = ("participant__rater_id", "prolific_session_id")
    search_help_text = "rater's name in exports, or Prolific submission id"
    fieldsets = (
        ("Session", {"fields": ("study", "rater", "kind", "status", "stratum", "plan", "progress", "ratings")}),
        ("Times", {"fields": ("created_at", "consented_at", "checked_at", "completed_at", "lease_expires_at")}),
        ("Prolific and browser", {"fields": ("prolific_study_id", "prolific_session_id", "user_agent")}),
    )
    readonly_fields = ("rater", "kind", "status", "progress", "ratings")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        trials = Trial.objects.all()
        answered = trials.filter(answered_at__isnull=False)
        return super().get_queryset(request).annotate(n=count_of(trials, "session"), answered=count_of(answered, "session"))

    @display(description="session", ordering="pk")
    def number(self, session: Session) -> str:
        return f"s{session.pk:06d}"

    @display(description="rater", ordering="participant")
    def rater(self, session: Session) -> str:
        return rater_name(session.participant)

    @display(description="kind", label={**SIMULATED, "preview": "info"})
    def kind(self, session: Session) -> str:
        if session.preview:
            return "preview"
        return "simulated" if session.participant and session.participant.simulated else "person"

    @display(description="state", label=STATE_COLOURS, ordering="state")
    def status(self, session: Session) -> str:
        return session.get_state_display()

    @display(description="answered")
    def progress(self, session: Session) -> SafeString:
        return format_html(
            '<span class="r-inline-bar"><progress max="{}" value="{}"></progress> {} of {}</span>',
            session.n or 1,  # type: ignore[attr-defined]
            session.answered,  # type: ignore[attr-defined]
            session.answered,  # type: ignore[attr-defined]
            session.n,  # type: ignore[attr-defined]
        )

    @display(description="answers")
    def ratings(self, session: Session) -> SafeString:
        return format_html(
            '<a class="r-text-link" href="{}?session={}">Show the ratings</a>',
            reverse("admin:listening_rating_changelist"),
            session.pk,
        )


class RatingsOfSession(admin.SimpleListFilter):
    """Reached by a link from a session; never offered as a list."""

    title = "session"
    parameter_name = "session"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = request.GET.get("session", "")
        return [(chosen, f"s{int(chosen):06d}")] if chosen.isdigit() else []

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset.filter(trial__session_id=value) if value and value.isdigit() else queryset


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    study_path = "trial__session__study"
    list_display = ("rater", "kind", "study", "clip", "condition", "scale", "answer", "received_at")
    list_filter = (RatingsOfStudy, ScaleFilter, RatingsOfCondition, RatingsOfSession, "trial__session__participant__simulated")
    list_select_related = ("trial__session__participant", "trial__session__study", "stimulus__source_clip")
    ordering = ("-pk",)
    fields = (
        "rater",
        "kind",
        "study",
        "clip",
        "condition",
        "scale",
        "answer",
        "received_at",
        "client_time",
        "idempotency_key",
        "heard",
    )
    readonly_fields = ("rater", "kind", "study", "clip", "condition", "answer", "heard")

    @display(description="rater")
    def rater(self, rating: Rating) -> str:
        return rater_name(rating.trial.session.participant)

    @display(description="kind", label=SIMULATED)
    def kind(self, rating: Rating) -> str:
        participant = rating.trial.session.participant
        return "simulated" if participant and participant.simulated else "person"

    @display(description="study")
    def study(self, rating: Rating) -> str:
        return rating.trial.session.study.slug

    @display(description="clip")
    def clip(self, rating: Rating) -> str:
        return rating.stimulus.source_clip.clip_id

    @display(description="condition")
    def condition(self, rating: Rating) -> str:
        return rating.stimulus.condition

    @display(description="answer")
    def answer(self, rating: Rating) -> str:
        return ", ".join(rating.labels) if rating.labels is not None else f"{rating.value:g}"

    @display(description="what the page saw")
    def heard(self, rating: Rating) -> SafeString:
        return pretty(rating.trial.listening)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    study_path = "study"
    list_display = ("at", "study", "kind", "session", "brief")
    list_filter = (StudyFilter,)
    list_select_related = ("study", "session__study")
    search_fields = ("kind",)
    fields = ("at", "study", "session", "kind", "details")
    readonly_fields = ("details",)

    @display(description="details")
    def brief(self, event: Event) -> str:
        return (
            "; ".join(f"{key}: {', '.join(value) if isinstance(value, list) else value}" for key, value in event.data.items())
            or "–"
        )

    @display(description="details")
    def details(self, event: Event) -> SafeString:
        return pretty(event.data)
