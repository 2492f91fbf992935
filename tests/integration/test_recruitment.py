"""From a draft on Prolific to the last penny, over real HTTP on both sides: a stand-in Prolific, its people, and our pages."""

from uuid import uuid4

import pytest
from django.utils import timezone

from listening.models import AuditEntry, Bonus, Recruitment, Session, Submission, WebhookEvent
from listening.prolific import ProlificError, ProlificUncertain
from listening.services import bonuses
from listening.services.bonuses import order_bonuses, pay_bonuses, settle_uncertain
from listening.services.criteria import Criteria
from listening.services.errors import ServiceError
from listening.services.payment import approve, ask_to_return, send_decisions
from listening.services.reconcile import reconcile
from listening.services.recruitment import create_draft, end_pilot, launch_cost, publish
from listening.services.stimuli import work
from listening.services.studies import create_study, open_study, queue_stimuli
from listening.services.upkeep import keep_up
from listening.standin.records import Refused
from tests.integration.recruiting import WHO, World, options, recruiting, standing_in, subscribe

pytestmark = pytest.mark.django_db(transaction=True)


def decide_everything(world: World) -> None:
    """What a careful researcher does with each submission that waits."""
    world.read()
    waiting = Submission.objects.filter(status="AWAITING REVIEW", decision=Submission.Decision.PENDING)
    whole = waiting.filter(session__state=Session.State.COMPLETED)
    if whole:
        approve(whole, WHO)
    for row in waiting.exclude(session__state=Session.State.COMPLETED):
        ask_to_return(row, "Your submission is not complete, so please return it.", WHO)
    send_decisions(world.recruitment, world.client)
    for submission in world.standin.world.submissions.values():
        if submission.return_requested and submission.status == "AWAITING REVIEW":
            world.standin.give_back(submission)
    world.standin.clock.advance(60)
    world.read()


def fill_up(world: World, behaviours: list[str]) -> None:
    """Send people until every plan is completed; those who leave are replaced."""
    script = iter(behaviours)
    for _ in range(200):
        if not world.free():
            return
        if world.send(next(script, "finish")) is None:
            # Nobody is let in: let time pass, hand decisions over, read, and so let places be opened.
            decide_everything(world)
            world.standin.clock.advance(30 * 60)
            world.read()
    raise AssertionError("The study does not fill.")


def assert_settled(world: World) -> None:
    """Every stimulus has its votes, every submission a decision, and both sides the same sums."""
    assert world.is_balanced()
    assert not Submission.objects.filter(decision=Submission.Decision.PENDING).exists()
    result = reconcile(world.recruitment, world.client)
    assert result.differences == ()
    assert result.agrees
    spent = 1_000_000 - world.standin.world.balance
    assert spent == sum(amount.ours_minor for amount in result.amounts) + result.fees_minor


def test_a_study_fills_and_is_paid_to_the_penny(world):
    fill_up(world, ["finish", "return", "finish", "fail", "decline", "forget_code", "time_out", "finish"])
    decide_everything(world)
    late = Submission.objects.filter(session__state=Session.State.COMPLETED, status="APPROVED")[0]
    order = order_bonuses(world.recruitment, {late: 75}, "Thorough comments", WHO, uuid4())
    pay_bonuses(order[0].key, world.client)
    world.standin.clock.advance(60)
    assert world.standin.bonus_received(late.session.participant.recruiter_id) == 75
    assert_settled(world)
    statuses = set(Submission.objects.values_list("status", flat=True))
    assert statuses == {"APPROVED", "RETURNED", "TIMED-OUT"}
    assert AuditEntry.objects.filter(what="decision", who=WHO).count() >= 8


def test_webhooks_alone_keep_the_study_in_step(world, settings, live_server):
    subscribe(world, settings, live_server.url)
    world.send("return")
    world.standin.clock.advance(10)
    row = Submission.objects.get()
    assert row.status == "RETURNED"
    assert row.session.state == Session.State.RELEASED
    assert world.free() == 8
    assert WebhookEvent.objects.filter(processed_at=None).count() == 0
    assert not any("participant_id" in raw for raw in WebhookEvent.objects.values_list("raw", flat=True))


