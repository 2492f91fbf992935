"""What a researcher watches while raters come: who is where, which stimuli lack votes, who fails what, how long it takes, what it costs.

Every figure is read from the rows it is about, in a number of queries that does not grow with sessions or ratings.
"""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Q, Sum
from django.utils.text import capfirst

from listening.models import Bonus, PlanTrial, Recruitment, ScreeningResult, Session, Stimulus, Study
from listening.screening.registry import SCREENING_STEPS, get_step
from listening.services.balance import Votes, usable_votes
from listening.services.money import money
from listening.services.recruitment import ENOUGH_TIMES, GONE, places_in_all

#: Stimuli that the board names; the least filled come first.
LISTED = 30
_CHECKS = {ScreeningResult.GOLD: "Gold clips", ScreeningResult.TRAP: "Traps"}


@dataclass(frozen=True)
class StateCount:
    """Sessions in one state."""

    state: str
    label: str
    n: int


@dataclass(frozen=True)
class Filled:
    """One stimulus's usable votes against its target, by stratum in the study's order."""

    clip: str
    condition: str
    cells: list[tuple[int, int]]

    @property
    def missing(self) -> int:
        return sum(max(target - usable, 0) for usable, target in self.cells)


@dataclass(frozen=True)
class StepCount:
    """How many sessions took a step of the screening, or a kind of check item, and how many of them have failed it at least once.

    ended: sessions that ended over it; left_out: sessions whose ratings are not used for it.
    """

    title: str
    took: int
    failed: int
    ended: int
    left_out: int


@dataclass(frozen=True)
class Pay:
    """Money as people write it. hourly is reward over median time, or over the estimate before enough people have finished."""

    hourly: str
    minimum: str
    too_low: bool
    measured: bool
    spent: str
    to_finish: str
    with_fees: bool


@dataclass(frozen=True)
class Fieldwork:
    """One look at a study. median_minutes is None until somebody real has finished; simulated raters take no time worth telling."""

    strata: list[str]
    sessions: list[StateCount]
    votes: list[Filled]
    stimuli: int
    full: int
    more: int
    screening: list[StepCount]
    median_minutes: float | None
    timed: int
    pay: Pay | None


def fieldwork(study: Study, listed: int = LISTED) -> Fieldwork:
    """One look at a frozen, open or closed study; ``listed`` stimuli are named, the least filled first."""
    usable, targets = usable_votes(study), _targets(study)
    stimuli = {stimulus for _stratum, stimulus in targets}
    cells = {s: [(usable[stratum, s], targets[stratum, s]) for stratum in study.strata] for s in stimuli}
    # By the share that is there, so that a stimulus with twice the target does not always come first.
    order = sorted(cells, key=lambda s: (_share(cells[s]), s))
    minutes = _minutes(study)
    return Fieldwork(
        strata=list(study.strata),
        sessions=_sessions(study),
        votes=_named(order[:listed], cells),
        stimuli=len(stimuli),
        full=sum(_share(cells[s]) >= 1 for s in stimuli),
        more=max(len(order) - listed, 0),
        screening=_screening(study),
        median_minutes=statistics.median(minutes) if minutes else None,
        timed=len(minutes),
        pay=_pay(study, minutes),
    )


def _targets(study: Study) -> Votes:
    """Votes that the design asks for; a second panel's count with the first's, as its votes do."""
    drawn = PlanTrial.objects.filter(plan__study=study, plan__make_up=False, role="").order_by()
    counted = drawn.values_list("plan__stratum", "stimulus").annotate(n=Count("pk"))
    return Votes({(stratum, stimulus): n for stratum, stimulus, n in counted})


def _share(cells: list[tuple[int, int]]) -> float:
    asked = sum(target for _usable, target in cells)
    return sum(min(usable, target) for usable, target in cells) / asked if asked else 1.0


def _named(order: list[int], cells: Mapping[int, list[tuple[int, int]]]) -> list[Filled]:
    names = {
        pk: (clip, condition)
        for pk, clip, condition in Stimulus.objects.filter(pk__in=order).values_list("pk", "source_clip__clip_id", "condition")
    }
    return [Filled(*names[pk], cells[pk]) for pk in order]


def _sessions(study: Study) -> list[StateCount]:
    counted = dict(study.sessions.filter(preview=False).order_by().values_list("state").annotate(n=Count("pk")))
    return [StateCount(state.value, capfirst(state.label), counted[state]) for state in Session.State if state in counted]


def _screening(study: Study) -> list[StepCount]:
    """Steps in the order of the registry, then gold clips and traps; those that nobody has come to are left out."""
    results = ScreeningResult.objects.filter(session__study=study, session__preview=False, passed__isnull=False)
    counted = {
        row["step"]: row
        for row in results.order_by()
        .values("step")
        .annotate(
            took=Count("session", distinct=True),
            failed=Count("session", distinct=True, filter=Q(passed=False)),
        )
    }
    over = dict(
        study.events.filter(kind="failed_screening", data__then="ended")
        .order_by()
        .values_list("data__step")
        .annotate(n=Count("session", distinct=True))
    )
    rules = dict(
        Session.objects.filter(study=study, exclusions__isnull=False)
        .order_by()
        .values_list("exclusions__rule")
        .annotate(n=Count("pk", distinct=True))
    )
    known = [*SCREENING_STEPS, *_CHECKS]
    return [
        StepCount(
            title=_CHECKS.get(step) or get_step(step).title,
            took=counted[step]["took"],
            failed=counted[step]["failed"],
            ended=over.get(step, 0),
            left_out=rules.get(step if step in _CHECKS else f"screening_{step}", 0),
        )
        for step in known
        if step in counted
    ]


def _minutes(study: Study) -> list[float]:
    """Minutes from consent to the last answer of everybody real who completed."""
    done = study.sessions.filter(
        state=Session.State.COMPLETED, preview=False, participant__simulated=False, consented_at__isnull=False
    )
    return [
        took.total_seconds() / 60
        for took in done.order_by().values_list(F("completed_at") - F("consented_at"), flat=True)
        if took is not None
    ]


def _pay(study: Study, minutes: list[float]) -> Pay | None:
    """None for a study that nobody is paid for by Prolific."""
    recruitment = Recruitment.objects.filter(study=study).select_related("study").first()
    if recruitment is None:
        return None
    measured = len(minutes) >= ENOUGH_TIMES
    hourly = recruitment.reward_minor * 60 / max(statistics.median(minutes) if measured else recruitment.estimated_minutes, 0.1)
    minimum = recruitment.minimum_hourly_minor or settings.MINIMUM_HOURLY_MINOR
    per_place = recruitment.cost_per_place_minor or recruitment.reward_minor
    # Who is gone costs nothing, and who is still under way nothing yet.
    finished = recruitment.submissions.exclude(status__in=(*GONE, "RESERVED", "ACTIVE", "SCREENED OUT")).count()
    bonuses: dict[str, Any] = Bonus.objects.filter(submission__recruitment=recruitment, state=Bonus.State.PAID).aggregate(
        paid=Sum("amount_minor")
    )
    to_come = max(places_in_all(recruitment) - finished, 0)
    return Pay(
        hourly=money(int(hourly), recruitment.currency),
        minimum=money(minimum, recruitment.currency),
        too_low=hourly < minimum,
        measured=measured,
        spent=money(finished * per_place + (bonuses["paid"] or 0), recruitment.currency),
        to_finish=money(to_come * per_place, recruitment.currency),
        with_fees=bool(recruitment.cost_per_place_minor),
    )
