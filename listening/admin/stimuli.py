"""What raters hear, and the jobs that make it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from listening.admin.base import ConditionFilter, ReadOnlyAdmin, StudyFilter, player, pretty
from listening.models import Job, Stimulus, StimulusScore
from listening.services.access import studies_of
from listening.services.studies import study_stimuli

STATUS_COLOURS = {"ready": "success", "pending": "info", "failed": "danger"}
JOB_COLOURS = {"done": "success", "queued": "info", "claimed": "warning", "failed": "danger"}


class StimuliOfStudy(StudyFilter):
    """What a study asks for, frozen or not."""

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        study = studies_of(request.user).filter(pk=value).first() if value and value.isdigit() else None
        return queryset.filter(pk__in=study_stimuli(study).order_by().values("pk")) if study else queryset


class JobConditionFilter(ConditionFilter):
    path = "stimulus__condition"


@admin.register(Stimulus)
class StimulusAdmin(ReadOnlyAdmin):
    study_path = "source_clip__studies"
    list_display = ("name", "condition", "state", "bit_rate", "delay", "gain", "listen", "problem")
    list_filter = ("status", ConditionFilter, StimuliOfStudy)
    list_select_related = ("source_clip",)
    search_fields = ("source_clip__clip_id",)
    search_help_text = "Clip"
    ordering = ("pk",)
    fieldsets = (
        ("Stimulus", {"fields": ("source_clip", "condition", "state", "problem", "listen")}),
        ("Measured", {"fields": ("bit_rate", "delay", "gain", "duration_s")}),
        ("How it was made", {"fields": ("key", "audio_sha256", "updated_at", "made")}),
    )
    readonly_fields = ("state", "problem", "listen", "bit_rate", "delay", "gain", "made")

    @display(description="clip", ordering="source_clip__clip_id")
    def name(self, stimulus: Stimulus) -> str:
        return stimulus.source_clip.clip_id

    @display(description="status", label=STATUS_COLOURS, ordering="status")
    def state(self, stimulus: Stimulus) -> str:
        return stimulus.status

    @display(description="measured bit rate", ordering="payload_bps")
    def bit_rate(self, stimulus: Stimulus) -> str:
        return f"{stimulus.payload_bps / 1000:.2f} kbit/s" if stimulus.payload_bps is not None else "–"

    @display(description="delay removed")
    def delay(self, stimulus: Stimulus) -> str:
        samples = stimulus.sidecar.get("delay_samples")
        return f"{samples / stimulus.sidecar['sample_rate'] * 1000:.1f} ms" if samples is not None else "–"

    @display(description="codec gain undone")
    def gain(self, stimulus: Stimulus) -> str:
        gain_db = stimulus.sidecar.get("codec_gain_db")
        return f"{round(gain_db, 2) + 0:+.2f} dB" if gain_db is not None else "–"

    @display(description="error")
    def problem(self, stimulus: Stimulus) -> str:
        return stimulus.error or "–"

    @display(description="audio")
    def listen(self, stimulus: Stimulus) -> SafeString | str:
        return player(reverse("stimulus-audio", args=[stimulus.pk])) if stimulus.status == Stimulus.Status.READY else "–"

    @display(description="sidecar")
    def made(self, stimulus: Stimulus) -> SafeString:
        return pretty(stimulus.sidecar)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    study_path = "stimulus__source_clip__studies"
    list_display = ("stimulus_link", "kind", "status", "attempts", "worker", "lease_expires_at", "created_at", "finished_at")
    list_filter = ("state", "kind", JobConditionFilter)
    list_select_related = ("stimulus__source_clip",)
    search_fields = ("stimulus__source_clip__clip_id",)
    search_help_text = "Clip"
    fields = (
        "stimulus_link",
        "kind",
        "measures",
        "status",
        "attempts",
        "worker",
        "lease_expires_at",
        "created_at",
        "finished_at",
        "key",
    )
    readonly_fields = ("stimulus_link", "status")

    @display(description="stimulus", ordering="stimulus")
    def stimulus_link(self, job: Job) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:listening_stimulus_change", args=[job.stimulus_id]), job.stimulus
        )

    @display(description="state", label=JOB_COLOURS, ordering="state")
    def status(self, job: Job) -> str:
        return job.state


class ScoreStudyFilter(StudyFilter):
    path = "stimulus__study_stimuli__study"


@admin.register(StimulusScore)
class StimulusScoreAdmin(ReadOnlyAdmin):
    study_path = "stimulus__source_clip__studies"
    list_display = ("clip", "condition", "measure", "shown", "reason", "version", "scored_at")
    list_filter = (JobConditionFilter, ScoreStudyFilter)
    list_select_related = ("stimulus__source_clip",)
    search_fields = ("measure", "stimulus__source_clip__clip_id")
    search_help_text = "Measure or clip"
    ordering = ("pk",)
    fields = ("stimulus", "measure", "shown", "reason", "version", "scored_at")
    readonly_fields = ("shown",)

    @display(description="clip", ordering="stimulus__source_clip__clip_id")
    def clip(self, score: StimulusScore) -> str:
        return score.stimulus.source_clip.clip_id

    @display(description="condition", ordering="stimulus__condition")
    def condition(self, score: StimulusScore) -> str:
        return score.stimulus.condition

    @display(description="score", ordering="value")
    def shown(self, score: StimulusScore) -> str:
        return f"{score.value:.4f}" if score.value is not None else "–"
