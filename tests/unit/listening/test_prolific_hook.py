"""What the webhook address believes."""

import json
import time

import pytest

from listening.models import AppendOnlyError, AuditEntry, Recruitment, WebhookEvent
from listening.prolific.webhooks import sign
from listening.services.recruitment import note

SECRET = "a secret of the workspace"
BODY = json.dumps({"event_type": "submission.status.change", "resource_id": "a" * 24, "participant_id": "b" * 24}).encode()


@pytest.fixture
def post(client, settings, db):
    settings.PROLIFIC_WEBHOOK_SECRETS, settings.PROLIFIC_TOKEN = ["the next secret", SECRET], ""

    def post(body=BODY, secret=SECRET, at=None, event_id="event-1", sent=None):
        timestamp = str(int(time.time() if at is None else at))
        headers = {
            "X-Prolific-Request-Timestamp": timestamp,
            "X-Prolific-Request-Signature": sign(secret, timestamp, body),
            "X-Event-ID": event_id,
        }
        return client.post("/hooks/prolific/", sent or body, content_type="application/json", headers=headers)

    return post


def test_a_signed_event_is_stored_once_without_the_participants_id(post):
    assert [post().content, post().content] == [b"Stored.", b"Stored before."]
    event = WebhookEvent.objects.get()
    assert event.raw == {"event_type": "submission.status.change", "resource_id": "a" * 24}


def test_another_secret_another_body_or_an_old_timestamp_is_not_believed(post):
    assert post(secret="guessed").status_code == 400
    assert post(sent=BODY.replace(b"aaaa", b"cccc")).status_code == 400
    assert post(at=time.time() - 3600).status_code == 400
    assert post(body=b"x" * 200_000).status_code == 413
    assert not WebhookEvent.objects.exists()


def test_without_a_secret_nothing_is_believed(post, settings):
    settings.PROLIFIC_WEBHOOK_SECRETS = []
    assert post(secret="").status_code == 400


def test_only_posts_are_taken(client, db):
    assert client.get("/hooks/prolific/").status_code == 405


def test_the_audit_log_can_only_grow(study):
    recruitment = Recruitment.objects.create(study=study, reward_minor=1, estimated_minutes=1, spending_cap_minor=1)
    note(recruitment, "researcher", "draft")
    entry = AuditEntry.objects.get()
    with pytest.raises(AppendOnlyError):
        entry.save()
    with pytest.raises(AppendOnlyError):
        entry.delete()
