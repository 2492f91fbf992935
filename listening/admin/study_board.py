"""What the top of a study's page shows: where the study stands, what comes next, and how far everything is."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Avg

from codecs_runner.registry import get_condition
from listening.admin.recruitment_panel import panel
from listening.admin.sandboxes import sandbox_panel
from listening.admin.study_actions import ACTIONS
from listening.models import Sandbox, Stimulus, StimulusScore, Study
from listening.services.fieldwork import fieldwork
from listening.services.progress import condition_progress, missing_worker, study_progress
from listening.services.reports import report_directory
from listening.services.sizing import study_size
from listening.services.studies import rater_link, study_stimuli

N_EVENTS = 8
#: Forms of the export beside plain CSV, as the page calls them.
EXPORT_NAMES = (
    ("parquet", "Parquet"),
    ("datapackage", "data package"),
    ("p808", "P.808 toolkit CSV"),
    ("sureal", "sureal JSON"),
)


def live(study: Study) -> dict[str, Any]:
    """What changes while one watches; the page asks for it every few seconds."""
    n_clips = study.clips.count()
    conditions = condition_progress(study)
    for row in conditions:
        row["total"] = n_clips
    makeable = [row for row in conditions if not row["unavailable"] or row["ready"]]
    return {
        "status": study.status,
        "conditions": conditions,
        "ready": sum(row["ready"] for row in conditions),
        "failed": sum(row["failed"] for row in conditions),
        "pending": sum(row["pending"] for row in makeable if not row["unavailable"]),
        "makeable": n_clips * len(makeable),
        "total": n_clips * len(conditions),
        "notice": missing_worker(study) if study.is_editable else "",
        "progress": study_progress(study),
        "sandbox": study.sandbox.state if study.is_sandbox else "",
    }


def board(study: Study) -> dict[str, Any]:
    """Everything the board's template needs."""
    now = live(study)
    progress = now["progress"]
    measured = dict(
        study_stimuli(study)
        .filter(status=Stimulus.Status.READY)
        .order_by()
        .values_list("condition")
        .annotate(mean=Avg("payload_bps"))
    )
    for row in now["conditions"]:
        condition = get_condition(row["condition"])
        row |= {"label": condition.label, "nominal_bps": condition.nominal_bps, "measured_bps": measured.get(condition.slug)}
    prepared = bool(now["ready"]) and not now["pending"] and now["ready"] + now["failed"] >= now["makeable"]
    sentence, buttons = next_step(study, now, prepared)
    written_at = report_written_at(study)
    return {
        "study": study,
        "live": now,
        "progress": progress,
        "size": study_size(study),
        "steps": steps(study, prepared),
        "sentence": sentence,
        "buttons": buttons,
        "report": button("report", "Write it again" if written_at else "", primary=not written_at),
        "score": button("score"),
        "visibility": button("visibility", "Hide from the public" if study.results_public else "Show to everybody"),
        "n_scores": StimulusScore.objects.filter(stimulus__in=study_stimuli(study)).count(),
        "recruiting": panel(study),
        "rater_link": rater_link(study),
        "only_simulated": progress["ratings"] and progress["ratings"] == progress["simulated_ratings"],
        "report_written_at": written_at,
        "exports": EXPORT_NAMES,
        "events": study.events.all()[:N_EVENTS],
        **sandbox_panel(study),
        **({} if study.is_editable else fieldwork_panel(study)),
    }


def fieldwork_panel(study: Study) -> dict[str, Any]:
    """The live figures, which the page fetches again while raters come."""
    unfinished = Sandbox.objects.filter(study=study, state__in=Sandbox.UNFINISHED).first()
    return {"field": fieldwork(study), "sandbox_progress": unfinished}


def steps(study: Study, prepared: bool) -> list[dict[str, str]]:
    """The way of a study; each step is done, now or ahead."""
    now = {"draft": 1 if prepared else 0, "frozen": 2, "open": 3, "closed": 4}[study.status]
    names = ("Draft", "Stimuli ready", "Frozen", "Open", "Closed")
    return [{"name": name, "state": "done" if n < now else "now" if n == now else "ahead"} for n, name in enumerate(names)]


def next_step(study: Study, now: dict[str, Any], prepared: bool) -> tuple[str, list[dict[str, Any]]]:
    """What comes next, in a sentence, and the buttons for it: the first is the one to press."""
    match study.status:
        case Study.Status.OPEN if now["sandbox"]:
            return "Simulated raters are on their way. Close the sandbox to report what there is by then.", [button("close")]
        case Study.Status.CLOSED if now["sandbox"]:
            return "The simulation is over. Delete the sandbox when you have seen enough.", []
        case Study.Status.DRAFT if now["pending"]:
            return f"{now['pending']} stimuli are queued or being made.", []
        case Study.Status.DRAFT if now["failed"]:
            sentence = f"{now['failed']} stimuli could not be made; the reasons stand below. Retry them, or freeze the study without them."
            return sentence, [button("prepare", "Retry failed", primary=True), button("freeze")]
        case Study.Status.DRAFT if prepared:
            sentence = "The stimuli are ready. See the study as a rater does, then freeze its design."
            return sentence, [button("freeze", primary=True), button("open", "Freeze and open")]
        case Study.Status.DRAFT:
            return f"{now['total']} stimuli are to be made from this design.", [button("prepare", primary=True)]
        case Study.Status.FROZEN:
            sentence = "The design is fixed and every session plan is drawn. Open the study to let raters in."
            return sentence, [button("open", primary=True)]
        case Study.Status.OPEN if all(plan["free"] + plan["active"] == 0 for plan in now["progress"]["plans"].values()):
            return "Every place is taken and completed. Close the study, or leave it open: whoever comes is told.", [
                button("close")
            ]
        case Study.Status.OPEN:
            return "Raters can take part by the study link below.", [button("close")]
        case _:
            return "Nobody new is let in. Export the ratings, or write the report.", [button("open", "Open again")]


def button(verb: str, title: str = "", *, primary: bool = False) -> dict[str, Any]:
    """An action as its button needs it."""
    action = ACTIONS[verb]
    return {
        "verb": verb,
        "title": title or action.title,
        "icon": action.icon,
        "asks": action.asks,
        "busy": action.busy,
        "primary": primary,
    }


def report_written_at(study: Study) -> datetime | None:
    path = report_directory(study) / "report.html"
    return datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) if path.is_file() else None