def test_webhooks_that_come_twice_late_or_never_change_nothing_in_the_end(world, settings, live_server):
    subscribe(world, settings, live_server.url)
    world.standin.hooks.mishaps.extend(["twice", "lost", 600.0] * 6)
    for behaviour in ("finish", "return", "forget_code"):
        world.send(behaviour)
    world.standin.clock.advance(3600)
    deliveries = [delivery for each in world.standin.hooks.subscriptions.values() for delivery in each.events]
    assert {delivery.status for delivery in deliveries} == {"SUCCEEDED", "FAILED"}
    assert WebhookEvent.objects.count() == sum(delivery.status == "SUCCEEDED" for delivery in deliveries)
    world.read()
    remote = {each.id: each.status for each in world.standin.world.submissions.values()}
    assert dict(Submission.objects.values_list("prolific_id", "status")) == remote
    assert world.free() == 6


def test_an_api_that_is_down_for_ten_minutes_stops_no_rater_and_loses_no_decision(world):
    world.standin.go_down(600)
    world.send("finish")
    session = Session.objects.get()
    assert session.state == Session.State.COMPLETED
    with pytest.raises(ProlificError):
        world.read()
    assert Recruitment.objects.get().sync_error
    world.standin.clock.advance(601)
    world.read()
    row = Submission.objects.get()
    assert row.session == session and row.status == "AWAITING REVIEW"
    approve([row], WHO)
    world.standin.go_down(600)
    with pytest.raises(ProlificError):
        send_decisions(world.recruitment, world.client)
    assert not Submission.objects.get().decision_sent
    world.standin.clock.advance(601)
    keep_up()
    world.standin.clock.advance(60)
    world.read()
    assert Submission.objects.get().status == "APPROVED"


def test_a_server_killed_between_setting_up_and_paying_pays_once(world, monkeypatch):
    visit = world.send("finish")
    decide_everything(world)
    row = Submission.objects.get()
    key = uuid4()
    order_bonuses(world.recruitment, {row: 50}, "Bonus", WHO, key)

    class Killed(BaseException):
        """The process ends here."""

    def killed(batch_id: str) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(world.client, "pay_bonus", killed)
        with pytest.raises(Killed):
            pay_bonuses(key, world.client)
    assert Bonus.objects.get().state == Bonus.State.PAYING
    pay_bonuses(key, world.client)
    assert world.standin.bonus_received(visit.person.id) == 0, "what may have been paid is not paid again"
    monkeypatch.setattr(bonuses, "PAYING_TAKES", bonuses.timedelta(0))
    settle_uncertain(world.recruitment, world.client)
    assert Bonus.objects.get().state == Bonus.State.UNCERTAIN
    monkeypatch.setattr(bonuses, "SHOWN_WITHIN", bonuses.timedelta(0))
    settle_uncertain(world.recruitment, world.client)
    assert Bonus.objects.get().state == Bonus.State.PLANNED, "read an hour later, it was not paid"
    pay_bonuses(key, world.client)
    pay_bonuses(key, world.client)
    world.standin.clock.advance(60)
    assert world.standin.bonus_received(visit.person.id) == 50
    assert reconcile(world.recruitment, world.client).amounts[1].differs_by == 0


def test_a_payment_whose_answer_is_lost_is_found_by_reading(world):
    visit = world.send("finish")
    decide_everything(world)
    key = uuid4()
    order_bonuses(world.recruitment, {Submission.objects.get(): 50}, "Bonus", WHO, key)
    world.standin.inject(path="/pay/", cut="after")
    with pytest.raises(ProlificUncertain):
        pay_bonuses(key, world.client)
    assert Bonus.objects.get().state == Bonus.State.UNCERTAIN
    pay_bonuses(key, world.client)
    world.standin.clock.advance(60)
    settle_uncertain(world.recruitment, world.client)
    assert Bonus.objects.get().state == Bonus.State.PAID
    assert world.standin.bonus_received(visit.person.id) == 50


