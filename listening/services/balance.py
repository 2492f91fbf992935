"""Whether every stimulus has its usable votes, and who is still to be asked.

A vote is usable when it was given in a completed session that holds its plan: an excluded or released session holds none, and one
whose plan went to somebody else is surplus. So the study's state is read from who holds what; no counter has to be kept right.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

import numpy as np
from django.db import transaction
from django.db.models import Count, Q, QuerySet

from listening.models import Event, Plan, PlanTrial, Session, Stimulus, Study, Trial
from listening.services.check_items import Placed, drawn_kit, place_checks

#: (stratum, stimulus) -> votes.
Votes = Counter[tuple[str, int]]


def free_plans(study: Study) -> QuerySet[Plan]:
    """Plans that nobody holds."""
    return without_sessions(study.plans.all(), study, Session.HOLDS_PLAN)


def without_sessions(plans: QuerySet[Plan], study: Study, states: Iterable[str]) -> QuerySet[Plan]:
    """Those of a study's plans that no session in these states has.

    The sessions are read once. Looked for plan by plan they cost a database that knows nothing yet of a new study's sessions all of
    them for each plan, and that is when raters come at once.
    """
    having = Session.objects.filter(study=study, plan__isnull=False, state__in=states)
    return plans.exclude(pk__in=having.order_by().values("plan"))


def usable_votes(study: Study) -> Votes:
    """Votes that count, of every stimulus in every stratum."""
    return _per_stratum(_kept_trials(study).filter(skipped=""))


def missing_votes(study: Study) -> Votes:
    """Votes that no plan asks for: the clip was skipped in a session that counts, and no make-up plan has it yet."""
    skipped = _per_stratum(_kept_trials(study).exclude(skipped=""))
    asked = PlanTrial.objects.filter(plan__study=study, plan__make_up=True, role="")
    return skipped - Counter(asked.values_list("plan__stratum", "stimulus"))


def is_full(study: Study) -> bool:
    """Every stimulus has its usable votes in every stratum. Excluding somebody later makes the study fall short again."""
    plans = study.plans.filter(sessions__state=Session.State.COMPLETED)
    return study.plans.exists() and plans.count() == study.plans.count() and not missing_votes(study)


def note_completed(study: Study) -> None:
    """A session was completed: where it was the last of its stratum, plan what skipped clips have left open.

    Clips are gathered to the end, so that few people are asked for a short session. The study's row is locked, because of two last
    sessions at once each would take the other for one still under way.
    """
    if not Trial.objects.filter(session__study=study, session__preview=False).exclude(skipped="").exists():
        return
    with transaction.atomic():
        Study.objects.select_for_update().get(pk=study.pk)
        left = missing_votes(study)
        ended = study.plans.filter(sessions__state=Session.State.COMPLETED).values("pk")
        unfinished = set(study.plans.exclude(pk__in=ended).values_list("stratum", flat=True))
        for stratum in study.strata:
            votes = Counter({stimulus: n for (s, stimulus), n in left.items() if s == stratum})
            if votes and stratum not in unfinished:
                _draw_make_up(study, stratum, votes)


def _draw_make_up(study: Study, stratum: str, votes: Counter[int]) -> None:
    """Plans for these votes: no source clip twice in a session, no more trials than the study's sessions have.

    Practice, gold clips and traps stand in them as in any plan of the study.
    """
    number = study.plans.order_by("-number").values_list("number", flat=True).first() or 0
    rng = np.random.default_rng([study.seed, 2, number])
    clip_of = dict(Stimulus.objects.filter(pk__in=votes).values_list("pk", "source_clip_id"))
    hands: list[list[int]] = []
    seen: dict[int, int] = defaultdict(int)
    for stimulus in votes.elements():
        # The n-th vote for a clip goes to the n-th session that still has room.
        n = seen[clip_of[stimulus]]
        while n < len(hands) and len(hands[n]) >= study.trials_per_session:
            n += 1
        if n == len(hands):
            hands.append([])
        hands[n].append(stimulus)
        seen[clip_of[stimulus]] = n + 1
    kit, stimuli = drawn_kit(study), Stimulus.objects.in_bulk(list(votes))
    for plan_number, hand in enumerate(hands, start=number + 1):
        plan = Plan.objects.create(study=study, number=plan_number, stratum=stratum, make_up=True)
        order = [Placed(stimuli[int(stimulus)]) for stimulus in rng.permutation(hand)]
        trials = enumerate(place_checks(study, kit, order, plan_number), start=1)
        PlanTrial.objects.bulk_create([PlanTrial(plan=plan, position=k, **vars(placed)) for k, placed in trials])
    Event.objects.create(
        study=study, kind="make_up_plans", data={"stratum": stratum, "plans": len(hands), "votes": votes.total()}
    )


def _kept_trials(study: Study) -> QuerySet[Trial]:
    """Trials of completed sessions that hold their plan, check items aside."""
    held = Q(session__state=Session.State.COMPLETED, session__plan__isnull=False)
    return Trial.objects.filter(held, session__study=study, role="")


def _per_stratum(trials: QuerySet[Trial]) -> Votes:
    rows = trials.order_by().values_list("session__stratum", "stimulus").annotate(n=Count("pk"))
    return Counter({(stratum, stimulus): n for stratum, stimulus, n in rows})
