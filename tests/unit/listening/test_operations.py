"""Those who keep the installation running are told what needs them, once, and see the figures; others see nothing."""

import json
import logging
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core import mail
from django.utils import timezone

from listening.models import Alert, Job, Rating, Study
from listening.redaction import JsonFormatter
from listening.services import alerts, operations
from tests.unit.listening.raters import HEARD, Rater

TOKEN = "a long random word"


@pytest.fixture
def posted(settings):
    """What arrived at the webhook."""
    bodies = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    Thread(target=server.serve_forever, daemon=True).start()
    settings.ALERT_WEBHOOK = f"http://127.0.0.1:{server.server_port}/"
    settings.ALERT_EMAILS = ["lab@example.org"]
    yield bodies
    server.shutdown()
    server.server_close()


def stall(study):
    Study.objects.filter(pk=study.pk).update(opened_at=timezone.now() - timedelta(hours=3))


def test_a_study_that_stalls_is_told_once_and_again_when_it_is_over(study, posted):
    assert alerts.check() == []
    stall(study)
    (alert,) = alerts.check()
    assert "is open and not full, and nobody has answered for 180 minutes" in alert.sentence
    assert alerts.check() == []
    Study.objects.filter(pk=study.pk).update(status=Study.Status.CLOSED)
    (over,) = alerts.check()
    assert over.pk == alert.pk and over.resolved_at
    assert [body["text"].splitlines()[0] for body in posted] == [alert.sentence, f"Over: {alert.sentence}"]
    assert [message.to for message in mail.outbox] == [["lab@example.org"]] * 2
    Study.objects.filter(pk=study.pk).update(status=Study.Status.OPEN)
    assert [found.pk != alert.pk for found in alerts.check()] == [True]


def test_a_webhook_that_is_away_stops_nothing(study, settings, caplog):
    settings.ALERT_WEBHOOK = "http://127.0.0.1:9/"
    stall(study)
    assert len(alerts.check()) == 1
    assert "could not be posted" in caplog.text


def test_jobs_that_nobody_takes_are_a_problem(draft):
    from listening.services.studies import queue_stimuli

    queue_stimuli(draft)
    assert operations.problems() == []
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert [problem.key for problem in operations.problems()] == ["no-worker"]


def test_jobs_that_lack_their_weights_wait_for_another_machine_and_are_no_problem(draft, monkeypatch, tmp_path):
    from listening.services.studies import queue_stimuli

    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    draft.conditions = ["encodec-24k-6kbps"]
    draft.save()
    queue_stimuli(draft)
    Job.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert Job.objects.filter(state=Job.State.QUEUED).count() == 4
    assert operations.problems() == []


def test_metrics_are_for_whoever_has_the_token(client, study, settings):
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = TOKEN
    assert client.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 404
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    text = answer.content.decode()
    assert answer.status_code == 200
    assert 'listening_jobs{kind="render",state="done"} 12.0' in text
    assert f'listening_free_plans{{study="{study}"}} {study.plans.count()}.0' in text
    assert "listening_ratings_total 0.0" in text and 'listening_device_busy_seconds{device="cpu"}' in text


def test_tries_that_did_not_deliver_an_answer_are_counted_once_for_each_answer_and_only_lately(study):
    rater = Rater(study).arrive()
    for position, tries in ((1, {"tries": 4}), (2, {"tries": 1}), (3, {})):
        rater.hear(position)
        assert rater.rate(position, listening={**HEARD, **tries}).status_code == 201
    figures = {figure.name: figure.value for figure in operations.figures()}
    assert figures["listening_outbox_retries"] == 3  # of three scales each
    Rating.objects.update(received_at=timezone.now() - timedelta(minutes=11))
    assert {figure.name: figure.value for figure in operations.figures()}["listening_outbox_retries"] == 0


def test_figures_cost_no_more_when_there_is_more(study, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        list(operations.figures())


def test_the_operations_page_is_for_superusers(client, admin_client, django_user_model, study):
    Alert.objects.create(key="x", sentence="Something was wrong.")
    page = admin_client.get("/admin/operations/")
    assert page.status_code == 200 and "Something was wrong." in page.content.decode()
    client.force_login(django_user_model.objects.create_user("r", is_staff=True))
    assert client.get("/admin/operations/").status_code == 302


def test_health_tells_nothing_but_health(client, db):
    assert client.get("/healthz").content == b"alive\n"
    assert client.get("/readyz").json() == {"ready": True}


def test_a_site_whose_tables_are_behind_is_not_ready(client, db, monkeypatch):
    from django.db.migrations.executor import MigrationExecutor

    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("one", False)])
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["reason"]) == (503, "migrations have not been applied")


def test_a_json_line_hides_ids_too():
    record = logging.LogRecord("django.request", logging.WARNING, "x", 1, "Not Found: %s", ("/s/?id=jane",), None)
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["message"]) == ("WARNING", "Not Found: /s/?id=[hidden]")
    assert line["time"].endswith("Z")