def test_without_the_guard_the_stand_in_really_pays_twice(world):
    """The twin of the tests above: what they would see if the state were not written before the call."""
    visit = world.send("finish")
    batch = world.client.set_up_bonus(world.recruitment.prolific_study_id, {visit.submission.id: 50})
    world.client.pay_bonus(batch.id)
    world.client.pay_bonus(batch.id)
    world.standin.clock.advance(60)
    assert world.standin.bonus_received(visit.person.id) == 100


def test_the_same_order_twice_is_one_order(world):
    world.send("finish")
    world.read()
    row, key = Submission.objects.get(), uuid4()
    first = order_bonuses(world.recruitment, {row: 50}, "Bonus", WHO, key)
    assert order_bonuses(world.recruitment, {row: 50}, "Bonus", WHO, key) == first
    with pytest.raises(ServiceError, match="not settled yet"):
        order_bonuses(world.recruitment, {row: 50}, "Bonus", WHO, uuid4())


def test_who_finishes_after_the_time_ran_out_keeps_the_answers_and_is_paid_as_a_bonus(world):
    from listening.standin.people import arrive, consent, hear_check, rate

    prolific_id = world.recruitment.prolific_study_id
    person = next(iter(world.standin.world.people.values()))
    visit = arrive(world.standin, prolific_id, person.id)
    consent(visit)
    hear_check(visit)
    world.standin.clock.advance(3 * 3600)
    rate(visit, world.rng, world.hear)
    world.read()
    row = Submission.objects.get()
    assert (row.status, row.session.state) == ("TIMED-OUT", Session.State.COMPLETED)
    assert [line.to_do for line in reconcile(world.recruitment, world.client).differences] == [
        "All answers are here, though the time ran out: pay the reward as a bonus."
    ]
    key = uuid4()
    order_bonuses(world.recruitment, {row: 150}, "Reward", WHO, key)
    pay_bonuses(key, world.client)
    world.standin.clock.advance(60)
    row.refresh_from_db()
    assert row.decision == Submission.Decision.BONUS
    assert reconcile(world.recruitment, world.client).agrees


def test_the_pilot_comes_first_and_then_everybody(quick, settings, monkeypatch, live_server):
    with recruiting(quick, settings, monkeypatch, live_server.url, pilot_places=2) as world:
        assert world.recruitment.places == 2
        world.send("finish")
        world.send("return")
        world.read()
        world.send("finish")
        world.read()
        assert world.send("finish") is None
        assert world.recruitment.places == 2
        end_pilot(world.recruitment, WHO, world.client)
        assert world.recruitment.places == 8
        assert world.send("finish") is not None


def test_places_are_raised_for_who_never_comes_back_but_not_beyond_the_cap(world):
    world.send("forget_code")
    world.send("fail")
    world.read()
    assert world.free() == 7
    # The one who failed the sound check keeps a place at Prolific until it is returned: one more is needed.
    assert world.recruitment.places == 9
    world.recruitment.spending_cap_minor = world.recruitment.cost_per_place_minor * 9
    world.recruitment.save()
    world.send("fail")
    world.read()
    assert world.recruitment.places == 9
    assert AuditEntry.objects.get(what="cap reached").data == {"wanted": 10, "allowed": 9}


def test_recruiting_is_held_while_no_plan_is_free(world):
    last, *others = world.study.plans.all()
    for plan in others:
        Session.objects.create(study=world.study, plan=plan, state=Session.State.COMPLETED, lease_expires_at=timezone.now())
    visit = world.send("finish", sex=last.stratum)
    world.read()
    assert (world.recruitment.status, world.recruitment.held) == ("PAUSED", True)
    assert world.standin.world.study(world.recruitment.prolific_study_id).status == "PAUSED"
    world.standin.give_back(visit.submission)
    world.read()
    assert (world.recruitment.status, world.recruitment.held) == ("ACTIVE", False)
    assert world.free() == 1


def test_our_own_allocator_keeps_the_sexes_even_when_prolifics_quotas_drift(world):
    world.standin.world.quotas = False
    for _ in range(4):
        world.send("finish", sex="female")
    world.send("finish", sex="female")
    fifth = Session.objects.order_by("-pk").first()
    assert fifth.state == Session.State.SCREENED_OUT
    assert world.free() == world.study.plans.filter(stratum="male").count() == 4


