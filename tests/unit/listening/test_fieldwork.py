"""The live board: its figures come from the rows, and its queries do not grow with sessions."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from listening.models import (
    Event,
    Participant,
    Plan,
    PlanTrial,
    Rating,
    Recruitment,
    ScreeningResult,
    Session,
    Submission,
    Trial,
)
from listening.services.balance import usable_votes
from listening.services.fieldwork import fieldwork
from listening.services.screening import exclude_session
from tests.unit.listening.raters import Rater
from tests.unit.listening.test_balance import skip


def url_of(study, page: str = "fieldwork") -> str:
    return reverse(f"admin:listening_study_{page}", args=[study.pk])


def add_sessions(study, n: int) -> None:
    """Completed sessions with their ratings, written as rows: what three hundred people leave behind."""
    first = study.plans.filter(make_up=False).first()
    trials = list(first.trials.all())
    for _ in range(n):
        plan = Plan.objects.create(study=study, number=study.plans.count() + 1, stratum=first.stratum)
        PlanTrial.objects.bulk_create([PlanTrial(plan=plan, position=t.position, stimulus=t.stimulus) for t in trials])
        now = timezone.now()
        session = Session.objects.create(
            study=study,
            plan=plan,
            participant=Participant.objects.create(),
            state=Session.State.COMPLETED,
            stratum=first.stratum,
            lease_expires_at=now,
            consented_at=now - timedelta(minutes=12),
            completed_at=now,
        )
        ScreeningResult.objects.create(session=session, step="tones", attempt=1, passed=False)
        made = Trial.objects.bulk_create(
            [Trial(session=session, position=t.position, stimulus=t.stimulus, answered_at=now) for t in trials]
        )
        key = "00000000-0000-4000-8000-000000000000"
        Rating.objects.bulk_create(
            [Rating(trial=t, stimulus=t.stimulus, scale="ovrl", value=3, idempotency_key=key) for t in made]
        )


@pytest.mark.parametrize("page", ["fieldwork", "progress", "change"])
def test_three_hundred_sessions_cost_no_more_queries_than_three(admin_client, study, page):
    def queries() -> list[str]:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert admin_client.get(url_of(study, page)).status_code == 200
        return [query["sql"] for query in seen]

    add_sessions(study, 3)
    queries()  # what is looked up once for the process
    few = queries()
    add_sessions(study, 297)
    many = queries()
    assert study.sessions.count() == 300
    assert len(many) == len(few), "\n".join(many)
    assert len(few) <= {"fieldwork": 25, "progress": 25, "change": 75}[page]


def test_usable_votes_stand_against_the_target_with_the_least_filled_first(study):
    empty = fieldwork(study)
    assert empty.stimuli == 12 and empty.full == 0
    assert {cell for row in empty.votes for cell in row.cells} == {(0, 1)}
    rater = Rater(study).arrive("female").finish()
    other = Rater(study).arrive("male")
    skip(other, 1)
    seen = fieldwork(study, listed=11)
    heard = {t.stimulus_id for t in rater.session.trials.all()}
    assert seen.strata == ["female", "male"] and seen.more == 1 and seen.full == 0
    assert [row.cells for row in seen.votes[:9]] == [[(0, 1), (0, 1)]] * 9
    assert [row.cells for row in seen.votes[9:]] == [[(1, 1), (0, 1)]] * 2
    assert [row.missing for row in seen.votes] == [2] * 9 + [1] * 2
    assert {s for (_stratum, s) in usable_votes(study)} == heard
    # Whose ratings are not used gives none, and the stimuli are short again.
    exclude_session(rater.session, "by_hand", "talked on the phone")
    assert fieldwork(study).full == 0
    assert {cell for row in fieldwork(study).votes for cell in row.cells} == {(0, 1)}


def test_sessions_and_failures_are_counted_by_state_and_reason(study):
    done = Rater(study).arrive().finish()
    turned_away = Rater(study)
    turned_away.open_link()
    turned_away.consent()
    for _ in range(2):
        result = ScreeningResult.objects.filter(session=turned_away.session, passed=None).first()
        if result is None:
            turned_away.client.get(f"{turned_away.base}check/")
            result = ScreeningResult.objects.get(session=turned_away.session, passed=None)
        turned_away.client.post(
            f"{turned_away.base}check/", {"try": result.public_id, **{f"item-{n}": "0" for n in range(1, 9)}}
        )
    ScreeningResult.objects.create(session=done.session, step="trap", attempt=9, passed=False)
    exclude_session(done.session, "trap", "a trap was not answered as asked")
    seen = fieldwork(study)
    assert {s.state: s.n for s in seen.sessions} == Counter(study.sessions.values_list("state", flat=True))
    steps = {step.title: (step.took, step.failed, step.ended, step.left_out) for step in seen.screening}
    assert steps.pop("Traps") == (1, 1, 0, 1)
    assert list(steps.values()) == [(2, 1, 1, 0)]
    assert Event.objects.filter(kind="failed_screening").count() == 1


def test_time_and_money_are_those_of_real_people(study):
    Rater(study).arrive().finish()  # simulated: no time worth telling
    assert fieldwork(study).median_minutes is None and fieldwork(study).pay is None
    add_sessions(study, 5)
    recruitment = Recruitment.objects.create(
        study=study, reward_minor=150, estimated_minutes=10, spending_cap_minor=0, cost_per_place_minor=200
    )
    for n, status in enumerate(("APPROVED", "AWAITING REVIEW", "ACTIVE", "RETURNED")):
        Submission.objects.create(recruitment=recruitment, prolific_id=str(n), status=status)
    seen = fieldwork(study)
    free = study.plans.count() - 6
    assert seen.median_minutes == pytest.approx(12) and seen.timed == 5
    pay = seen.pay
    assert pay is not None and pay.measured
    # 1.50 for 12 minutes is 7.50 an hour; two are finished; one is under way and takes one of the free places.
    assert (pay.hourly, pay.minimum, pay.too_low) == ("£7.50", "£6.00", False)
    assert (pay.spent, pay.to_finish) == ("£4.00", f"£{2 * free}.00")
    Recruitment.objects.update(minimum_hourly_minor=800)
    again = fieldwork(study).pay
    assert again is not None and again.too_low and again.minimum == "£8.00"


def test_the_piece_of_page_is_for_those_who_may_see_the_study(client, admin_client, study, django_user_model):
    page = admin_client.get(url_of(study)).content.decode()
    assert "0 of 12 stimuli have every usable vote" in page and "and 0 more" not in page
    client.force_login(django_user_model.objects.create_user("other", is_staff=True))
    assert client.get(url_of(study)).status_code == 404
