"""What becomes of a submission on the stand-in: time, codes, decisions, bonuses."""

from dataclasses import replace

import pytest

from listening.prolific import ProlificError
from listening.standin import Refused
from tests.unit.prolific.play import ask, people, status, take_part


def test_a_reservation_ends_after_ten_minutes_and_its_place_reopens(prolific, live):
    submission = prolific.reserve(live.id, people(prolific, "Male")[0])
    prolific.clock.advance(599)
    assert status(prolific, submission) == "RESERVED"
    prolific.clock.advance(1)
    assert status(prolific, submission) == "RETURNED"
    assert prolific.world.places_taken(live.id) == 0


def test_opening_again_resumes_the_same_submission(prolific, live):
    submission = prolific.reserve(live.id, people(prolific, "Male")[0])
    url = prolific.open_study(submission)
    prolific.clock.advance(300)
    assert prolific.reserve(live.id, submission.participant_id) is submission
    assert prolific.open_study(submission) == url
    assert submission.id in url
    assert "{{" not in url


def test_time_runs_out_at_the_maximum_and_a_code_comes_too_late(prolific, live):
    submission = prolific.reserve(live.id, people(prolific, "Male")[0])
    prolific.open_study(submission)
    maximum = live.raw["maximum_allowed_time"]
    assert maximum == 29
    prolific.clock.advance(60 * maximum)
    assert status(prolific, submission) == "TIMED-OUT"
    assert prolific.world.places_taken(live.id) == 0
    with pytest.raises(Refused, match="TIMED-OUT"):
        prolific.complete(submission, "DONE1234")
    with pytest.raises(Refused, match="already"):
        prolific.reserve(live.id, submission.participant_id)


@pytest.mark.parametrize(("code", "entered"), [("", "NOCODE"), ("WRONG", "WRONG"), ("DONE1234", "DONE1234")])
def test_a_wrong_or_missing_code_waits_for_review(prolific, client, live, code, entered):
    submission = client.submission(take_part(prolific, live.id, 0, code).id)
    assert (submission.status, submission.study_code) == ("AWAITING REVIEW", entered)


@pytest.mark.parametrize(("minutes", "expected"), [(4.9, "AWAITING REVIEW"), (5.1, "APPROVED")])
def test_who_took_less_than_half_the_estimate_is_not_approved_by_itself(prolific, live, minutes, expected):
    assert take_part(prolific, live.id, 0, "FAST1234", minutes).status == expected


def test_a_fixed_screen_out_pays_little_and_pauses_the_study_at_its_limit(prolific, client, live):
    first = take_part(prolific, live.id, 0, "SCREEN12")
    assert (first.status, first.paid_minor) == ("SCREENED OUT", 20)
    assert client.study(live.id).status == "ACTIVE"
    take_part(prolific, live.id, 1, "SCREEN12")
    assert client.study(live.id).status == "PAUSED"
    assert prolific.world.places_taken(live.id) == 0


def test_a_code_may_ask_for_the_submission_back_and_the_person_decides(prolific, client, live):
    submission = take_part(prolific, live.id, 0, "NOCONS12")
    assert client.submission(submission.id).return_requested is not None
    assert submission.status == "AWAITING REVIEW"
    prolific.give_back(submission)
    assert submission.status == "RETURNED"


def test_approval_before_the_participant_is_back_is_refused_and_works_later(prolific, client, live):
    submission = prolific.reserve(live.id, people(prolific, "Male")[0])
    prolific.open_study(submission)
    with pytest.raises(ProlificError, match="ACTIVE cannot be approved"):
        client.approve(submission.id)
    prolific.complete(submission, "DONE1234")
    assert client.approve(submission.id).status == "APPROVED"


def test_processing_is_shown_for_a_moment_when_told_to(prolific, client, live):
    prolific.world.processing_s = 20
    submission = take_part(prolific, live.id, 0)
    assert client.submission(submission.id).status == "PROCESSING"
    prolific.clock.advance(20)
    assert client.submission(submission.id).status == "AWAITING REVIEW"


def test_after_three_weeks_a_submission_is_approved_by_itself(prolific, live):
    submission = take_part(prolific, live.id, 0)
    prolific.clock.advance(21 * 86400 - 1)
    assert submission.status == "AWAITING REVIEW"
    prolific.clock.advance(1)
    assert submission.status == "APPROVED"


