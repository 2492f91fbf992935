"""The client over real HTTP: what is repeated and what never is, lists to their end, uncertainty, and no token anywhere."""

import json
import logging
import socket
import traceback
from contextlib import closing

import pytest
import requests

from listening.prolific import ProlificClient, ProlificError, ProlificUncertain, Submission
from listening.prolific.client import REJECTION_CATEGORIES
from listening.prolific.transport import Transport, part
from listening.standin import Submission as Record
from tests.unit.prolific.play import take_part

ID = "60d9aadeb86739de712faee0"


def calls(prolific, method: str, ending: str) -> int:
    return sum(entry["method"] == method and entry["path"].endswith(ending) for entry in prolific.log)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_is_repeated_until_it_is_answered(prolific, client, pauses, status):
    prolific.inject(status=status, times=3)
    assert client.me().id == prolific.world.user_id
    assert calls(prolific, "GET", "users/me/") == 4
    assert len(pauses) == 3


def test_attempts_come_to_an_end_with_a_sentence(prolific, client, pauses):
    prolific.inject(status=503, times=100)
    with pytest.raises(ProlificError, match=r"GET users/me/ with 503: Injected fault\.") as caught:
        client.me()
    assert caught.value.status == 503
    assert caught.value.retriable
    assert len(pauses) == 4


def test_pauses_grow_and_the_server_may_name_one(prolific, client, pauses):
    prolific.inject(status=503, times=4)
    client.me()
    assert all(0 <= pause <= 0.5 * 2**attempt for attempt, pause in enumerate(pauses, start=1))
    pauses.clear()
    prolific.inject(status=429, retry_after=7)
    client.me()
    assert pauses == [7.0]


def test_what_is_refused_for_good_is_not_repeated(prolific, client, pauses):
    with pytest.raises(ProlificError, match="Study not found") as caught:
        client.study(ID)
    assert (caught.value.status, caught.value.code, caught.value.retriable) == (404, "140404", False)
    assert pauses == []


def test_approval_is_repeated_because_a_second_one_does_nothing(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    prolific.inject(path="transition", cut="after")
    assert client.approve(submission.id).status == "APPROVED"
    assert calls(prolific, "POST", "transition/") == 3  # publishing, and approving twice
    assert prolific.world.balance == 1_000_000 - 210


def bonus_batch(prolific, client, study_id: str):
    submission = take_part(prolific, study_id, 0)
    client.approve(submission.id)
    return submission, client.set_up_bonus(study_id, {submission.participant_id: 30})


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_bonus_payment_is_sent_once_whatever_the_answer(prolific, client, live, pauses, status):
    _, batch = bonus_batch(prolific, client, live.id)
    prolific.inject(path="/pay/", status=status)
    with pytest.raises(ProlificError) as caught:
        client.pay_bonus(batch.id)
    assert calls(prolific, "POST", "/pay/") == 1
    assert pauses == []
    assert isinstance(caught.value, ProlificUncertain) == (status >= 500)


@pytest.mark.parametrize(("cut", "paid"), [("before", 0), ("after", 30)])
def test_a_bonus_payment_without_an_answer_is_uncertain_and_both_happen(prolific, client, live, cut, paid):
    submission, batch = bonus_batch(prolific, client, live.id)
    prolific.inject(path="/pay/", cut=cut)
    with pytest.raises(ProlificUncertain, match="may have been carried out"):
        client.pay_bonus(batch.id)
    prolific.clock.advance(60)
    assert calls(prolific, "POST", "/pay/") == 1
    assert prolific.bonus_received(submission.participant_id) == paid
    assert sum(client.submission(submission.id).bonuses_minor) == paid


def test_a_bonus_payment_that_times_out_is_uncertain(prolific, live, client):
    _, batch = bonus_batch(prolific, client, live.id)
    hasty = ProlificClient(prolific.url, prolific.token, timeout_s=0.2, sleep=lambda _: pytest.fail("it was repeated"))
    prolific.inject(path="/pay/", latency_s=0.6)
    with pytest.raises(ProlificUncertain, match="ReadTimeout"):
        hasty.pay_bonus(batch.id)


def test_where_nobody_listens_nothing_is_uncertain():
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    client = ProlificClient(f"http://127.0.0.1:{port}", "t", attempts=2, sleep=lambda _: None)
    with pytest.raises(ProlificError, match="could not be reached") as caught:
        client.pay_bonus(ID)
    assert not isinstance(caught.value, ProlificUncertain)
    assert caught.value.retriable


@pytest.mark.parametrize("call", ["create_study", "clone_study", "set_up_bonus", "send_message", "request_return"])
def test_what_would_happen_twice_is_sent_once(prolific, client, live, remote_draft, pauses, call):
    submission = take_part(prolific, live.id, 0)
    arguments = {
        "create_study": (remote_draft,),
        "clone_study": (live.id,),
        "set_up_bonus": (live.id, {submission.participant_id: 5}),
        "send_message": (submission.participant_id, "Hello", live.id),
        "request_return": (submission.id, "Please return it."),
    }
    prolific.inject(cut="after")
    before = len(prolific.log)
    with pytest.raises(ProlificUncertain):
        getattr(client, call)(*arguments[call])
    assert len(prolific.log) == before + 1
    assert pauses == []


def test_a_refusal_after_an_unanswered_attempt_is_uncertain(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    prolific.inject(path="transition", status=502)
    client.approve(submission.id)
    prolific.inject(path="transition", cut="before")
    with pytest.raises(ProlificUncertain, match="APPROVED cannot be rejected"):
        client.reject(submission.id, "LOW_EFFORT", "x" * 100)


def test_a_deletion_that_was_done_but_not_answered_is_done(prolific, client, remote_draft):
    study = client.create_study(remote_draft)
    prolific.inject(method="DELETE", cut="after")
    client.delete_study(study.id)
    assert prolific.world.studies == {}


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 205])
def test_lists_are_read_to_their_end(prolific, client, remote_draft, count):
    study = client.create_study(remote_draft)
    prolific.world.rng.seed(1)
    prolific.add_people(count)
    fresh = list(prolific.world.people)[60:]
    held = prolific.world
    for person in fresh:
        made = Record(held.new_id(), study.id, person, held.now(), (), status="AWAITING REVIEW")
        held.submissions[made.id] = made
    assert [each.id for each in client.submissions(study.id)] == sorted(held.submissions)
    assert client.submission_counts(study.id)["TOTAL"] == count


