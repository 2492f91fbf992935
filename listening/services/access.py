"""Who sees what: a researcher their own studies and those shared with them, with all that hangs on these; a superuser everything.

Corpora and their recordings belong to the whole installation: whoever may see them by Django's permissions can draft a study.
"""

from typing import Any

from django.db.models import Q, QuerySet

from listening.models import SourceClip, Stimulus, Study


def studies_of(user: Any) -> QuerySet[Study]:
    """The studies that somebody may see. A study without an owner is the superusers' alone."""
    if not (user.is_active and user.is_staff):
        return Study.objects.none()
    if user.is_superuser:
        return Study.objects.all()
    shared = Study.shared_with.through.objects.filter(user_id=user.pk).values("study_id")
    return Study.objects.filter(Q(owner_id=user.pk) | Q(pk__in=shared))


def within_studies(rows: QuerySet, user: Any, path: str) -> QuerySet:
    """The rows that lead through ``path`` (``"trial__session__study"``; ``"pk"`` for studies themselves) to such a study."""
    if user.is_active and user.is_superuser:
        return rows
    # A row may lead to several studies; matching on its key keeps it single.
    keys = rows.model._default_manager.filter(**{f"{path}__in": studies_of(user).order_by().values("pk")}).order_by()
    return rows.filter(pk__in=keys.values("pk"))


def stimuli_of(user: Any) -> QuerySet[Stimulus]:
    """Stimuli of the clips that somebody's studies have drawn."""
    return within_studies(Stimulus.objects.all(), user, "source_clip__studies")


def clips_of(user: Any) -> QuerySet[SourceClip]:
    """Recordings that somebody may hear: any with the permission to see clips, else those of their studies."""
    if user.has_perm("listening.view_sourceclip"):
        return SourceClip.objects.all()
    return within_studies(SourceClip.objects.all(), user, "studies")
