"""Corpora and their recordings, as the import left them."""

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from listening.admin.base import ReadOnlyAdmin, player, pretty
from listening.models import Corpus, SourceClip


@admin.register(Corpus)
class CorpusAdmin(ReadOnlyAdmin):
    list_display = ("name", "reader", "language", "n_clips", "n_left_out", "imported_at")
    search_fields = ("name",)
    fieldsets = (
        ("Corpus", {"fields": ("name", "reader", "language", "options", "imported_at")}),
        ("Clips", {"fields": ("composition",)}),
        ("Left out by the last import", {"fields": ("refused",)}),
    )
    readonly_fields = ("options", "composition", "refused")
    list_before_template = "researcher/corpora_hint.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Corpus]:
        return super().get_queryset(request).annotate(n=Count("clips"))

    @display(description="clips", ordering="n")
    def n_clips(self, corpus: Corpus) -> int:
        return corpus.n  # type: ignore[attr-defined]

    @display(description="left out")
    def n_left_out(self, corpus: Corpus) -> int:
        return len(corpus.left_out)

    @display(description="emotion options")
    def options(self, corpus: Corpus) -> str:
        return ", ".join(corpus.emotions) or "none"

    @display(description="by emotion and speaker's sex")
    def composition(self, corpus: Corpus) -> SafeString:
        counts = corpus.clips.order_by().values_list("emotion", "sex").annotate(n=Count("pk"))
        sexes = sorted({sex for _, sex, _ in counts})
        table = {(emotion, sex): n for emotion, sex, n in counts}
        rows = [
            (
                emotion or "no label",
                [table.get((emotion, sex), 0) for sex in sexes],
                sum(table.get((emotion, s), 0) for s in sexes),
            )
            for emotion in sorted({emotion for emotion, _, _ in counts})
        ]
        context = {"sexes": [sex or "not known" for sex in sexes], "rows": rows, "corpus": corpus}
        return render_to_string("researcher/corpus_composition.html", context)

    @display(description="files and reasons")
    def refused(self, corpus: Corpus) -> SafeString:
        return render_to_string("researcher/corpus_left_out.html", {"left_out": corpus.left_out})


@admin.register(SourceClip)
class SourceClipAdmin(ReadOnlyAdmin):
    list_display = ("clip_id", "corpus", "speaker", "sex", "emotion", "seconds", "listen")
    list_filter = ("corpus", "sex")
    list_select_related = ("corpus",)
    search_fields = ("clip_id", "speaker", "emotion", "transcript")
    search_help_text = "Clip, speaker, emotion or transcript"
    fieldsets = (
        ("Recording", {"fields": ("corpus", "clip_id", "listen", "transcript")}),
        ("Speaker and label", {"fields": ("speaker", "sex", "language", "emotion", "corpus_votes")}),
        ("File", {"fields": ("seconds", "sample_rate", "channels", "sha256", "file")}),
    )
    readonly_fields = ("listen", "seconds", "corpus_votes")

    @display(description="duration", ordering="duration_s")
    def seconds(self, clip: SourceClip) -> str:
        return f"{clip.duration_s:.2f} s"

    @display(description="original")
    def listen(self, clip: SourceClip) -> SafeString:
        return player(reverse("clip-audio", args=[clip.pk]))

    @display(description="votes in the corpus")
    def corpus_votes(self, clip: SourceClip) -> SafeString:
        return pretty(clip.votes)
