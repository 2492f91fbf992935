"""The test ends when each stimulus has its usable votes, whatever became of the sessions in between."""

from collections import Counter
from types import SimpleNamespace
from uuid import uuid4

import pytest

from listening.frames import ratings_frame
from listening.models import Event, Session, Trial
from listening.services.balance import free_plans, is_full, missing_votes, usable_votes
from listening.services.screening import exclude_session
from tests.unit.listening.raters import HEARD, Rater


def skip(rater: Rater, position: int, reason: str = "damaged"):
    body = {"idempotency_key": str(uuid4()), "reason": reason, "listening": {"plays": 0, "heard_share": 0}}
    return rater.client.post(
        f"/api/v1/sessions/{rater.session.token}/trials/{position}/skip/", body, content_type="application/json"
    )


def take_every_place(study) -> list[Rater]:
    raters = []
    for stratum in study.strata:
        while free_plans(study).filter(stratum=stratum).exists():
            raters.append(Rater(study).arrive(stratum).finish())
    return raters


def votes_in_frame(study) -> set[int]:
    ratings = ratings_frame(study)
    return set(ratings[ratings["excluded"] == ""].groupby(["stratum", "stimulus_id", "scale"]).size())


def test_a_skipped_clip_is_asked_of_somebody_else_once_the_stratum_is_through(study):
    rater = Rater(study).arrive()
    rater.hear(1)
    assert skip(rater, 1).status_code == 201
    assert skip(rater, 1).json()["next_position"] == 2
    for position in (2, 3):
        rater.hear(position)
        rater.rate(position)
    assert study.completion_code in rater.client.get(f"{rater.base}done/").content.decode()
    assert missing_votes(study).total() == 1
    assert not study.plans.filter(make_up=True).exists()

    take_every_place(study)
    make_up = study.plans.get(make_up=True)
    assert [t.stimulus_id for t in make_up.trials.all()] == [Trial.objects.exclude(skipped="").get().stimulus_id]
    assert make_up.sessions.get().state == Session.State.COMPLETED
    assert is_full(study) and missing_votes(study).total() == 0
    assert set(usable_votes(study).values()) == {1} == votes_in_frame(study)
    assert Event.objects.filter(kind="make_up_plans").count() == 1


def test_votes_left_open_for_one_clip_are_asked_in_sessions_of_their_own(study):
    """Nobody hears a source clip twice, in a make-up session neither."""
    plans = study.plans.filter(stratum="female").order_by("number")
    wanted = plans[0].trials.first().stimulus.source_clip_id
    for _ in range(plans.count()):
        rater = Rater(study).arrive()
        for trial in rater.session.trials.select_related("stimulus"):
            if trial.stimulus.source_clip_id == wanted:
                skip(rater, trial.position)
            else:
                rater.hear(trial.position)
                rater.rate(trial.position)
    sessions = study.plans.filter(make_up=True)
    assert [plan.trials.count() for plan in sessions] == [1, 1, 1]
    take_every_place(study)
    assert votes_in_frame(study) == {1}


def test_an_answer_that_comes_after_all_replaces_the_note_that_the_clip_was_skipped(study):
    rater = Rater(study).arrive()
    skip(rater, 1)
    rater.hear(1)
    assert rater.rate(1).status_code == 201
    assert Trial.objects.get(session=rater.session, position=1).skipped == ""
    assert skip(rater, 1).status_code == 200
    assert Trial.objects.get(session=rater.session, position=1).skipped == ""


def test_a_session_that_can_hear_next_to_nothing_is_not_completed(study):
    rater = Rater(study).arrive()
    assert skip(rater, 1, "network").status_code == 201
    refused = skip(rater, 2, "network")
    assert refused.status_code == 403
    assert "your answers are kept" in refused.json()["detail"]
    assert skip(rater, 2, "bored").status_code == 400
    assert rater.session.state == Session.State.RATING


def test_a_full_study_sends_people_away_before_they_read_and_asks_again_when_a_session_is_excluded(study):
    raters = take_every_place(study)
    assert is_full(study)
    late = Rater(study)
    page = late.open_link()
    assert late.session.state == Session.State.SCREENED_OUT
    assert study.screened_out_code in page.content.decode()

    exclude_session(raters[0].session, "gold", "0 of 2 right")
    assert not is_full(study)
    Rater(study).arrive(raters[0].session.stratum).finish()
    assert is_full(study)
    assert votes_in_frame(study) == {1}


def test_a_submission_returned_while_the_last_answer_arrives_stays_returned(study):
    from listening.services.ratings import complete_if_whole
    from listening.services.submissions import release

    rater = Rater(study).arrive()
    for position in (1, 2, 3):
        rater.hear(position)
        rater.rate(position)
    Session.objects.filter(pk=rater.session.pk).update(state=Session.State.RATING)
    read_before = rater.session
    release(rater.session)
    complete_if_whole(read_before)
    assert rater.session.state == Session.State.RELEASED


class TestClipAddresses:
    def test_an_address_ends_and_the_sessions_state_has_the_next(self, study, monkeypatch):
        from listening.models import session as module

        rater = Rater(study).arrive()
        address = rater.state()["trials"][0]["audio_url"]
        assert rater.state()["trials"][0]["audio_url"] == address
        assert rater.session.token not in address and "opus" not in address
        response = rater.client.get(address)
        assert response.getvalue()
        assert response.status_code == 200
        assert 6 * 3600 <= int(response["Cache-Control"].split("max-age=")[1].split(",")[0]) <= 12 * 3600

        later = module.time.time() + 13 * 3600
        monkeypatch.setattr(module, "time", SimpleNamespace(time=lambda: later))
        assert rater.client.get(address).status_code == 410
        assert rater.hear(1)

    def test_an_address_cannot_be_made_up_or_lengthened(self, study):
        address = Rater(study).arrive().state()["trials"][0]["audio_url"]
        public_id, _, rest = address.removeprefix("/audio/").partition(".")
        forged = f"/audio/{public_id}.{int(rest.split(':')[0]) + 86_400}:{rest.split(':')[1]}"
        assert Rater(study).client.get(forged).status_code == 404

    def test_addresses_of_one_stimulus_have_nothing_in_common(self, study):
        Rater(study).arrive()
        Rater(study).arrive()
        tickets = Counter(t.ticket.partition(".")[0] for t in Trial.objects.all())
        assert tickets and set(tickets.values()) == {1}


@pytest.mark.parametrize("extra", [{"hidden_count": 2, "unfocused_ms": 900, "unfocused_count": 1, "device_changes": 3}])
def test_what_the_page_noticed_is_stored_with_the_trial(study, extra):
    rater = Rater(study).arrive()
    rater.hear(1)
    assert rater.rate(1, listening=HEARD | extra).status_code == 201
    assert extra.items() <= Trial.objects.get(session=rater.session, position=1).listening.items()