def test_a_link_with_somebody_elses_submission_is_refused(world, client):
    prolific_id = world.recruitment.prolific_study_id
    one, other = list(world.standin.world.people.values())[:2]
    submission = world.standin.reserve(prolific_id, one.id)
    world.standin.open_study(submission)
    query = {"PROLIFIC_PID": other.id, "STUDY_ID": prolific_id, "SESSION_ID": submission.id}
    page = client.get(f"/s/{world.study.slug}/", query)
    assert page.status_code == 403
    assert "belongs to somebody else" in page.content.decode()


def test_a_secure_study_lets_in_signed_links_alone(quick, settings, monkeypatch, live_server, client):
    from listening.services import arrivals

    with recruiting(quick, settings, monkeypatch, live_server.url, secure=True) as world:
        monkeypatch.setattr(arrivals, "timezone", type("At", (), {"now": staticmethod(world.standin.clock.now)}))
        assert world.send("finish") is not None
        assert Session.objects.get().state == Session.State.COMPLETED
        person = list(world.standin.world.people.values())[5]
        ids = {"PROLIFIC_PID": person.id, "STUDY_ID": world.recruitment.prolific_study_id, "SESSION_ID": "a" * 24}
        page = client.get(f"/s/{quick.slug}/", ids)
        assert page.status_code == 400
        assert "prolific_token" in page.content.decode()


def test_a_draft_whose_answer_was_lost_is_not_made_twice(quick, settings, monkeypatch, live_server):
    with standing_in(settings, monkeypatch, live_server.url) as (standin, client):
        standin.inject(path="/studies/$", method="POST", cut="after")
        with pytest.raises(ProlificUncertain):
            create_draft(quick, options(standin), WHO, client)
        recruitment = create_draft(quick, options(standin), WHO, client)
        assert list(standin.world.studies) == [recruitment.prolific_study_id]


def test_who_took_part_in_an_earlier_study_is_kept_out_of_the_next(world):
    people = [world.send("finish").person.id, world.send("return").person.id]
    earlier = world.recruitment.prolific_study_id
    later = create_study(
        corpus=world.study.corpus,
        slug="later",
        conditions=["original", "opus-6kbps", "mp3-24kbps"],
        n_clips=4,
        votes_per_stratum=1,
        trials_per_session=3,
    )
    queue_stimuli(later)
    work()
    open_study(later)
    kept_out = options(world.standin, criteria=Criteria(exclude_studies=(earlier,)))
    recruitment = create_draft(later, kept_out, WHO, world.client)
    sent = next(
        call["body"] for call in reversed(world.standin.log) if call["method"] == "POST" and call["path"].endswith("/studies/")
    )
    assert {"filter_id": "previous_studies_blocklist", "selected_values": [earlier]} in sent["filters"]
    assert launch_cost(recruitment, 8, world.client).eligible == len(world.standin.world.people) - len(people)
    assert "took part in none of 1 earlier studies" in recruitment.criteria
    publish(recruitment, WHO, world.client)
    world.standin.clock.advance(60)
    for person in people:
        with pytest.raises(Refused, match="not eligible"):
            world.standin.reserve(recruitment.prolific_study_id, person)
    newcomer = next(person for person in world.standin.world.people if person not in people)
    assert world.standin.reserve(recruitment.prolific_study_id, newcomer).status == "RESERVED"


def test_pay_below_the_minimum_is_refused_before_anything_is_sent(quick, settings, monkeypatch, live_server):
    with standing_in(settings, monkeypatch, live_server.url) as (standin, client):
        with pytest.raises(ServiceError, match="Prolific's minimum"):
            create_draft(quick, options(standin, reward_minor=40), WHO, client)
        assert not standin.world.studies


def test_a_balance_that_is_too_small_is_told_before_publishing(quick, settings, monkeypatch, live_server):
    with standing_in(settings, monkeypatch, live_server.url) as (standin, client):
        recruitment = create_draft(quick, options(standin), WHO, client)
        standin.world.balance = 500
        with pytest.raises(ServiceError, match="are lacking"):
            publish(recruitment, WHO, client)
        assert client.study(recruitment.prolific_study_id or "").status == "UNPUBLISHED"
