"""Every call of the client and every answer of the stand-in, held against Prolific's OpenAPI document."""

from dataclasses import replace

import pytest
import requests

from listening.prolific import ProlificClient, ProlificError
from listening.prolific.types import select_range
from tests.unit.prolific.openapi import Contract
from tests.unit.prolific.play import take_part

# What only the stand-in's other users ask for.
NOT_THE_CLIENTS = {
    ("GET", "studies/{study}/submissions/"),
    ("GET", "hooks/event-types/"),
    ("GET", "hooks/secrets/?workspace_id={workspace}"),
    ("GET", "hooks/subscriptions/{hook}/"),
    ("GET", "hooks/subscriptions/{hook}/events/"),
    ("GET", "messages/?user_id={person}"),
    ("GET", "participant-groups/{group}/"),
}


@pytest.fixture(scope="module")
def contract(shared) -> Contract:
    path = shared / "data" / "prolific" / "openapi.yml"
    if not path.is_file():
        pytest.skip("Prolific's OpenAPI document is not in the shared folder")
    return Contract(path)


class Noted:
    """A client that remembers which of its calls were made."""

    def __init__(self, client: ProlificClient) -> None:
        self._client = client
        self.called: set[str] = set()

    def __getattr__(self, name: str):
        self.called.add(name)
        return getattr(self._client, name)


def everything(prolific, client, remote_draft) -> dict[str, str]:
    """Each call of the client at least once, with the ids that other calls may need."""
    workspace = client.workspaces()[0].id
    project = client.projects(workspace)[0].id
    client.me()
    client.balance(workspace)
    client.calculate_cost(150, 10)
    client.reward_recommendation(workspace, "GBP")
    vocabulary = {each.id: each for each in client.filters()}
    filters = [
        vocabulary["sex"].select("Female", "Male", weights={"Female": 1, "Male": 1}),
        vocabulary["current-country-of-residence"].select("United Kingdom", "United States"),
        select_range("approval_rate", 90, 100),
        {"filter_id": "and", "selected_filters": [vocabulary["hearing-difficulties"].select("No")]},
    ]
    assert client.eligibility_count(filters, workspace) == 60
    study = client.create_study(
        replace(
            remote_draft,
            filters=filters,
            project_id=project,
            metadata="m",
            maximum_minutes=45,
            secure_url=True,
            max_concurrent=6,
        )
    )
    client.update_study(study.id, internal_name="pilot-2", total_available_places=8)
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    client.study(study.id)
    client.study_cost(study.id)
    client.study_cost(study.id, projected=True)
    client.hook_secret(workspace)
    hook = client.create_hook(workspace, "submission.status.change", f"{prolific.url}/nothing")
    done = [take_part(prolific, study.id, number) for number in range(4)]
    screened = take_part(prolific, study.id, 4, "SCREEN12")
    refused = take_part(prolific, study.id, 5, "NOCONS12")
    prolific.give_back(refused)
    prolific.open_study(prolific.reserve(study.id, list(prolific.world.people)[6]))
    prolific.reserve(study.id, list(prolific.world.people)[7])
    client.approve(done[0].id)
    client.reject(done[1].id, "LOW_EFFORT", "x" * 100)
    client.request_return(done[2].id, "Please return this submission.")
    client.bulk_approve([done[3].id])
    batch = client.set_up_bonus(study.id, {done[0].participant_id: 30})
    client.pay_bonus(batch.id)
    prolific.clock.advance(3600)
    assert {each.status for each in client.submissions(study.id)} == {
        *("APPROVED", "REJECTED", "AWAITING REVIEW", "SCREENED OUT", "RETURNED", "TIMED-OUT"),
    }
    client.submission(screened.id)
    client.submission_counts(study.id)
    client.send_message(done[0].participant_id, "Thank you", study.id)
    group = client.create_participant_group(workspace, "again", [done[0].participant_id])
    client.add_to_group(group.id, [done[1].participant_id])
    client.remove_from_group(group.id, [done[1].participant_id])
    client.group_members(group.id)
    client.participant_groups(workspace)
    client.hook_subscriptions(workspace)
    client.delete_study(client.clone_study(study.id).id)
    client.studies()
    client.studies(project)
    for action in ("PAUSE", "START", "STOP"):
        client.transition_study(study.id, action)
    return {"workspace": workspace, "study": study.id, "hook": hook.id, "person": done[0].participant_id, "group": group.id}


def test_the_clients_calls_and_the_stand_ins_answers_are_as_documented(prolific, client, remote_draft, contract):
    noted = Noted(client)
    ids = everything(prolific, noted, remote_draft)
    for method, path in NOT_THE_CLIENTS:
        address = f"{prolific.url}/api/v1/{path.format(**ids)}"
        assert requests.request(method, address, headers={"Authorization": f"Token {prolific.token}"}).status_code == 200
    noted.delete_hook(ids["hook"])
    exchanges = [entry for entry in prolific.log if entry["path"].startswith("/api/")]
    assert [problem for entry in exchanges for problem in contract.problems(entry)] == []
    assert noted.called == {name for name in dir(client) if not name.startswith("_")}


def test_the_published_keys_are_as_documented(prolific, contract):
    requests.get(f"{prolific.url}/.well-known/study/jwks.json").raise_for_status()
    assert list(contract.problems(prolific.log[-1])) == []


def test_refusals_come_in_the_documented_envelope(prolific, client, live, contract):
    submission = take_part(prolific, live.id, 0)
    for call in (
        lambda: client.study("f" * 24),
        lambda: client.submission_counts("f" * 24),
        lambda: client.update_study(live.id, reward=200, total_available_places=1),
        lambda: client.transition_study(live.id, "CANCEL_PUBLISH"),
        lambda: client.set_up_bonus(live.id, {"f" * 24: 10}),
        lambda: client.request_return("f" * 24, "x"),
        lambda: client.calculate_cost("many", 1),
        lambda: client.bulk_approve(["f" * 24]),
    ):
        with pytest.raises(ProlificError) as caught:
            call()
        assert caught.value.sentence
    client.approve(submission.id)
    with pytest.raises(ProlificError):
        client.reject(submission.id, "LOW_EFFORT", "x" * 100)
    refused = [entry for entry in prolific.log if entry["status"] >= 400]
    assert len(refused) == 9
    assert [problem for entry in refused for problem in contract.problems(entry)] == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"status": 299}, "not documented"),
        ({"path": "/api/v1/nothing/"}, "no such operation"),
        ({"query": {"surprise": "1"}}, "not documented"),
        ({"body": {"name": "x"}}, "required"),
        ({"answer": {"id": 5}}, "required"),
    ],
)
def test_the_judge_sees_what_is_wrong(prolific, client, remote_draft, contract, change, complaint):
    client.create_study(remote_draft)
    assert list(contract.problems(prolific.log[-1])) == []
    assert complaint in " ".join(contract.problems({**prolific.log[-1], **change}))
