"""A whole study of about two hundred people, with everything going wrong that is known to go wrong. Takes minutes."""

import itertools
from uuid import uuid4

import pytest

from listening.models import Bonus, Session, Submission
from listening.prolific import ProlificUncertain
from listening.services import bonuses
from listening.services.bonuses import order_bonuses, pay_bonuses, settle_uncertain
from listening.services.recruitment import end_pilot
from listening.services.stimuli import work
from listening.services.studies import create_study, open_study, queue_stimuli
from tests.integration.recruiting import WHO, recruiting, subscribe
from tests.integration.test_recruitment import assert_settled, decide_everything, fill_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.timeout(1800)]

#: Of ten people seven finish; the others leave in every way there is.
SCRIPT = ("finish", "finish", "return", "finish", "time_out", "finish", "finish", "fail", "finish", "finish")
SCRIPT_TWO = ("finish", "forget_code", "finish", "decline", "finish", "finish", "return", "finish", "finish", "finish")


@pytest.fixture
def large(corpus):
    study = create_study(
        corpus=corpus,
        slug="large",
        conditions=["original", "opus-6kbps", "mp3-24kbps"],
        n_clips=4,
        votes_per_stratum=18,
        trials_per_session=3,
        minimum_heard_share=0.1,
    )
    queue_stimuli(study)
    work()
    open_study(study)
    return study


def test_two_hundred_people_leave_every_stimulus_with_its_votes_and_every_penny_accounted_for(
    large, settings, monkeypatch, live_server
):
    with recruiting(large, settings, monkeypatch, live_server.url, people=400, pilot_places=6) as world:
        subscribe(world, settings, live_server.url)
        mishaps = itertools.cycle([None, "twice", "lost", 600.0, None, 3600.0, "lost", "twice"])
        world.standin.hooks.mishaps.extend(itertools.islice(mishaps, 1000))
        for behaviour in SCRIPT[:7]:
            world.send(behaviour)
        decide_everything(world)
        end_pilot(world.recruitment, WHO, world.client)
        for n, behaviour in enumerate((SCRIPT + SCRIPT_TWO) * 9):
            if n == 60:
                world.standin.go_down(600)
            world.send(behaviour)
            if n % 25 == 24 and n not in range(58, 80):
                decide_everything(world)
        world.standin.clock.advance(2 * 3600)
        world.read()
        fill_up(world, [])
        decide_everything(world)
        pay_a_bonus_while_the_server_is_killed(world, monkeypatch)
        world.standin.clock.advance(24 * 3600)
        world.read()
        assert Submission.objects.count() >= 180
        assert Session.objects.filter(state=Session.State.COMPLETED).count() == large.plans.count() == 144
        assert_settled(world)


def pay_a_bonus_while_the_server_is_killed(world, monkeypatch):
    rows = list(Submission.objects.filter(status="APPROVED")[:20])
    key = uuid4()
    order_bonuses(world.recruitment, dict.fromkeys(rows, 25), "Thank you", WHO, key)
    world.standin.inject(path="/pay/", cut="after")
    with pytest.raises(ProlificUncertain):
        pay_bonuses(key, world.client)
    pay_bonuses(key, world.client)
    world.standin.clock.advance(60)
    settle_uncertain(world.recruitment, world.client)
    assert set(Bonus.objects.values_list("state", flat=True)) == {Bonus.State.PAID}

    class Killed(BaseException):
        """The process ends here."""

    def killed(batch_id: str) -> None:
        raise Killed

    second = uuid4()
    order_bonuses(world.recruitment, dict.fromkeys(rows, 30), "Once more", WHO, second)
    with monkeypatch.context() as patch:
        patch.setattr(world.client, "pay_bonus", killed)
        with pytest.raises(Killed):
            pay_bonuses(second, world.client)
    monkeypatch.setattr(bonuses, "PAYING_TAKES", bonuses.timedelta(0))
    monkeypatch.setattr(bonuses, "SHOWN_WITHIN", bonuses.timedelta(0))
    settle_uncertain(world.recruitment, world.client)
    pay_bonuses(second, world.client)
    world.standin.clock.advance(60)
    for row in rows:
        assert world.standin.bonus_received(row.session.participant.recruiter_id) == 55
