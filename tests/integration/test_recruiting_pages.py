"""Recruiting in the admin: a researcher's clicks, with a stand-in Prolific on the other side."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from listening.models import Bonus, Recruitment, Session, Submission
from listening.services.studies import create_study
from listening.services.submissions import sync
from tests.integration.recruiting import recruiting, standing_in
from tests.unit.listening.raters import Rater

pytestmark = pytest.mark.django_db(transaction=True)


def url(page, study, *more):
    return reverse(f"admin:listening_recruitment_{page}", args=[study.pk, *more])


def board(admin_client, study):
    return admin_client.get(reverse("admin:listening_study_change", args=[study.pk])).content.decode()


def messages_of(response):
    return " ".join(str(message) for message in response.context["messages"])


@pytest.fixture
def world(study, settings, monkeypatch, live_server):
    with recruiting(study, settings, monkeypatch, live_server.url, reward_minor=100) as world:
        yield world


def take_part(world, stratum="female", behaviour="finish"):
    """Somebody from Prolific, whose answers come by the tests' quick way; returns the submission as the stand-in holds it."""
    study_id = world.recruitment.prolific_study_id
    taken = {each.participant_id for each in world.standin.world.of_study(study_id)}
    person = next(p for p in world.standin.world.people.values() if p.sex.lower() == stratum and p.id not in taken)
    submission = world.standin.reserve(study_id, person.id)
    world.standin.open_study(submission)
    rater = Rater(world.study, participant_id=person.id, submission_id=submission.id)
    rater.open_link(STUDY_ID=study_id)
    rater.consent(stratum)
    rater.check()
    if behaviour == "finish":
        rater.finish()
    world.standin.clock.advance(300)
    world.standin.complete(submission, world.study.completion_code)
    sync(world.recruitment, world.client)
    return submission


def review_post(admin_client, world, rows, action, **data):
    body = {"submission": [row.pk for row in rows], "action": action, "key": str(uuid4()), **data}
    return admin_client.post(url("review", world.study), body, follow=True)


def test_a_study_is_launched_by_form_with_its_price_told_before_it_is_paid(
    admin_client, study, settings, monkeypatch, live_server
):
    with standing_in(settings, monkeypatch, live_server.url) as (standin, _client):
        assert "Recruit on Prolific" in board(admin_client, study)
        form = admin_client.get(url("launch", study)).context["form"]
        assert ("Germany", "Germany") in form.fields["countries"].choices
        values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
        values |= {"countries": ["United Kingdom", "Ireland"], "place": form.fields["place"].choices[0][0], "pilot_places": 2}
        page = admin_client.post(url("launch", study), values, follow=True)
        text = page.content.decode()
        recruitment = Recruitment.objects.get()
        remote = standin.world.study(recruitment.prolific_study_id or "")
        assert remote.fields["filters"][0] == {
            "filter_id": "current-country-of-residence",
            "selected_values": ["0", "2"],
        }
        assert {"filter_id": "sex", "selected_values": ["1", "0"], "weightings": {"1": 1, "0": 1}} in remote.fields["filters"]
        assert {code["code_type"] for code in remote.fields["completion_codes"]} == {
            *("COMPLETED", "NO_CONSENT", "SCREENED_OUT", "FAILED_ATTENTION_CHECK", "INCOMPATIBLE_DEVICE"),
        }
        assert remote.status == "UNPUBLISHED"
        assert "2 ×" in text and "Balance of the workspace" in text and "an hour by the estimate" in text
        admin_client.post(url("do", study, "publish"))
        standin.clock.advance(60)
        admin_client.post(url("read", study))
        assert Recruitment.objects.get().status == "ACTIVE"
        assert "Open on Prolific in the test run of 2" in board(admin_client, study)
        assert standin.token not in text + board(admin_client, study)


