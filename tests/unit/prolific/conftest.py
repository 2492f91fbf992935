"""A stand-in with people and money, and a client of it that does not wait between attempts."""

import pytest

from listening.prolific import ProlificClient, StudyDraft
from listening.standin import StandIn


@pytest.fixture
def prolific():
    with StandIn() as standin:
        standin.add_people(60)
        yield standin


@pytest.fixture
def pauses() -> list[float]:
    """The seconds the client wanted to wait between attempts."""
    return []


@pytest.fixture
def client(prolific, pauses):
    with ProlificClient(prolific.url, prolific.token, timeout_s=5, sleep=pauses.append) as made:
        yield made


@pytest.fixture
def remote_draft() -> StudyDraft:
    """Six places, evenly by sex, one code for each way to end."""
    return StudyDraft(
        name="Listening test",
        internal_name="pilot-1",
        description="<p>Rate short recordings of speech.</p>",
        external_study_url="http://127.0.0.1/s/x/?PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}",
        completion_codes=[
            {"code": "DONE1234", "code_type": "COMPLETED", "actions": [{"action": "MANUALLY_REVIEW"}]},
            {"code": "FAST1234", "code_type": "OTHER", "actions": [{"action": "AUTOMATICALLY_APPROVE"}]},
            {
                "code": "NOCONS12",
                "code_type": "NO_CONSENT",
                "actions": [{"action": "REQUEST_RETURN", "return_reason": "You did not consent."}],
            },
            {
                "code": "SCREEN12",
                "code_type": "FIXED_SCREENOUT",
                "actions": [{"action": "FIXED_SCREEN_OUT_PAYMENT", "fixed_screen_out_reward": 20, "slots": 2}],
            },
        ],
        estimated_minutes=10,
        reward_minor=150,
        places=6,
        filters=[{"filter_id": "sex", "selected_values": ["0", "1"], "weightings": {"0": 1, "1": 1}}],
        device_compatibility=["desktop"],
        peripheral_requirements=["audio"],
    )


@pytest.fixture
def live(prolific, client, remote_draft):
    """A study that takes people."""
    study = client.create_study(remote_draft)
    client.transition_study(study.id, "PUBLISH")
    prolific.clock.advance(60)
    return client.study(study.id)
