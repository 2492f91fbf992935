"""The stand-in behaves as the facts about Prolific say, also where that is inconvenient."""

import time
from dataclasses import replace

import pytest
import requests

from listening.prolific import ProlificClient, ProlificError
from listening.prolific.types import select_range
from listening.standin import Refused, StandIn
from listening.standin.clock import Clock
from listening.standin.vocabulary import cell_sizes
from tests.unit.prolific.play import ask, people, take_part

PLACE = 150 + 50 + 10  # reward, a third of it as fee, a fifth of that as VAT


# access


@pytest.mark.parametrize("header", [{}, {"Authorization": "Token wrong"}, {"Authorization": "Bearer x"}])
def test_without_the_token_nothing_is_told(prolific, header):
    answer = requests.get(f"{prolific.url}/api/v1/users/me/", headers=header)
    assert answer.status_code == 401
    assert "email" not in answer.text


def test_both_forms_of_a_path_are_known_and_other_methods_are_not(prolific):
    assert ask(prolific, "GET", "users/me").status_code == ask(prolific, "GET", "users/me/").status_code == 200
    assert ask(prolific, "DELETE", "users/me/").status_code == 405
    assert ask(prolific, "GET", "nothing/").status_code == 404
    assert ask(prolific, "POST", "studies/", data=b"{").status_code == 400


def test_lists_come_in_pages_of_twenty_and_404_past_the_end(prolific, client, live, remote_draft):
    study = client.create_study(replace(remote_draft, places=50))
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    for number in range(45):
        take_part(prolific, study.id, number, minutes=0)
    pages = [ask(prolific, "GET", f"submissions/?study={study.id}&page={number}") for number in (1, 2, 3, 4)]
    assert [page.status_code for page in pages] == [200, 200, 200, 404]
    assert [len(page.json()["results"]) for page in pages[:3]] == [20, 20, 5]
    assert [bool(page.json()["_links"]["next"]["href"]) for page in pages[:3]] == [True, True, False]
    assert pages[0].json()["meta"] == {"count": 45}


# validation


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "name"),
        ({"reward_minor": 1.5}, "reward"),
        ({"places": 0}, "total_available_places"),
        ({"maximum_minutes": 28}, "at least 29"),
        ({"maximum_minutes": 24 * 60}, "under 24 hours"),
        ({"external_study_url": "ftp://x"}, "URL"),
        ({"completion_codes": []}, "completion_codes"),
        ({"completion_codes": [{"code": "A", "code_type": "COMPLETED", "actions": []}] * 2}, "unique"),
        ({"filters": [{"filter_id": "shoe-size", "selected_values": []}]}, "shoe-size"),
        ({"filters": [{"filter_id": "sex", "selected_values": ["7"]}]}, "no such choice"),
    ],
)
def test_a_study_that_prolific_would_refuse_is_refused(client, remote_draft, changes, complaint):
    with pytest.raises(ProlificError, match=complaint) as caught:
        client.create_study(replace(remote_draft, **changes))
    assert caught.value.status == 400


def test_actions_that_exclude_one_another_are_refused(client, remote_draft):
    both = [{"action": "AUTOMATICALLY_APPROVE"}, {"action": "MANUALLY_REVIEW"}]
    with pytest.raises(ProlificError, match="exclude one another"):
        client.create_study(replace(remote_draft, completion_codes=[{"code": "A", "code_type": "COMPLETED", "actions": both}]))


# publishing and money


def test_publishing_takes_a_while_locks_the_money_and_fixes_the_study(prolific, client, remote_draft):
    study = client.create_study(remote_draft)
    assert client.transition_study(study.id, "PUBLISH").status == "PUBLISHING"
    prolific.clock.advance(29)
    assert client.study(study.id).status == "PUBLISHING"
    prolific.clock.advance(1)
    assert client.study(study.id).status == "ACTIVE"
    balance = client.balance(prolific.world.workspace_id)
    assert (balance.total_minor, balance.available_minor) == (1_000_000, 1_000_000 - 6 * PLACE)
    assert client.calculate_cost(150, 6) == client.study_cost(study.id, projected=True).total_minor == 6 * PLACE
    with pytest.raises(ProlificError, match="reward"):
        client.update_study(study.id, reward=200)
    with pytest.raises(ProlificError, match="only be increased"):
        client.update_study(study.id, total_available_places=5)
    assert client.update_study(study.id, total_available_places=7).places == 7


def test_without_the_money_nothing_is_published_and_no_place_added(remote_draft):
    with StandIn(balance=6 * PLACE + 209) as poor, ProlificClient(poor.url, poor.token) as client:
        study = client.create_study(replace(remote_draft, places=7))
        with pytest.raises(ProlificError, match="too low"):
            client.transition_study(study.id, "PUBLISH")
        client.update_study(study.id, total_available_places=6)
        client.transition_study(study.id, "PUBLISH")
        with pytest.raises(ProlificError, match="too low"):
            client.update_study(study.id, total_available_places=7)


def test_what_a_study_cost_is_what_left_the_balance(prolific, client, live):
    done = [take_part(prolific, live.id, number) for number in range(3)]
    take_part(prolific, live.id, 3, "SCREEN12")
    client.approve(done[0].id)
    client.bulk_approve([done[1].id])
    client.reject(done[2].id, "NO_DATA", "x" * 100)
    client.pay_bonus(client.set_up_bonus(live.id, {done[0].participant_id: 33, done[2].id: 100}).id)
    prolific.clock.advance(60)
    cost = client.study_cost(live.id)
    assert (cost.rewards_minor, cost.bonuses_minor) == (2 * 150 + 20, 133)
    assert cost.total_minor == 1_000_000 - client.balance(prolific.world.workspace_id).total_minor
    client.transition_study(live.id, "STOP")
    balance = client.balance(prolific.world.workspace_id)
    assert balance.available_minor == balance.total_minor


