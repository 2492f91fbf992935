"""Excluding a session: its ratings do not count, its plan is free, and its rater notices nothing."""

import pytest

from listening.frames import ratings_frame
from listening.models import Event, Exclusion, Session
from listening.services.screening import exclude_session
from tests.unit.listening.raters import Rater


def _reasons(study) -> set[str]:
    return set(ratings_frame(study)["excluded"])


def test_the_plan_of_an_excluded_session_is_offered_again_after_all_were_completed(study):
    first = Rater(study)
    raters = [first, *(Rater(study) for _ in range(study.plans.filter(stratum="female").count() - 1))]
    for rater in raters:
        rater.arrive().finish()
    plan = first.session.plan
    late = Rater(study).arrive()
    assert late.session.state == Session.State.SCREENED_OUT

    exclude_session(first.session, "gold", "0 of 2 right")
    replacement = Rater(study).arrive()
    assert replacement.session.plan == plan
    assert first.session.state == Session.State.COMPLETED
    assert _reasons(study) == {"", "gold: 0 of 2 right"}


def test_an_excluded_rater_goes_on_to_the_completion_code(study):
    rater = Rater(study).arrive()
    exclude_session(rater.session, "gold", "0 of 2 right")
    rater.finish()
    assert study.completion_code in rater.client.get(f"{rater.base}done/").content.decode()
    assert _reasons(study) == {"gold: 0 of 2 right"}
    assert not study.plans.filter(sessions__state__in=Session.HOLDS_PLAN).exists()


def test_excluding_twice_by_one_rule_is_excluding_once(study):
    session = Rater(study).arrive().finish().session
    one = exclude_session(session, "gold", "0 of 2 right")
    assert exclude_session(session, "gold", "seen again") == one
    exclude_session(session, "by_hand", "told us that a child answered")
    assert Exclusion.objects.count() == Event.objects.filter(kind="excluded").count() == 2
    assert _reasons(study) == {"gold: 0 of 2 right; by_hand: told us that a child answered"}


@pytest.mark.parametrize("rules", [("language",), ("language", "hearing")])
def test_somebody_excluded_before_the_test_rates_and_keeps_no_plan_from_others(study, rules):
    rater = Rater(study)
    rater.open_link()
    for rule in rules:
        exclude_session(rater.session, rule, "below the pass mark")
    rater.consent()
    rater.check()
    assert rater.finish().session.plan is None
    assert rater.session.state == Session.State.COMPLETED
    assert _reasons(study) == {"; ".join(f"{rule}: below the pass mark" for rule in rules)}
    assert Rater(study).arrive().session.plan.number == 1


def test_a_consent_form_sent_twice_claims_one_plan(study):
    from listening.services.sessions import give_consent

    rater = Rater(study)
    rater.open_link()
    one, other = rater.session, rater.session
    give_consent(one, "female")
    give_consent(other, "female")
    assert one.plan == other.plan == rater.session.plan
    assert rater.session.trials.count() == one.plan.trials.count()
