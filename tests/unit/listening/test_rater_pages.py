"""From the link to the completion code, and every way a link can be wrong."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from listening.models import Participant, Rating, Session
from listening.services.checks import right_form
from listening.services.sessions import expire_sessions
from listening.services.studies import close_study
from tests.unit.listening.raters import Rater


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_a_rater_goes_from_the_link_to_the_completion_code(study):
    rater = Rater(study)
    assert rater.open_link().redirect_chain[-1][0].endswith("/consent/")
    assert rater.consent().redirect_chain[-1][0].endswith("/check/")
    assert rater.check().redirect_chain[-1][0].endswith("/trial/")
    rater.finish()
    page = rater.client.get(f"{rater.base}done/")
    assert study.completion_code in text(page)
    assert f"cc={study.completion_code}" in page.content.decode()
    assert rater.session.state == Session.State.COMPLETED
    assert Rating.objects.count() == 3 * 3


def test_the_completion_code_is_nowhere_before_the_last_answer(study):
    rater = Rater(study).arrive()
    for step in ("", "consent/", "check/", "trial/", "done/"):
        assert study.completion_code not in rater.client.get(rater.base + step, follow=True).content.decode()


def test_the_address_after_the_link_carries_no_prolific_id(study):
    rater = Rater(study)
    response = rater.open_link()
    assert rater.participant_id not in response.redirect_chain[-1][0]
    assert rater.participant_id not in response.content.decode()
    assert response["Referrer-Policy"] == "no-referrer"


def test_the_trial_page_tells_neither_clip_nor_condition(study):
    page = Rater(study).arrive().client.get(Session.objects.get().token and f"/session/{Session.objects.get().token}/trial/")
    content = page.content.decode().lower()
    for stimulus in study.study_stimuli.select_related("stimulus__source_clip"):
        assert stimulus.stimulus.source_clip.clip_id.lower() not in content
        assert stimulus.stimulus.key not in content
    for word in ("opus", "mp3", "kbps", "original"):
        assert word not in content


@pytest.mark.parametrize("name", ["PROLIFIC_PID", "STUDY_ID", "SESSION_ID"])
@pytest.mark.parametrize("value", ["", "not-an-id", "12345", "<script>alert(1)</script>", "{{%PROLIFIC_PID%}}"])
def test_a_link_without_a_proper_id_is_refused_in_a_sentence(study, name, value):
    response = Rater(study).open_link(**{name: value})
    assert response.status_code == 400
    assert name in text(response)
    assert "<script>alert" not in response.content.decode()
    assert Participant.objects.count() == 0


def test_the_preview_of_prolific_is_told_that_the_link_works_and_nobody_is_counted(study):
    response = Rater(study).open_link(SESSION_ID="035orbpf1pk3")
    assert response.status_code == 200
    assert "preview" in text(response)
    assert Participant.objects.count() == 0


def test_a_link_to_no_study_says_so(db, client):
    response = client.get("/s/nothing/?PROLIFIC_PID=a")
    assert response.status_code == 404
    assert "do not know" in text(response)


def test_a_made_up_token_finds_nothing(study, client):
    token = Rater(study).arrive().session.token
    assert client.get(f"/session/{token[:-1]}x/").status_code == 404
    assert client.get(f"/session/{token.split(':')[0]}/").status_code == 404


def test_a_draft_and_a_closed_study_let_nobody_in(draft, study):
    close_study(study)
    response = Rater(study).open_link()
    assert response.status_code == 403
    assert "closed" in text(response)
    study.status = study.Status.DRAFT
    study.save()
    assert "not open yet" in text(Rater(study).open_link())


def test_somebody_who_began_before_the_study_closed_may_finish(study):
    rater = Rater(study).arrive()
    close_study(study)
    rater.finish()
    assert rater.session.state == Session.State.COMPLETED
    assert study.completion_code in text(rater.client.get(f"{rater.base}done/"))


def test_opening_the_link_again_resumes_at_the_right_trial(study):
    rater = Rater(study).arrive()
    rater.hear(1)
    rater.rate(1)
    again = Rater(study, participant_id=rater.participant_id, submission_id=rater.submission_id)
    assert again.open_link().redirect_chain[-1][0].endswith("/trial/")
    assert again.state()["next_position"] == 2
    assert Session.objects.count() == 1


def test_a_new_submission_of_a_finished_participant_is_refused_without_a_code(study):
    rater = Rater(study).arrive().finish()
    response = Rater(study, participant_id=rater.participant_id).open_link()
    assert response.status_code == 403
    assert "taken part already" in text(response)
    assert study.completion_code not in response.content.decode()


def test_a_new_submission_of_an_unfinished_participant_goes_on(study):
    rater = Rater(study).arrive()
    later = Rater(study, participant_id=rater.participant_id)
    assert later.open_link().redirect_chain[-1][0].endswith("/trial/")
    assert later.session.prolific_session_id == later.submission_id
    assert study.events.filter(kind="new_submission").exists()


def test_an_empty_form_is_told_what_it_lacks(study):
    rater = Rater(study)
    rater.open_link()
    assert "tick the box" in text(rater.client.post(f"{rater.base}consent/", {}))
    rater.consent()
    rater.client.get(f"{rater.base}check/")
    empty = {"try": right_form(rater.session)["try"]}
    assert "answer every question" in text(rater.client.post(f"{rater.base}check/", empty))


def test_pages_of_raters_may_load_nothing_from_elsewhere(study):
    for response in (Rater(study).open_link(), Rater(study).open_link(SESSION_ID="")):
        assert "default-src 'none'" in response["Content-Security-Policy"]


def test_without_consent_there_is_no_session_to_rate_in(study):
    rater = Rater(study)
    rater.open_link()
    response = rater.client.post(f"{rater.base}consent/", {"stratum": "female"})
    assert "tick the box" in text(response)
    assert rater.session.plan is None
    response = rater.client.post(f"{rater.base}consent/", {"decline": "1"}, follow=True)
    assert study.no_consent_code in text(response)
    assert rater.session.state == Session.State.DECLINED


def wrong_tones(session: Session) -> dict[str, str]:
    """The sound check's form with a number of tones that is never played."""
    return {**right_form(session), "item-1": "9"}


