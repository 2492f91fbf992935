"""What can be done with a study, each with the sentences that a researcher reads before confirming it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from listening.models import Study
from listening.services.leaderboard import change_visibility
from listening.services.progress import condition_progress
from listening.services.reports import report_directory, write_study_report
from listening.services.scores import queue_scores
from listening.services.sizing import study_size
from listening.services.studies import close_study, freeze_study, open_study, queue_stimuli

DRAFT, FROZEN, OPEN, CLOSED = Study.Status.DRAFT, Study.Status.FROZEN, Study.Status.OPEN, Study.Status.CLOSED


@dataclass(frozen=True)
class StudyAction:
    """One verb: when it applies, what it will do in sentences, and the service that does it and returns notes."""

    title: str
    icon: str
    statuses: Sequence[str]
    consequences: Callable[[Study], list[str]]
    run: Callable[[Study], Any]
    done: Callable[[Study], str]
    asks: bool = True
    busy: str = ""


def _prepare(study: Study) -> list[str]:
    return [
        f"{study.clips.count() * len(study.conditions)} stimuli are asked for; those that are ready already are kept.",
        "Stimuli that failed earlier are tried again.",
        "A worker makes them; you can watch here, or close this page and come back.",
    ]


def _freeze(study: Study) -> list[str]:
    size = study_size(study)
    sentences = [
        f"Every session plan is drawn: about {size.sessions} sessions, {size.votes_per_stimulus} votes for each stimulus.",
        "From then on nothing that raters see or hear can change. This cannot be undone.",
    ]
    for row in condition_progress(study):
        if row["unavailable"] and not row["ready"]:
            sentences.append(f"{row['condition']} will be left out, because it cannot be made here. {row['unavailable']}")
        elif row["failed"]:
            sentences.append(f"Clips that failed in {row['condition']} ({row['failed']}) will be left out of every condition.")
    return sentences


def _open(study: Study) -> list[str]:
    first = _freeze(study) if study.is_editable else []
    return [*first, "Raters who come by the study's link are let in until every place is taken or you close the study."]


def _close(study: Study) -> list[str]:
    return [
        "Nobody new is let in.",
        "Raters who have begun may finish, and their answers are kept.",
        "You can open the study again later.",
    ]


def _visibility(study: Study) -> list[str]:
    if study.results_public:
        return ["Only staff will see the study's results on the leaderboard."]
    return [
        "Everybody who has the address of this server will see the study's results on the leaderboard: means, intervals, counts.",
        "No rater and no single answer is shown there. You can take it back at any time.",
    ]


def _score(study: Study) -> list[str]:
    return [
        "Every stimulus is measured against its original; what is measured already is kept.",
        "A worker does it; with DNSMOS it takes some seconds for each stimulus.",
    ]


def _report(study: Study) -> list[str]:
    return ["The report is written anew from every rating stored so far. With many ratings this takes a minute."]


def _queue_scores(study: Study) -> None:
    queue_scores(study)


def _change_visibility(study: Study) -> None:
    change_visibility(study)


def _write_report(study: Study) -> None:
    write_study_report(study, report_directory(study))


ACTIONS: dict[str, StudyAction] = {
    "prepare": StudyAction(
        "Prepare stimuli", "graphic_eq", (DRAFT,), _prepare, queue_stimuli, lambda study: "The stimuli are queued.", asks=False
    ),
    "freeze": StudyAction(
        "Freeze",
        "ac_unit",
        (DRAFT,),
        _freeze,
        freeze_study,
        lambda study: f"{study} is frozen: {study.plans.count()} sessions.",
    ),
    "open": StudyAction(
        "Open", "play_arrow", (DRAFT, FROZEN, CLOSED), _open, open_study, lambda study: f"{study} is open. Raters can come in."
    ),
    "close": StudyAction("Close", "stop", (OPEN,), _close, close_study, lambda study: f"{study} is closed."),
    "score": StudyAction(
        "Measure stimuli",
        "straighten",
        (DRAFT, FROZEN, OPEN, CLOSED),
        _score,
        _queue_scores,
        lambda study: "The measures are queued.",
    ),
    "visibility": StudyAction(
        "Change who sees the results of",
        "leaderboard",
        (FROZEN, OPEN, CLOSED),
        _visibility,
        _change_visibility,
        lambda study: "Everybody sees the results now." if study.results_public else "Only staff see the results now.",
    ),
    "report": StudyAction(
        "Write report",
        "lab_profile",
        (DRAFT, FROZEN, OPEN, CLOSED),
        _report,
        _write_report,
        lambda study: "The report is written.",
        asks=False,
        busy="Writing…",
    ),
}