class Scripted:
    """Answers in place of a server."""

    def __init__(self, *answers) -> None:
        self.answers = list(answers)
        self.asked: list = []

    def request(self, method, url, **how):
        self.asked.append((url, how["params"]))
        body = self.answers.pop(0)
        response = requests.Response()
        response.status_code = body if isinstance(body, int) else 200
        response._content = b"{}" if isinstance(body, int) else json.dumps(body).encode()
        return response


def pages_of(*answers, counted: bool = True) -> tuple[list[str], Scripted]:
    transport = Transport("https://prolific.example", "t", 1, 1, lambda _: None)
    script = Scripted(*answers)
    transport._http = script  # type: ignore[assignment]
    return [item["id"] for item in transport.pages("submissions/", {"study": ID}, counted=counted)], script


def linked(ids: str, following: str | None) -> dict:
    return {"results": [{"id": each} for each in ids], "_links": {"next": {"href": following}}}


def test_a_list_without_links_ends_with_404_past_the_end_or_an_empty_page():
    one = {"results": [{"id": "a"}]}
    assert pages_of(one, {"results": [{"id": "b"}]}, 404)[0] == ["a", "b"]
    assert pages_of(one, {"results": []})[0] == ["a"]
    assert pages_of(one, counted=False)[0] == ["a"]


def test_an_item_that_slid_to_the_next_page_comes_once():
    assert pages_of(linked("abc", "https://x/?page=2"), linked("cd", None))[0] == list("abcd")


def test_a_list_that_repeats_itself_is_an_error_and_no_endless_loop():
    with pytest.raises(ProlificError, match="repeats a page"):
        pages_of(linked("ab", "https://x/?page=2"), linked("ab", "https://x/?page=2"))


def test_404_on_the_first_page_is_no_empty_list():
    with pytest.raises(ProlificError):
        pages_of(404)


def test_the_token_goes_to_no_host_that_a_link_names():
    _, script = pages_of(linked("a", "https://elsewhere.example/api/v1/other/?page=2&study=s"), linked("b", None))
    assert {url for url, _ in script.asked} == {"https://prolific.example/api/v1/submissions/"}
    assert script.asked[1][1] == {"page": "2", "study": "s"}


