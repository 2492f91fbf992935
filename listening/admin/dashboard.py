"""The first page: where a newcomer begins, and where the studies stand."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from listening.admin.base import count_of
from listening.models import Corpus, Event, Plan, Session, SourceClip, Study
from listening.services.access import studies_of, within_studies

N_STUDIES = 8
N_EVENTS = 10


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds to the index page's context what its template shows."""
    completed = Session.objects.filter(state=Session.State.COMPLETED, plan__isnull=False)
    simulated = completed.filter(participant__simulated=True)
    studies = list(
        studies_of(request.user)
        .filter(sandbox=None)
        .select_related("corpus")
        .annotate(
            n_plans=count_of(Plan.objects.all(), "study"),
            n_completed=count_of(completed, "study"),
            n_simulated=count_of(simulated, "study"),
        )[:N_STUDIES]
    )
    corpora = list(Corpus.objects.annotate(n=count_of(SourceClip.objects.all(), "corpus")))
    steps = first_steps(bool(corpora), studies)
    return {
        **context,
        "studies": studies,
        "corpora": corpora,
        "events": within_studies(Event.objects.select_related("study"), request.user, "study")[:N_EVENTS],
        "first_steps": steps,
        "beginning": not all(step["done"] for step in steps),
    }


def first_steps(has_corpus: bool, studies: Sequence[Study]) -> list[dict[str, Any]]:
    """What leads from nothing to a report, each step with whether it has been done once."""
    statuses = {study.status for study in studies}
    past_draft = bool(statuses - {Study.Status.DRAFT})
    opened = any(study.opened_at for study in studies)
    add = reverse("admin:listening_study_add")
    study = reverse("admin:listening_study_change", args=[studies[0].pk]) if studies else ""
    return [
        {"done": has_corpus, "title": "Import a corpus", "code": "python manage.py import_corpus emodb DIR --name emodb"},
        {
            "done": bool(studies),
            "title": "Create a study",
            "text": "from a preset or by hand",
            "url": add if has_corpus else "",
        },
        {"done": past_draft, "title": "Prepare its stimuli, then freeze it", "code": "python manage.py worker", "url": study},
        {"done": opened, "title": "Open it and put its link into Prolific", "url": study},
        {
            "done": any(study.n_completed for study in studies),  # type: ignore[attr-defined]
            "title": "Write the report",
            "text": "as soon as there are ratings",
            "url": study,
        },
    ]
