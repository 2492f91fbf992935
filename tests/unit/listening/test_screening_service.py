"""The way through the screening: tries, rules, expiry, and that answers and sounds stay where they belong."""

from datetime import timedelta

import pytest
from django.utils import timezone

from listening.models import Event, Exclusion, ScreeningResult, Session
from listening.services import checks
from listening.services.errors import ServiceError
from listening.services.studies import check_study, create_study
from tests.unit.listening.raters import Rater
from tests.unit.listening.test_rater_pages import text

QUESTION = {"text": "Which language?", "accepted": ["English"], "options": ["English", "German"]}


def screen(study, *steps: dict) -> None:
    study.screening = list(steps)
    study.screening_questions = study.comprehension_questions = [QUESTION]
    study.save()


def arrive(study) -> Rater:
    rater = Rater(study)
    rater.open_link()
    rater.consent()
    rater.client.get(f"{rater.base}check/")
    return rater


def answer(rater: Rater, given: str = ""):
    """Answer the open try: rightly, or with ``given`` to everything."""
    form = checks.right_form(rater.session)
    wrong = {name: given for name in form if given and name != "try"}
    return rater.client.post(f"{rater.base}check/", {**form, **wrong}, follow=True)


def age(rater: Rater, minutes: int) -> None:
    rater.session.screening_results.update(finished_at=timezone.now() - timedelta(minutes=minutes))


def test_steps_come_in_the_studys_order_and_each_leaves_its_result(study):
    screen(study, {"step": "antiphase"}, {"step": "questions"}, {"step": "tones"})
    rater = arrive(study)
    assert "softest" in text(rater.client.get(f"{rater.base}check/"))
    assert "Which language?" in text(answer(rater))
    assert "How many tones" in text(answer(rater))
    assert answer(rater).redirect_chain[-1][0].endswith("/trial/")
    results = rater.session.screening_results.all()
    assert [(r.step, r.attempt, r.passed) for r in results] == [
        ("antiphase", 1, True),
        ("questions", 1, True),
        ("tones", 1, True),
    ]
    assert all(r.finished_at >= r.started_at for r in results)
    assert results[0].detail["right"] == results[0].detail["asked"] == 6
    assert rater.session.checked_at


def test_a_study_without_screening_goes_from_the_consent_to_the_test(study):
    screen(study)
    rater = Rater(study)
    rater.open_link()
    assert rater.consent().redirect_chain[-1][0].endswith("/trial/")


def test_failing_that_marks_goes_on_and_leaves_the_ratings_out(study):
    screen(study, {"step": "environment", "on_failure": "mark", "tries": 2})
    rater = arrive(study)
    assert "quieter place" in text(answer(rater, "0"))
    assert answer(rater, "0").redirect_chain[-1][0].endswith("/trial/")
    exclusion = Exclusion.objects.get(session=rater.session)
    assert exclusion.rule == "screening_environment" and "2 tries" in exclusion.reason
    assert rater.session.plan is None  # somebody else gets it
    rater.finish()
    assert study.completion_code in text(rater.client.get(f"{rater.base}done/"))


@pytest.mark.parametrize(
    ("step", "state", "code", "sentence"),
    [
        ("huggins", Session.State.FAILED_CHECK, "failed_check_code", "two ears"),
        ("capability", Session.State.INCOMPATIBLE, "incompatible_device_code", "nobody's fault"),
        ("questions", Session.State.FAILED_CHECK, "screened_out_code", "not made for you"),
        ("comprehension", Session.State.FAILED_CHECK, "failed_check_code", "about the instructions"),
    ],
)
def test_failing_that_ends_says_why_and_gives_the_right_code(study, step, state, code, sentence):
    screen(study, {"step": step})
    rater = arrive(study)
    plan = rater.session.plan
    for _ in range(checks.get_step(step).tries):
        page = answer(rater, "nothing")
    assert rater.session.state == state
    assert sentence in text(page).replace("&#x27;", "'")
    assert getattr(study, code) in text(page)
    assert not plan.sessions.filter(state__in=Session.HOLDS_PLAN).exists()
    assert Event.objects.get(kind="failed_screening").data == {
        "step": step,
        "tries": checks.get_step(step).tries,
        "then": "ended",
    }


def test_the_instructions_are_shown_again_with_the_comprehension_check(study):
    screen(study, {"step": "comprehension"})
    rater = arrive(study)
    assert study.instructions.split(".")[0] in text(rater.client.get(f"{rater.base}check/"))
    assert "last try" in text(answer(rater, "German"))
    assert answer(rater).redirect_chain[-1][0].endswith("/trial/")


def test_a_try_is_graded_once_however_often_its_form_comes(study):
    screen(study, {"step": "tones", "tries": 3})
    rater = arrive(study)
    form = {**checks.right_form(rater.session), "item-1": "9"}
    for _ in range(3):
        rater.client.post(f"{rater.base}check/", form, follow=True)
    assert rater.session.state == Session.State.CHECK
    assert rater.session.screening_results.filter(passed=False).count() == 1