def test_statuses_that_nobody_knows_survive():
    item = {"id": "s", "status": "PROCESSING", "participant_id": "p", "surprise": {"a": 1}}
    submission = Submission.from_json(item, "study")
    assert (submission.status, submission.raw["surprise"], submission.started_at) == ("PROCESSING", {"a": 1}, None)


def test_the_list_and_the_detail_of_a_submission_read_alike(prolific, client, live):
    take_part(prolific, live.id, 0)
    (listed,) = client.submissions(live.id)
    alone = client.submission(listed.id)
    for name in ("id", "participant_id", "study_id", "status", "started_at", "completed_at", "study_code", "time_taken_s"):
        assert getattr(listed, name) == getattr(alone, name), name
    assert listed.study_code == "DONE1234"
    assert listed.time_taken_s == 600
    assert alone.raw["entered_code"] == listed.raw["study_code"]
    assert not {"participant_id", "study_code", "time_taken"} & alone.raw.keys()
    assert not {"participant", "study_id", "entered_code"} & listed.raw.keys()


def test_a_list_of_submissions_always_names_its_study(prolific, client):
    with pytest.raises(ValueError, match="not an id"):
        client.submissions("")
    assert (
        requests.get(f"{prolific.url}/api/v1/submissions/", headers={"Authorization": f"Token {prolific.token}"}).status_code
        == 400
    )


@pytest.mark.parametrize("text", ["", "a/b", "../x", "a?b", "a b"])
def test_an_id_cannot_lead_to_another_path(text):
    with pytest.raises(ValueError, match="not an id"):
        part(text)


def test_rejections_that_prolific_would_not_take_are_not_sent(prolific, client):
    with pytest.raises(ValueError, match="category"):
        client.reject(ID, "BORING", "x" * 100)
    with pytest.raises(ValueError, match="100 characters"):
        client.reject(ID, REJECTION_CATEGORIES[0], "x" * 99)
    assert prolific.log == []


@pytest.mark.parametrize("amounts", [{}, {ID: 0}, {ID: -5}, {ID: 1.5}, {f"{n:024x}": 1 for n in range(201)}])
def test_bonuses_that_make_no_sense_are_not_sent(prolific, client, amounts):
    with pytest.raises(ValueError, match="bonus"):
        client.set_up_bonus(ID, amounts)
    assert prolific.log == []


def test_bonuses_go_out_in_pounds_and_come_back_in_pence(prolific, client, live):
    submission = take_part(prolific, live.id, 0)
    batch = client.set_up_bonus(live.id, {submission.participant_id: 1205})
    assert prolific.log[-1]["body"]["csv_bonuses"] == f"{submission.participant_id},12.05"
    assert (batch.amount_minor, batch.fees_minor, batch.total_minor) == (1205, 402, 1205 + 402 + 80)
    assert batch.study_id == live.id


def test_the_token_is_in_no_message_representation_log_or_traceback(prolific, caplog):
    secret = "swordfish-" + "0123456789"
    caplog.set_level(logging.DEBUG)
    client = ProlificClient(prolific.url, secret, attempts=1, timeout_s=0.2, sleep=lambda _: None)
    failures = []
    for fault in ({}, {"status": 500}, {"cut": "before"}, {"latency_s": 0.5}):
        if fault:
            prolific.inject(**fault)
        with pytest.raises(ProlificError) as caught:
            client.me()
        error, frames = caught.value, caught.tb.tb_next  # this test's own frame knows the secret
        shown = traceback.TracebackException(type(error), error, frames, capture_locals=True)
        failures += ["".join(shown.format()), repr(error), repr(error.__context__), repr(error.__cause__)]
    failures += [repr(client), repr(vars(client)), repr(vars(client._api)), caplog.text]
    assert len(caplog.text) > 0
    assert [text for text in failures if secret in text] == []


def test_a_redirect_is_not_followed_with_the_token(client, prolific):
    prolific.inject(status=302)
    with pytest.raises(ProlificError, match="302"):
        client.me()


def test_without_a_token_there_is_no_client():
    with pytest.raises(ValueError, match="PROLIFIC_TOKEN"):
        ProlificClient("https://api.prolific.com", "")


@pytest.mark.parametrize("base", ["http://host", "http://host/", "http://host/api/v1", "http://host/api/v1/"])
def test_the_base_address_may_be_written_in_four_ways(base):
    assert repr(ProlificClient(base, "t")) == "ProlificClient(<Prolific at http://host/api/v1/>)"