# who is let in


def test_a_full_quota_cell_lets_nobody_of_it_in(prolific, live):
    men, women = people(prolific, "Male"), people(prolific, "Female")
    for man in men[:3]:
        prolific.reserve(live.id, man)
    with pytest.raises(Refused, match="no free place"):
        prolific.reserve(live.id, men[3])
    for woman in women[:3]:
        prolific.reserve(live.id, woman)
    assert prolific.world.study(live.id).status == "AWAITING REVIEW"


def test_two_weighted_filters_multiply_into_cells():
    sex = {"filter_id": "sex", "weightings": {"0": 50, "1": 50}}
    age = {
        "filter_id": "age",
        "weightings": {
            "young": {"selected_range": {"lower": 18, "upper": 39}, "weighting": 3},
            "old": {"selected_range": {"lower": 40, "upper": 100}, "weighting": 1},
        },
    }
    assert cell_sizes([sex, age], 16) == {("0", "young"): 6, ("0", "old"): 2, ("1", "young"): 6, ("1", "old"): 2}
    assert all(sum(cell_sizes([sex, age], places).values()) == places for places in range(1, 40))


def test_quotas_may_drift_when_told_to(prolific, live):
    prolific.world.quotas = False
    for man in people(prolific, "Male")[:5]:
        prolific.reserve(live.id, man)


@pytest.mark.parametrize(
    ("chosen", "fits"),
    [
        (select_range("approval_rate", 90, 100), True),
        (select_range("approval_rate", 99, 100), False),
        ({"filter_id": "fluent-languages", "selected_values": ["19", "25"]}, True),
        ({"filter_id": "hearing-difficulties", "selected_values": ["0"]}, False),
        ({"filter_id": "or", "selected_filters": [select_range("approval_rate", 99, 100), select_range("age", 18, 100)]}, True),
    ],
)
def test_filters_let_in_whom_they_describe(prolific, client, remote_draft, chosen, fits):
    study = client.create_study(replace(remote_draft, filters=[chosen]))
    assert client.eligibility_count([chosen], prolific.world.workspace_id) == (60 if fits else 0)
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    if fits:
        assert prolific.reserve(study.id, people(prolific, "Male")[0]).status == "RESERVED"
    else:
        with pytest.raises(Refused, match="not eligible"):
            prolific.reserve(study.id, people(prolific, "Male")[0])


def test_earlier_participants_are_kept_out_of_a_clone(prolific, client, live):
    earlier = take_part(prolific, live.id, 0)
    again = client.clone_study(live.id)
    client.transition_study(again.id, "PUBLISH")
    prolific.clock.advance(60)
    with pytest.raises(Refused, match="not eligible"):
        prolific.reserve(again.id, earlier.participant_id)
    assert prolific.reserve(again.id, people(prolific, "Female")[9])


# faults and the clock


def test_down_for_ten_minutes_is_down_for_ten_minutes(prolific, client):
    prolific.go_down(600)
    for _ in range(3):
        with pytest.raises(ProlificError, match="503"):
            client.me()
    prolific.clock.advance(600)
    assert client.me()


def test_a_virtual_clock_runs_what_is_due_in_order_and_what_that_makes_due():
    clock, seen = Clock(), []
    start = clock.now()

    def note(name: str) -> None:
        seen.append((name, (clock.now() - start).total_seconds()))

    def first() -> None:
        note("first")
        clock.after(5, lambda: note("follows"))

    clock.after(20, lambda: note("last"))
    clock.after(10, first)
    clock.advance(19)
    assert seen == [("first", 10), ("follows", 15)]
    clock.advance(1)
    assert seen[2:] == [("last", 20)]


def test_a_real_clock_runs_by_itself_and_cannot_be_moved(remote_draft):
    with StandIn(virtual=False, publish_delay_s=0.1) as real, ProlificClient(real.url, real.token) as client:
        study = client.create_study(remote_draft)
        client.transition_study(study.id, "PUBLISH")
        deadline = time.monotonic() + 10
        while client.study(study.id).status != "ACTIVE" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert client.study(study.id).status == "ACTIVE"
        with pytest.raises(ValueError, match="virtual clock"):
            real.clock.advance(1)


def test_its_switches_work_over_http(prolific, client, live):
    base = f"{prolific.url}/standin"
    assert len(requests.post(f"{base}/people/", json={"count": 3, "answers": {"sex": "1"}}).json()["ids"]) == 3
    assert requests.post(f"{base}/faults/", json={"status": 429, "times": 1}).status_code == 201
    assert requests.post(f"{base}/faults/", json={"colour": "red"}).status_code == 400
    assert requests.get(f"{prolific.url}/api/v1/users/me/").status_code == 429
    submission = prolific.reserve(live.id, people(prolific, "Male")[0])
    prolific.open_study(submission)
    page = requests.get(f"{prolific.url}/submissions/complete?cc=DONE1234", cookies={"participant": submission.participant_id})
    assert "AWAITING REVIEW" in page.text
    assert requests.get(f"{base}/preview/{live.id}/").json()["url"].endswith("SESSION_ID=035orbpf1pk3")
    before = prolific.clock.now()
    requests.post(f"{base}/clock/", json={"seconds": 60})
    assert (prolific.clock.now() - before).total_seconds() == 60
    assert requests.get(f"{base}/").json()["studies"][live.id]["status"] == "ACTIVE"
