"""People join, answer, skip, leave, come back and are excluded in every order: the balance holds and no rating is lost."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from listening.models import PlanTrial, Rating, Session, Study
from listening.prolific import Link
from listening.rating_tasks.base import Answer
from listening.services import sessions
from listening.services.balance import free_plans, is_full, missing_votes, usable_votes
from listening.services.ratings import ConflictError, TooManySkippedError, record_ratings, skip_trial
from listening.services.screening import exclude_session
from listening.services.submissions import release
from tests.unit.listening.raters import HEARD, prolific_id

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(900)]

PEOPLE = st.integers(0, 30)
GOING = (*Session.ACTIVE, Session.State.EXPIRED, Session.State.COMPLETED, Session.State.RELEASED)


class Balance(RuleBasedStateMachine):
    study: Study

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.links: list[Link] = []
        self.acknowledged: dict[tuple[int, int], float] = {}
        self.votes = self.study.votes_per_stratum

    def teardown(self) -> None:
        try:
            self.fill_up()
        finally:
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def person(self, number: int) -> Session:
        pid = self.links[number % len(self.links)].participant_id
        return Session.objects.get(study=self.study, participant=sessions.Participant.objects.get_or_add(pid))

    def come(self, link: Link) -> Session:
        return sessions.join(self.study, link, mark=sessions.simulation_mark(link.participant_id))

    @rule(stratum=st.sampled_from(["female", "male"]))
    def join(self, stratum: str) -> None:
        link = Link(prolific_id(), prolific_id(), prolific_id())
        session = self.come(link)
        if session.state == Session.State.CONSENT:
            sessions.give_consent(session, stratum)
        self.links.append(link)

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE, position=st.integers(1, 3), value=st.integers(1, 5))
    def answer(self, who: int, position: int, value: int) -> None:
        """In any order, twice, with another value, after the session is over: whatever was acknowledged first stands."""
        session = self.person(who)
        trial = session.trials.filter(position=position).first()
        if trial is None:
            return
        held = self.acknowledged.get((session.pk, position))
        try:
            record_ratings(session, position, [Answer("ovrl", value, None)], idempotency_key=uuid4(), listening=HEARD)
        except ConflictError:
            assert held != value
            return
        self.acknowledged.setdefault((session.pk, position), value)

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE)
    def answer_all(self, who: int) -> None:
        session = self.person(who)
        for position in session.trials.values_list("position", flat=True):
            self.answer(who, position, 3)

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE, position=st.integers(1, 3))
    def skip(self, who: int, position: int) -> None:
        session = self.person(who)
        if session.trials.filter(position=position).exists():
            try:
                skip_trial(session, position, "damaged", listening=HEARD)
            except TooManySkippedError:
                assert session.trials.exclude(skipped="").exists()

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE)
    def return_submission(self, who: int) -> None:
        release(self.person(who))

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE)
    def time_out(self, who: int) -> None:
        Session.objects.filter(pk=self.person(who).pk).update(lease_expires_at=timezone.now() - timedelta(minutes=1))
        sessions.expire_sessions(self.study)

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE)
    def rejoin(self, who: int) -> None:
        try:
            self.come(self.links[who % len(self.links)])
        except sessions.JoinRefused:
            assert self.person(who).state == Session.State.EXPIRED

    @precondition(lambda self: self.links)
    @rule(who=PEOPLE, rule_name=st.sampled_from(["gold", "by_hand"]))
    def exclude(self, who: int, rule_name: str) -> None:
        exclude_session(self.person(who), rule_name, "for the test")

    @invariant()
    def no_acknowledged_rating_is_lost_or_changed(self) -> None:
        stored = {(s, p): v for s, p, v in Rating.objects.values_list("trial__session_id", "trial__position", "value")}
        assert stored == self.acknowledged

    @invariant()
    def no_plan_has_two_holders(self) -> None:
        holders = Counter(
            Session.objects.filter(state__in=Session.HOLDS_PLAN, plan__isnull=False).values_list("plan", flat=True)
        )
        assert not holders or max(holders.values()) == 1

    @invariant()
    def a_session_is_complete_when_every_trial_was_dealt_with_and_not_before(self) -> None:
        for session in Session.objects.filter(study=self.study, state__in=GOING):
            whole = session.trials.exists() and not session.trials.filter(answered_at=None).exists()
            assert (session.state == Session.State.COMPLETED) == (whole and session.state != Session.State.RELEASED)

    @invariant()
    def every_vote_is_here_or_asked_for_and_none_more_than_once(self) -> None:
        """Beyond its votes a stimulus has at most the make-up votes whose reason went away when a session was excluded."""
        asked = Counter(PlanTrial.objects.filter(plan__study=self.study).values_list("plan__stratum", "stimulus"))
        made_up = Counter(
            PlanTrial.objects.filter(plan__study=self.study, plan__make_up=True).values_list("plan__stratum", "stimulus")
        )
        usable, missing = usable_votes(self.study), missing_votes(self.study)
        for key, n in asked.items():
            assert n - made_up[key] == self.votes
            assert usable[key] + missing[key] <= self.votes + made_up[key]

    def fill_up(self) -> None:
        """Whatever happened, people who come and answer bring the study to its end."""
        Session.objects.filter(state__in=Session.ACTIVE).update(lease_expires_at=timezone.now() - timedelta(minutes=1))
        sessions.expire_sessions(self.study)
        for _ in range(60):
            plan = free_plans(self.study).first()
            if plan is None:
                break
            self.join(plan.stratum)
            self.answer_all(len(self.links) - 1)
        assert is_full(self.study)
        votes = usable_votes(self.study)
        assert (
            len(votes)
            == PlanTrial.objects.filter(plan__study=self.study).values("plan__stratum", "stimulus").distinct().count()
        )
        assert min(votes.values()) >= self.votes
        self.every_vote_is_here_or_asked_for_and_none_more_than_once()


def test_the_balance_holds_and_no_rating_is_lost_whatever_people_do(study):
    study.screening = []
    study.save()
    Balance.study = study
    quick = settings(
        max_examples=30, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck), print_blob=False
    )
    run_state_machine_as_test(Balance, settings=quick)