def test_every_try_asks_anew_and_its_sounds_are_served_while_it_is_open_alone(study):
    screen(study, {"step": "antiphase"})
    rater = arrive(study)
    first = checks.next_try(rater.session).result
    address = f"{rater.base}check/{first.public_id}/1.flac"
    response = rater.client.get(address)
    assert response.status_code == 200 and response.content[:4] == b"fLaC"
    assert "no-store" in response["Cache-Control"]
    assert response.content == rater.client.get(address).content
    assert rater.client.get(f"{rater.base}check/{first.public_id}/7.flac").status_code == 404
    answer(rater, "9")
    assert rater.client.get(address).status_code == 404
    second = checks.next_try(rater.session).result
    assert second.seed != first.seed and second.public_id != first.public_id


def test_a_session_hears_its_own_tries_alone(study):
    screen(study, {"step": "tones"})
    one, other = arrive(study), arrive(study)
    result = checks.next_try(one.session).result
    assert other.client.get(f"{other.base}check/{result.public_id}/1.flac").status_code == 404


def test_an_expired_step_is_done_again_and_then_never_ends_a_session_that_has_begun(study):
    screen(study, {"step": "huggins", "expires_minutes": 30, "tries": 1}, {"step": "tones"})
    rater = arrive(study)
    answer(rater)
    answer(rater)
    assert rater.session.state == Session.State.RATING
    age(rater, 29)
    assert rater.client.get(f"{rater.base}trial/").status_code == 200
    age(rater, 31)
    assert "hides a faint" in text(rater.client.get(f"{rater.base}trial/", follow=True))
    assert answer(rater, "nothing").redirect_chain[-1][0].endswith("/trial/")
    assert Exclusion.objects.get(session=rater.session).rule == "screening_huggins"


def test_answers_are_taken_while_a_step_waits_to_be_done_again(study):
    screen(study, {"step": "tones", "expires_minutes": 30})
    rater = arrive(study)
    answer(rater)
    rater.hear(1)
    age(rater, 31)
    rater.client.get(f"{rater.base}trial/")
    assert rater.session.state == Session.State.CHECK
    assert rater.rate(1).status_code == 201


def test_a_hearing_test_passed_in_another_study_counts_until_it_expires(study, corpus):
    from listening.services.stimuli import work
    from listening.services.studies import open_study, queue_stimuli

    screen(study, {"step": "hearing"})
    rater = arrive(study)
    answer(rater)
    other = create_study(corpus=corpus, slug="other", conditions=["original"], n_clips=2, votes_per_stratum=1)
    queue_stimuli(other)
    work()
    open_study(other)
    screen(other, {"step": "hearing"})
    again = Rater(other, participant_id=rater.participant_id)
    again.open_link()
    again.consent()
    assert again.client.get(f"{again.base}check/", follow=True).redirect_chain[-1][0].endswith("/trial/")
    screen(other, {"step": "hearing", "settings": {"snr_db": -9}})  # a harder test was not passed yet
    assert checks.is_due(again.session)
    age(rater, 31 * 24 * 60)
    screen(other, {"step": "hearing"})
    assert checks.is_due(again.session)


def test_a_preview_fails_without_end_and_leaves_no_exclusion(study, admin_client):
    screen(study, {"step": "questions"}, {"step": "huggins"})
    admin_client.get(f"/preview/{study.slug}/", follow=True)
    session = Session.objects.get(preview=True)
    base = f"/session/{session.token}/"
    admin_client.post(f"{base}consent/", {"consent": "on", "stratum": "male"})
    admin_client.get(f"{base}check/")
    for _ in range(4):
        admin_client.post(f"{base}check/", {"try": checks.right_form(session)["try"], "item-1": "German"})
    for _ in range(2):
        response = admin_client.post(f"{base}check/", {"try": checks.right_form(session)["try"], "skip": "1"}, follow=True)
    assert response.redirect_chain[-1][0].endswith("/trial/")
    assert not Exclusion.objects.exists()


def test_skipping_is_for_previews_alone(study):
    screen(study, {"step": "tones"})
    rater = arrive(study)
    rater.client.post(f"{rater.base}check/", {"try": checks.right_form(rater.session)["try"], "skip": "1"})
    assert rater.session.state == Session.State.CHECK
    assert not ScreeningResult.objects.filter(passed=True).exists()


@pytest.mark.parametrize(
    ("screening", "sentence"),
    [
        ([{"step": "telepathy"}], "no screening step 'telepathy'"),
        ([{"step": "tones"}, {"step": "tones"}], "twice"),
        ([{"step": "questions"}], "no questions"),
        (["tones"], "cannot be read"),
    ],
)
def test_a_screening_that_cannot_be_given_is_refused_in_a_sentence(draft, screening, sentence):
    draft.screening = screening
    with pytest.raises(ServiceError, match=sentence):
        check_study(draft)