def test_an_earlier_study_is_chosen_in_the_form_to_keep_its_raters_out(admin_client, study, settings, monkeypatch, live_server):
    before = create_study(corpus=study.corpus, slug="before", conditions=["original", "opus-6kbps"], n_clips=4)
    earlier = "e" * 24
    Recruitment.objects.create(
        study=before, prolific_study_id=earlier, reward_minor=100, estimated_minutes=5, spending_cap_minor=1000
    )
    with standing_in(settings, monkeypatch, live_server.url) as (standin, _client):
        form = admin_client.get(url("launch", study)).context["form"]
        assert form.fields["exclude"].choices == [(earlier, str(before))]
        values = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
        values |= {"place": form.fields["place"].choices[0][0], "exclude": [earlier]}
        admin_client.post(url("launch", study), values, follow=True)
        (remote,) = standin.world.studies.values()
        assert {"filter_id": "previous_studies_blocklist", "selected_values": [earlier]} in remote.fields["filters"]


def test_a_price_that_cannot_be_paid_has_no_button(admin_client, study, settings, monkeypatch, live_server):
    from listening.services.recruitment import create_draft
    from tests.integration.recruiting import options

    with standing_in(settings, monkeypatch, live_server.url) as (standin, client):
        create_draft(study, options(standin, spending_cap_minor=10), "researcher", client)
        standin.world.balance = 20
        text = admin_client.get(url("do", study, "publish")).content.decode()
        assert "are lacking" in text and "more than the spending cap" in text
        assert "Publish for" not in text
        assert "are lacking" in messages_of(admin_client.post(url("do", study, "publish"), follow=True))
        assert Recruitment.objects.get().status == "UNPUBLISHED"


def test_without_a_token_the_page_offers_the_way_by_hand(admin_client, study, settings):
    settings.PROLIFIC_TOKEN = ""
    text = admin_client.get(url("launch", study)).content.decode()
    assert "PROLIFIC_TOKEN" in text and "Recruit by hand" in text


def test_an_api_that_is_away_leaves_the_page_standing(admin_client, study, settings, monkeypatch, live_server):
    with standing_in(settings, monkeypatch, live_server.url) as (standin, _client):
        standin.inject(status=503, times=50)
        page = admin_client.get(url("launch", study))
        assert page.status_code == 200
        assert "Recruit by hand" in page.content.decode()


def test_the_review_table_shows_evidence_and_many_are_approved_at_once(admin_client, world):
    take_part(world)
    take_part(world, "male")
    take_part(world, behaviour="leave")
    text = admin_client.get(url("review", world.study)).content.decode()
    assert text.count("3 of 3") == 2
    assert "the completion code was handed in, but answers are missing" in text
    whole = Submission.objects.filter(session__state=Session.State.COMPLETED)
    page = review_post(admin_client, world, whole, "approve")
    assert "2 approved." in messages_of(page)
    world.standin.clock.advance(60)
    world.read()
    assert set(whole.values_list("status", "decision", "decided_by")) == {("APPROVED", "approve", "admin")}


def test_a_rejection_needs_prolifics_grounds_and_a_message(admin_client, world):
    take_part(world)
    row = Submission.objects.get()
    long = "Several answers came faster than the clips last, which cannot be done without guessing at what was heard in them. "
    for data, sentence in (
        ({"category": "FAILED_CHECK", "reject_message": long}, "needs two failed attention checks; there are 0"),
        ({"category": "TOO_QUICKLY", "reject_message": long}, "exceptionally fast"),
        ({"category": "NO_DATA", "reject_message": long}, "is not true"),
        ({"category": "BAD_CODE", "reject_message": long}, "alone is no ground"),
        ({"category": "LOW_EFFORT", "reject_message": "Bad."}, "at least 100 characters"),
        ({"category": "", "reject_message": long}, "Choose one of Prolific"),
    ):
        assert sentence in messages_of(review_post(admin_client, world, [row], "reject", **data))
    assert Submission.objects.get().decision == Submission.Decision.PENDING
    review_post(admin_client, world, [row], "reject", category="LOW_EFFORT", reject_message=long)
    row.refresh_from_db()
    assert (row.status, row.decision, row.session.state) == ("REJECTED", "reject", "released")
    assert world.free() == 8


