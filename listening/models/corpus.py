"""Corpora and their original recordings."""

from django.db import models

SEXES = [("female", "female"), ("male", "male"), ("", "not known")]


class Corpus(models.Model):
    """A folder of recorded speech, read once by a corpus reader."""

    name = models.SlugField(unique=True)
    reader = models.CharField(max_length=40)
    language = models.CharField(max_length=40, blank=True)
    emotions = models.JSONField(default=list, help_text="The corpus's own emotion options, in order.")
    left_out = models.JSONField(default=list, help_text="Files that the last import left out, each with its reason.")
    imported_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "corpora"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class SourceClip(models.Model):
    """One original recording, kept in the source store under the hash of its samples."""

    corpus = models.ForeignKey(Corpus, on_delete=models.PROTECT, related_name="clips")
    clip_id = models.CharField(max_length=200)
    speaker = models.CharField(max_length=100, blank=True)
    sex = models.CharField("speaker's sex", max_length=6, blank=True, choices=SEXES)
    language = models.CharField(max_length=40, blank=True)
    transcript = models.TextField(blank=True)
    emotion = models.CharField(max_length=60, blank=True, help_text="The corpus's own consensus or intended emotion.")
    votes = models.JSONField(default=dict, blank=True, help_text="Votes that came with the corpus: label to count.")
    sha256 = models.CharField("hash of the samples", max_length=64)
    file = models.CharField(max_length=100, help_text="Path inside the source store.")
    sample_rate = models.PositiveIntegerField()
    channels = models.PositiveSmallIntegerField()
    duration_s = models.FloatField()

    class Meta:
        ordering = ["corpus", "clip_id"]
        constraints = [
            models.UniqueConstraint(fields=["corpus", "clip_id"], name="one_clip_per_id"),
            models.UniqueConstraint(fields=["corpus", "sha256"], name="one_clip_per_recording"),
        ]

    def __str__(self) -> str:
        return f"{self.corpus}/{self.clip_id}"