def test_a_rejection_is_final(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    client.reject(submission.id, "LOW_EFFORT", "x" * 100)
    client.reject(submission.id, "LOW_EFFORT", "x" * 100)
    with pytest.raises(ProlificError, match="REJECTED cannot be approved"):
        client.approve(submission.id)
    answer = ask(prolific, "POST", f"submissions/{submission.id}/transition/", json={"action": "REJECT", "message": "short"})
    assert answer.status_code == 400


def fill(prolific, study_id: str) -> list:
    return [take_part(prolific, study_id, number, minutes=1) for number in range(6)]


def test_a_full_study_waits_for_review_and_reopens_as_prolific_reopens_it(prolific, client, live):
    done = fill(prolific, live.id)
    assert client.study(live.id).status == "AWAITING REVIEW"
    with pytest.raises(ProlificError, match="All places are taken"):
        client.transition_study(live.id, "START")
    client.reject(done[0].id, "LOW_EFFORT", "x" * 100)
    assert client.study(live.id).status == "AWAITING REVIEW"
    assert client.transition_study(live.id, "START").status == "ACTIVE"
    assert take_part(prolific, live.id, 6, minutes=1)
    assert client.study(live.id).status == "AWAITING REVIEW"
    assert client.update_study(live.id, total_available_places=8).status == "ACTIVE"


def test_a_place_left_unfinished_reopens_by_itself(prolific, client, live):
    for number in range(5):
        take_part(prolific, live.id, number, minutes=1)
    last = prolific.reserve(live.id, list(prolific.world.people)[5])
    assert client.study(live.id).status == "AWAITING REVIEW"
    prolific.give_back(last)
    assert client.study(live.id).status == "ACTIVE"


def test_bulk_approval_happens_later(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    client.bulk_approve([submission.id])
    assert submission.status == "AWAITING REVIEW"
    prolific.clock.advance(5)
    assert submission.status == "APPROVED"


def test_a_bonus_paid_twice_is_paid_twice(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    batch = client.set_up_bonus(live.id, {submission.participant_id: 30})
    before = prolific.world.balance
    client.pay_bonus(batch.id)
    client.pay_bonus(batch.id)
    prolific.clock.advance(60)
    assert prolific.bonus_received(submission.participant_id) == 60
    assert prolific.world.balance == before - 2 * batch.total_minor
    assert client.study_cost(live.id).bonuses_minor == 60


def test_bonuses_for_strangers_are_refused_by_name(client, live):
    with pytest.raises(ProlificError, match="f" * 24):
        client.set_up_bonus(live.id, {"f" * 24: 30})


def test_demographics_are_exported_in_two_combinations_and_no_more(prolific, client, live):
    take_part(prolific, live.id, 0)
    path = f"studies/{live.id}/demographic-export/"
    answers = [
        ask(prolific, "POST", path, json={"filters": [{"filter_id": name}]}) for name in ("sex", "age", "sex", "approval_rate")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 400]
    assert answers[0].text.splitlines()[0].endswith("sex")


def test_only_so_many_take_part_at_a_time(prolific, client, remote_draft):
    study = client.create_study(replace(remote_draft, max_concurrent=2))
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    first, second, third = list(prolific.world.people)[:3]
    prolific.reserve(study.id, first)
    held = prolific.reserve(study.id, second)
    with pytest.raises(Refused, match="Too many"):
        prolific.reserve(study.id, third)
    prolific.give_back(held)
    assert prolific.reserve(study.id, third)


def test_a_code_may_put_its_participant_into_a_group_that_another_study_asks_for(prolific, client, remote_draft):
    group = client.create_participant_group(prolific.world.workspace_id, "heard well")
    actions = [{"action": "MANUALLY_REVIEW"}, {"action": "ADD_TO_PARTICIPANT_GROUP", "participant_group": group.id}]
    codes = [{"code": "WELL1234", "code_type": "COMPLETED", "actions": actions}]
    first = client.create_study(replace(remote_draft, completion_codes=codes))
    wanted = {"filter_id": "participant_group_allowlist", "selected_values": [group.id]}
    second = client.create_study(replace(remote_draft, filters=[wanted]))
    for study in (first, second):
        client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    person = take_part(prolific, first.id, 0, "WELL1234").participant_id
    assert client.group_members(group.id) == [person]
    assert prolific.reserve(second.id, person)
    with pytest.raises(Refused, match="not eligible"):
        prolific.reserve(second.id, list(prolific.world.people)[1])


def test_slots_of_a_screen_out_are_raised_and_the_study_started_again(prolific, client, live):
    for number in range(2):
        take_part(prolific, live.id, number, "SCREEN12")
    assert client.study(live.id).status == "PAUSED"
    codes = [dict(code) for code in live.raw["completion_codes"]]
    codes[-1] = {**codes[-1], "actions": [{**codes[-1]["actions"][0], "slots": 3}]}
    client.update_study(live.id, completion_codes=codes)
    assert client.transition_study(live.id, "START").status == "ACTIVE"
    take_part(prolific, live.id, 2, "SCREEN12")
    assert client.study(live.id).status == "PAUSED"


def test_a_stopped_study_takes_nobody_and_more_places_open_it_again(prolific, client, live):
    begun = prolific.reserve(live.id, next(iter(prolific.world.people)))
    prolific.open_study(begun)
    prolific.stop(live.id)
    with pytest.raises(Refused, match="COMPLETED"):
        prolific.reserve(live.id, list(prolific.world.people)[1])
    prolific.complete(begun, "DONE1234")
    assert client.approve(begun.id).status == "APPROVED"
    assert client.update_study(live.id, total_available_places=7).status == "ACTIVE"