@pytest.mark.parametrize(("minutes", "failed", "allowed"), [(4, 1, True), (5, 1, False), (5, 2, True), (30, 1, False)])
def test_one_failed_check_rejects_nobody_in_a_study_of_five_minutes_or_more(world, minutes, failed, allowed):
    from listening.models import Event
    from listening.services.evidence import FAILED_ATTENTION_CHECK, gather_evidence
    from listening.services.payment import objection_to_rejecting

    take_part(world)
    Recruitment.objects.update(estimated_minutes=minutes)
    session = Session.objects.get()
    for _ in range(failed):
        Event.objects.create(study=world.study, session=session, kind=FAILED_ATTENTION_CHECK)
    (facts,) = gather_evidence(Recruitment.objects.get())
    assert (objection_to_rejecting(facts, "FAILED_CHECK", "x" * 100) == "") == allowed


def test_two_cannot_be_rejected_at_once(admin_client, world):
    take_part(world)
    take_part(world, "male")
    page = review_post(admin_client, world, Submission.objects.all(), "reject", category="OTHER", reject_message="x" * 100)
    assert "one by one" in messages_of(page)


def test_a_bonus_is_paid_from_the_table_and_a_double_click_pays_once(admin_client, world):
    submission = take_part(world)
    row, key = Submission.objects.get(), str(uuid4())
    for _ in range(2):
        review_post(admin_client, world, [row], "bonus", amount="1.50", bonus_reason="Extra time", key=key)
    world.standin.clock.advance(60)
    assert world.standin.bonus_received(submission.participant_id) == 150
    assert Bonus.objects.get().state == Bonus.State.PAID


def test_the_reconciliation_page_says_what_differs_and_then_that_nothing_does(admin_client, world):
    take_part(world)
    text = admin_client.post(url("reconcile", world.study)).content.decode()
    assert "Decide: approve it, or ask to return it." in text
    review_post(admin_client, world, Submission.objects.all(), "approve")
    world.standin.clock.advance(60)
    text = admin_client.post(url("reconcile", world.study)).content.decode()
    assert "Both sides agree to the penny" in text
    assert "£1.00" in text


def test_money_that_was_paid_on_prolifics_own_pages_is_noticed(admin_client, world):
    submission = take_part(world)
    row = Submission.objects.get()
    review_post(admin_client, world, [row], "bonus", amount="0.50", bonus_reason="Extra")
    batch = world.client.set_up_bonus(world.recruitment.prolific_study_id, {submission.id: 70})
    world.client.pay_bonus(batch.id)
    world.standin.clock.advance(60)
    text = admin_client.post(url("reconcile", world.study)).content.decode()
    assert "More was paid than we ordered" in text
    assert "£1.20" in text and "£0.70" in text


def test_who_may_only_look_cannot_decide(client, django_user_model, world):
    take_part(world)
    user = django_user_model.objects.create_user("looker", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    world.study.shared_with.add(user)
    client.force_login(user)
    page = client.get(url("review", world.study))
    assert page.status_code == 200 and "Approve and pay" not in page.content.decode()
    assert "may not" in messages_of(review_post(client, world, Submission.objects.all(), "approve"))
    for name in ("launch", "reconcile"):
        assert "may not" in messages_of(client.post(url(name, world.study), follow=True))
    assert Submission.objects.get().decision == Submission.Decision.PENDING


def test_no_participant_id_stands_in_the_tables_of_recruiting(admin_client, world):
    submission = take_part(world)
    review_post(admin_client, world, Submission.objects.all(), "approve")
    pages = [admin_client.get(url(name, world.study)).content.decode() for name in ("review", "reconcile")]
    pages.append(admin_client.get(reverse("admin:listening_auditentry_changelist")).content.decode())
    pages.append(board(admin_client, world.study))
    assert not any(submission.participant_id in page for page in pages)
