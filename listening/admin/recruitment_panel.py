"""Recruiting on the study's page: where it stands at Prolific, what comes next, how the money stands."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from listening.models import Bonus, Recruitment, Study, Submission
from listening.prolific import ProlificClient
from listening.services.balance import free_plans
from listening.services.money import money
from listening.services.reconcile import stored_differences
from listening.services.recruitment import (
    end_pilot,
    launch_cost,
    pause,
    places_in_all,
    publish,
    resume,
    stop,
    taken,
)
from listening.services.submissions import PAID


@dataclass(frozen=True)
class RecruitmentAction:
    """One verb on Prolific. places: of how many its cost is shown before it is confirmed; None where it costs nothing."""

    title: str
    icon: str
    statuses: tuple[str, ...]
    consequences: Callable[[Recruitment], list[str]]
    run: Callable[[Recruitment, str, ProlificClient], None]
    places: Callable[[Recruitment], int] | None = None


def _publish(recruitment: Recruitment) -> list[str]:
    whom = ", ".join(recruitment.criteria) or "anybody"
    first = f"{recruitment.places} places are published on Prolific for: {whom}."
    if recruitment.is_pilot:
        return [first, "This is the test run. The other places are asked for when you say so."]
    return [first, "Places of people who return, time out or are rejected are filled again within the spending cap."]


ACTIONS: dict[str, RecruitmentAction] = {
    "publish": RecruitmentAction("Publish", "campaign", ("UNPUBLISHED",), _publish, publish, lambda r: r.places),
    "fill": RecruitmentAction(
        "Ask for all places",
        "group_add",
        ("ACTIVE", "AWAITING REVIEW", "PAUSED"),
        lambda r: ["The test run ends. Everybody who is still missing is asked for."],
        end_pilot,
        places_in_all,
    ),
    "pause": RecruitmentAction(
        "Pause",
        "pause",
        ("ACTIVE",),
        lambda r: ["Nobody new is let in on Prolific. Who has begun goes on. You can resume at any time."],
        pause,
    ),
    "resume": RecruitmentAction(
        "Resume", "play_arrow", ("PAUSED",), lambda r: ["People can take the free places on Prolific again."], resume
    ),
    "stop": RecruitmentAction(
        "Stop",
        "stop",
        ("ACTIVE", "PAUSED", "AWAITING REVIEW"),
        lambda r: ["Recruiting ends on Prolific for good.", "Who has begun goes on, and submissions can still be decided."],
        stop,
    ),
}


def is_possible(recruitment: Recruitment, verb: str) -> bool:
    action = ACTIONS.get(verb)
    if action is None or recruitment.by_hand or recruitment.status not in action.statuses:
        return False
    return verb != "fill" or recruitment.is_pilot


def panel(study: Study) -> dict[str, Any] | None:
    """What the board shows about recruiting; None where raters do not come by Prolific or the study is still a draft."""
    if study.recruiter != Study.Recruiter.PROLIFIC or study.is_editable or study.is_sandbox:
        return None
    recruitment = Recruitment.objects.filter(study=study).first()
    if recruitment is None:
        return {"recruitment": None, "has_token": bool(settings.PROLIFIC_TOKEN), "free": free_plans(study).count()}
    verbs = [verb for verb in ACTIONS if is_possible(recruitment, verb)]
    statuses = Counter(recruitment.submissions.values_list("status", flat=True))
    return {
        "recruitment": recruitment,
        "sentence": sentence(recruitment),
        "buttons": [{"verb": verb, "action": ACTIONS[verb], "primary": n == 0} for n, verb in enumerate(verbs)],
        "statuses": statuses.most_common(),
        "taken": taken(recruitment),
        "to_decide": recruitment.submissions.filter(status="AWAITING REVIEW", decision=Submission.Decision.PENDING).count(),
        "differences": len(stored_differences(recruitment)),
        "paid": paid_sentence(recruitment),
    }


def sentence(recruitment: Recruitment) -> str:
    """Where recruiting stands, in words."""
    pilot = f" in the test run of {recruitment.pilot_places}" if recruitment.is_pilot else ""
    match recruitment.status:
        case _ if recruitment.by_hand:
            return "Recruited on Prolific's own pages. Upload its submissions export whenever you want this page to be current."
        case "" | "UNPUBLISHED" if recruitment.study.status != Study.Status.OPEN:
            return "A draft on Prolific. Open the study here, then publish it there."
        case "" | "UNPUBLISHED":
            return "A draft on Prolific, which nobody sees and which costs nothing. Publishing shows the cost first."
        case "PAUSED" if recruitment.held:
            return "Held: no plan is free at the moment. Recruiting goes on by itself when somebody leaves."
        case "PAUSED":
            return "Paused on Prolific. Nobody new comes in."
        case "COMPLETED":
            return "Recruiting has ended on Prolific."
        case "AWAITING REVIEW" if recruitment.is_pilot:
            return "The test run is full. Look at what came in, then ask for all places."
        case "AWAITING REVIEW":
            return "Every place on Prolific is taken."
        case _:
            return f"Open on Prolific{pilot}."


def paid_sentence(recruitment: Recruitment) -> str:
    """What was paid to participants so far, without fees."""
    rewards = recruitment.submissions.filter(status__in=PAID).count() * recruitment.reward_minor
    paid = Bonus.objects.filter(submission__recruitment=recruitment, state=Bonus.State.PAID)
    bonuses = sum(paid.values_list("amount_minor", flat=True))
    cap = (
        f" of at most {money(recruitment.spending_cap_minor, recruitment.currency)} with fees"
        if not recruitment.by_hand
        else ""
    )
    return f"{money(rewards + bonuses, recruitment.currency)} paid to participants{cap}"


def cost_of(recruitment: Recruitment, verb: str, client: ProlificClient) -> Any:
    """The cost of an action, None for one that costs nothing. Raises ProlificError."""
    places = ACTIONS[verb].places
    return launch_cost(recruitment, places(recruitment), client) if places else None