def test_a_wrong_sound_check_may_be_tried_once_more_and_then_ends_the_session(study):
    rater = Rater(study)
    rater.open_link()
    rater.consent()
    rater.client.get(f"{rater.base}check/")
    first = rater.client.post(f"{rater.base}check/", wrong_tones(rater.session), follow=True)
    assert "not the number of tones" in text(first)
    second = rater.client.post(f"{rater.base}check/", wrong_tones(rater.session), follow=True)
    assert study.failed_check_code in text(second)
    assert "volume is too low" in text(second)
    assert rater.session.state == Session.State.FAILED_CHECK


def test_a_stratum_without_a_free_plan_is_screened_out_with_its_code(study):
    places = study.plans.filter(stratum="male").count()
    for _ in range(places):
        Rater(study).arrive("male")
    late = Rater(study)
    late.open_link()
    assert study.screened_out_code in text(late.consent("male"))
    assert Rater(study).arrive("female").session.state == Session.State.RATING


def test_a_silent_rater_frees_the_plan_and_comes_back_while_it_is_free(study):
    rater = Rater(study).arrive()
    Session.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert expire_sessions(study) == 1
    assert rater.open_link().redirect_chain[-1][0].endswith("/trial/")
    assert rater.session.state == Session.State.RATING


def test_a_place_that_went_to_somebody_else_is_not_given_back_but_late_answers_are_kept(study):
    rater = Rater(study).arrive("male")
    rater.hear(1)
    plan = rater.session.plan
    Session.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    others = [Rater(study).arrive("male") for _ in range(study.plans.filter(stratum="male").count())]
    assert plan in [other.session.plan for other in others]
    response = rater.open_link()
    assert response.status_code == 403
    assert "given to somebody else" in text(response)
    assert rater.rate(1).status_code == 201
    assert Rating.objects.filter(trial__session=rater.session).count() == 3


def test_a_preview_shows_the_real_pages_and_stores_no_rating(study, admin_client):
    response = admin_client.get(f"/preview/{study.slug}/", follow=True)
    assert "nothing" in text(response).lower()
    session = Session.objects.get(preview=True)
    base = f"/session/{session.token}/"
    admin_client.post(f"{base}consent/", {"consent": "on", "stratum": "male"})
    admin_client.get(f"{base}check/")
    admin_client.post(f"{base}check/", wrong_tones(session))
    admin_client.post(f"{base}check/", wrong_tones(session))
    assert "Skip this step" in text(admin_client.get(f"{base}check/"))
    admin_client.post(f"{base}check/", {"try": right_form(session)["try"], "skip": "1"})
    body = {
        "idempotency_key": "0" * 8 + "-0000-4000-8000-" + "0" * 12,
        "answers": {"emotion": ["anger"], "ovrl": 1, "sig": 1},
        "listening": {"plays": 1, "heard_share": 1},
    }
    for position in range(1, session.trials.count() + 1):
        answer = admin_client.post(
            f"/api/v1/sessions/{session.token}/trials/{position}/ratings/", body, content_type="application/json"
        )
        assert answer.status_code == 201
    assert study.completion_code in text(admin_client.get(f"{base}done/"))
    assert Rating.objects.count() == 0
    assert study.plans.filter(sessions__isnull=False).count() == 0


def test_a_preview_needs_a_researcher(study, client):
    assert client.get(f"/preview/{study.slug}/").status_code == 302
    assert not Session.objects.filter(preview=True).exists()


def test_who_hears_nothing_leaves_with_a_code_of_their_own_and_frees_the_plan(study):
    rater = Rater(study)
    rater.open_link()
    rater.consent()
    page = rater.client.post(f"{rater.base}check/", {"silent": "1"}, follow=True)
    assert study.incompatible_device_code in page.content.decode()
    assert rater.session.state == "incompatible"
    assert study.plans.exclude(sessions__state__in=["consent", "check", "rating", "completed"]).count() == 8
