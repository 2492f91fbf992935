"""What arrives damaged from Prolific, signed or uploaded, ends in a sentence: no 500, and nothing half-stored."""

import json
import math
import time

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.db.models import PositiveIntegerField
from django.urls import reverse
from hypothesis import strategies as st

from listening.models import Submission, WebhookEvent
from listening.prolific.webhooks import sign
from listening.services.by_hand import begin_by_hand
from tests.damage import Search, damaged, damaged_table, searches

SECRET = "a secret of the workspace"
EXPORT = (
    "Submission id,Participant id,Status,Custom study tncs accepted at,Started at,Completed at,Time taken,Completion code\n"
    "5f0a,6f0a,AWAITING REVIEW,,2026-11-20T09:00:00Z,2026-11-20T09:10:00Z,600,C0DE\n"
    "5f0b,6f0b,RETURNED,,2026-11-20 09:00:00,,,\n"
)
EVENT = {"event_type": "submission.status.change", "resource_id": "a" * 24, "participant_id": "b" * 24, "status": "RETURNED"}
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
BODIES = (
    damaged(json.dumps(EVENT).encode())
    | st.dictionaries(st.sampled_from(sorted(EVENT)) | st.text(), _JSON).map(lambda body: json.dumps(EVENT | body).encode())
    | _JSON.map(lambda body: json.dumps(body).encode())
    | st.sampled_from([b"", b"null", b"[" * 90_000, b'{"a":' * 15_000, b'{"event_type": "x\\u0000", "resource_id": "\\ud800"}'])
)
_HEADER = st.text(st.characters(codec="latin-1", min_codepoint=32, exclude_characters="\x7f"), max_size=300)


@searches(fast=120, slow=4_000)
def test_uploads(search: Search, study, admin_client):
    recruitment = begin_by_hand(study, 150, 10, "GBP", "researcher")
    url = reverse("admin:listening_recruitment_export", args=[study.pk])

    def check(content: bytes) -> None:
        with transaction.atomic():
            response = admin_client.post(url, {"export": SimpleUploadedFile("export.csv", content)}, follow=True)
            assert response.status_code == 200
            assert fits(Submission.objects.filter(recruitment=recruitment))
            stored.append(Submission.objects.count())
            transaction.set_rollback(True)

    stored: list[int] = []
    check(EXPORT.encode())
    assert stored == [2]
    search(check, damaged_table(EXPORT))


@searches(fast=200, slow=10_000)
def test_signed_events(search: Search, client, settings, db):
    settings.PROLIFIC_WEBHOOK_SECRETS, settings.PROLIFIC_TOKEN = [SECRET], ""
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 0)

    def check(body: bytes, event_id: str) -> None:
        WebhookEvent.objects.all().delete()
        at = str(int(time.time()))
        headers = {
            "X-Prolific-Request-Timestamp": at,
            "X-Prolific-Request-Signature": sign(SECRET, at, body),
            "X-Event-ID": event_id,
        }
        response = client.post("/hooks/prolific/", body, content_type="application/json", headers=headers)
        assert response.status_code in (200, 400)
        assert (response.status_code == 200) == WebhookEvent.objects.exists()
        assert fits(WebhookEvent.objects.all())

    check(json.dumps(EVENT).encode(), "event-1")
    assert WebhookEvent.objects.count() == 1
    search(check, BODIES, _HEADER)


@searches(fast=100, slow=5_000)
def test_unsigned_events(search: Search, client, settings, db):
    settings.PROLIFIC_WEBHOOK_SECRETS = [SECRET]
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 0)

    def check(body: bytes, at: str, signature: str) -> None:
        headers = {"X-Prolific-Request-Timestamp": at, "X-Prolific-Request-Signature": signature}
        assert client.post("/hooks/prolific/", body, content_type="application/json", headers=headers).status_code in (400, 413)

    search(check, BODIES, _HEADER, _HEADER)
    assert not WebhookEvent.objects.exists()


def fits(rows) -> bool:
    """Whether PostgreSQL would have taken the rows: SQLite minds neither lengths nor zeros in text nor large numbers."""
    for row in rows:
        for field in row._meta.fields:
            value = field.value_from_object(row)
            if isinstance(field, PositiveIntegerField) and not 0 <= (value or 0) < 2**31:
                return False
            if len(str(value)) > (field.max_length or len(str(value))) or not all(map(holds, leaves(value))):
                return False
    return True


def leaves(value) -> list:
    """The value, or what a JSON value is made of, keys included."""
    if isinstance(value, dict):
        return [*value, *(leaf for each in value.values() for leaf in leaves(each))]
    return [leaf for each in value for leaf in leaves(each)] if isinstance(value, list) else [value]


def holds(leaf) -> bool:
    """Whether a database could hold it: text without zeros and half characters, numbers that are some."""
    if isinstance(leaf, str):
        return "\x00" not in leaf and leaf.encode(errors="ignore").decode() == leaf
    return not isinstance(leaf, float) or math.isfinite(leaf)
