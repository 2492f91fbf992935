"""How long the admin's lists and a study's board take when the site holds ten million ratings: each page twice, as who may see all of it.

The rows are copies of a real session's, made by PostgreSQL itself: 20,000 sessions of 100 trials with five answers each.
"""

import json
from pathlib import Path
from time import perf_counter

import pytest

from tests.faults.installation import installation, open_a_study
from tests.integration.server import REPO, manage

SESSIONS, TRIALS, SCALES = 20_000, 100, 5

FIRST = """
from django.utils import timezone
from listening.models import Participant, Session, Study
now = timezone.now()
Session.objects.create(study=Study.objects.get(), participant=Participant.objects.get_or_add("a person"), state="completed", stratum="all",
    lease_expires_at=now, consented_at=now, checked_at=now, completed_at=now)
"""
#: Copies of the one row of a table, each with an id and names of its own. ``n`` counts them.
COPIES = """
INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(first) || jsonb_build_object('id', {first} + n, {changes}))).*
FROM (SELECT * FROM {table} LIMIT 1) first, generate_series(1, {sessions}) AS n
"""
ROWS = (
    "SET session_replication_role = replica",  # what the rows refer to is not looked up ten million times
    COPIES.format(
        table="listening_participant",
        first=SESSIONS,
        sessions=SESSIONS,
        changes="'rater_id', 'rater' || n, 'fingerprint', md5(n::text)",
    ),
    COPIES.format(
        table="listening_session",
        first=SESSIONS,
        sessions=SESSIONS,
        changes=f"'public_id', md5(n::text), 'participant_id', {SESSIONS} + n",
    ),
    f"""
INSERT INTO listening_trial (session_id, position, stimulus_id, role, expected, public_id, answered_at, skipped, listening)
SELECT {SESSIONS} + n, place, stimuli.ids[1 + (n + place) % cardinality(stimuli.ids)], '', '{{}}', md5(n || '-' || place), now(), '',
    '{{"plays": 1, "heard_share": 1.0}}'
FROM (SELECT array_agg(id) AS ids FROM listening_stimulus) stimuli, generate_series(1, {SESSIONS}) AS n,
    generate_series(1, {TRIALS}) AS place
""",
    """
INSERT INTO listening_rating (trial_id, stimulus_id, scale, value, idempotency_key, received_at)
SELECT trial.id, stimulus_id, scale, 1 + (trial.id + ascii(scale)) % 5, gen_random_uuid(), now()
FROM listening_trial trial, unnest(ARRAY['quality', 'ovrl', 'sig', 'bak', 'valence']) AS scale
""",
    "ANALYZE",
)
PAGES = """
import json, time
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from listening.models import Session, Study
settings.ALLOWED_HOSTS.append("testserver")
study, session = Study.objects.get(), Session.objects.order_by("-pk")[10]
owner = User.objects.create_user("owner", is_staff=True)
owner.user_permissions.set(Permission.objects.filter(content_type__app_label="listening"))
study.owner = owner
study.save()
superuser = User.objects.create_superuser("root")
lists = [reverse(f"admin:listening_{model._meta.model_name}_changelist") for model in admin.site._registry
         if model._meta.app_label == "listening"]
ratings = reverse("admin:listening_rating_changelist")
more = [f"?study={study.pk}", "?condition=opus-6kbps", "?scale=bak", f"?session={session.pk}", "?p=100",
        f"?study={study.pk}&condition=original&scale=ovrl", "?trial__session__participant__simulated__exact=1"]
pages = [reverse("admin:index"), *lists, *(ratings + query for query in more),
         reverse("admin:listening_session_changelist") + f"?study={study.pk}&state__exact=completed",
         reverse("admin:listening_session_change", args=[session.pk]),
         reverse("admin:listening_study_change", args=[study.pk]), reverse("leaderboard")]
for user in (owner, superuser):
    client = Client()
    client.force_login(user)
    for page in pages:
        for _ in range(2):
            began = time.perf_counter()
            answer = client.get(page, secure=True, follow=True)
            took = time.perf_counter() - began
        print(json.dumps([user.username, page, answer.status_code, round(1000 * took)]))
"""


@pytest.mark.timeout(1200)
def test_the_admin_at_ten_million_ratings(tmp_path: Path) -> None:
    with installation(tmp_path / "site") as site:
        site.manage(
            ["migrate", "--verbosity=0"],
            ["import_corpus", "manifest", str(REPO / "analysis/corpora/synthetic"), "--name=synthetic"],
        )
        open_a_study(site, raters=2, trials=60)
        manage(site.environment, "shell", "-v0", "-c", FIRST)
        began = perf_counter()
        with site.connect() as connection:
            for statement in ROWS:
                connection.execute(statement)
        print(f"\n{SESSIONS * TRIALS * SCALES:,} ratings made in {perf_counter() - began:.0f} s")
        for line in manage(site.environment, "shell", "-v0", "-c", PAGES).splitlines():
            user, page, status, milliseconds = json.loads(line)
            print(f"{milliseconds:7} ms  {status}  {user:6} {page}")
            assert status == 200
