"""What the server writes when something goes wrong names nobody."""

import io
import json
import logging
import sys
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client, RequestFactory
from django.views.debug import get_exception_reporter_class
from gunicorn.config import Config

from listening import serving
from listening.models import AuditEntry, Recruitment, WebhookEvent
from listening.prolific import ProlificClient, ProlificError
from listening.prolific.webhooks import sign
from listening.redaction import Formatter
from listening.services.submissions import sync
from listening.standin import StandIn
from listening.views import rater
from tests.integration.server import REPO

PID, STUDY, SUBMISSION = "5f" * 12, "ab" * 12, "cd" * 12
SOMEBODY = "e1" * 12
TOKEN = "eyJhbGciOi.eyJwcm9saWZpYyI.c2lnbmF0dXJl"
LINK = {"PROLIFIC_PID": PID, "STUDY_ID": STUDY, "SESSION_ID": SUBMISSION}


@pytest.fixture
def console(monkeypatch):
    """What stands on the console."""
    (handler,) = [each for each in logging.getLogger("django.server").handlers if isinstance(each.formatter, Formatter)]
    stream = io.StringIO()
    monkeypatch.setattr(handler, "stream", stream)
    return stream


@pytest.fixture
def written(caplog, console):
    """All that is logged from DEBUG on, before our formatter and after it."""
    with caplog.at_level(logging.DEBUG):
        yield lambda: caplog.text + console.getvalue()


def test_a_refused_join_writes_no_id(study, written):
    study.status = "closed"
    study.save()
    page = Client().get(f"/s/{study.slug}/", LINK, headers={"Referer": f"https://app.prolific.com/?PROLIFIC_PID={PID}"})
    assert page.status_code == 403
    assert PID not in page.content.decode()
    assert f"Forbidden: /s/{study.slug}/" in written()
    assert PID not in written()


def test_a_webhook_about_an_unknown_submission_writes_no_id(db, settings, written):
    body = json.dumps({"event_type": "submission.status.change", "resource_id": SUBMISSION, "participant_id": PID}).encode()
    at = str(int(time.time()))
    headers = {"X-Prolific-Request-Timestamp": at, "X-Prolific-Request-Signature": sign("secret", at, body)}
    with StandIn() as standin:
        settings.PROLIFIC_WEBHOOK_SECRETS = ["secret"]
        settings.PROLIFIC_BASE_URL, settings.PROLIFIC_TOKEN = standin.url, standin.token
        answer = Client().post("/hooks/prolific/", body, content_type="application/json", headers=headers)
    assert answer.content == b"Stored."
    assert WebhookEvent.objects.get().processed_at
    assert "GET /api/v1/submissions/" in written(), "the call is logged"
    assert PID not in written() + str(WebhookEvent.objects.values())


def test_a_failed_call_writes_and_stores_no_id_that_prolific_names_in_its_refusal(study, written, monkeypatch):
    recruitment = Recruitment.objects.create(
        study=study, prolific_study_id=STUDY, reward_minor=1, estimated_minutes=1, spending_cap_minor=1
    )
    with StandIn() as standin, ProlificClient(standin.url, standin.token, attempts=1) as client:
        said = {"error": {"status": 400, "title": "Bad", "detail": f"{PID} is not in study {STUDY}."}}
        monkeypatch.setattr("listening.standin.error_body", lambda refused, bare: said)
        with pytest.raises(ProlificError) as caught:
            sync(recruitment, client)
        assert caught.value.sentence.endswith(f"[hidden] is not in study {STUDY}.")
        with pytest.raises(ProlificError) as caught:
            client.send_message(PID, "Hello", STUDY)
    assert PID not in str(caught.value)
    stored = str(Recruitment.objects.values()) + str(AuditEntry.objects.values())
    assert "[hidden] is not in study" in stored
    assert PID not in stored + written()


@pytest.mark.parametrize("link", [LINK, {"id": "jane.doe"}], ids=["prolific", "personal"])
def test_a_page_that_fails_is_reported_without_ids(study, settings, console, monkeypatch, mailoutbox, link):
    who = str(next(iter(link.values())))
    study.recruiter = "link" if "id" in link else "prolific"
    study.save()
    settings.ADMINS = [("Researcher", "researcher@example.org")]
    monkeypatch.setattr(rater.sessions, "join", _broken)
    browser = Client(raise_request_exception=False)
    page = browser.get(f"/s/{study.slug}/", link, headers={"Referer": f"https://elsewhere.example/?PROLIFIC_PID={PID}"})
    assert page.status_code == 500
    (mail,) = mailoutbox
    assert "RuntimeError" in mail.body and "broken" in mail.body
    for text in (mail.subject + mail.body, page.content.decode()):
        assert who not in text and PID not in text
    assert "Internal Server Error" in console.getvalue() and "RuntimeError" in console.getvalue()
    assert PID not in console.getvalue()


def _broken(study, link, *rest):
    raise RuntimeError(f"broken for {link.participant_id}")


def test_the_detailed_report_hides_ids_in_variables_too():
    """The page that DEBUG shows and that an e-mail may have attached: it prints every variable of every function."""
    request = RequestFactory().get("/s/x/", {**LINK, "prolific_token": TOKEN})
    somebody = SOMEBODY
    try:
        raise LookupError(f"{PID.upper()} or {somebody}")
    except LookupError:
        report = get_exception_reporter_class(request)(request, *sys.exc_info()).get_traceback_html()
    assert "LookupError" in report and "<td>somebody</td>" in report
    for hidden in (PID, PID.upper(), SOMEBODY, TOKEN):
        assert hidden not in report


def test_the_development_server_prints_no_id(console):
    logging.getLogger("django.server").info(
        '"%s" %s', f"GET /s/x/?SESSION_ID={SUBMISSION}&id=jane.doe&PROLIFIC_PID={PID} HTTP/1.1", 302
    )
    assert "GET /s/x/?SESSION_ID=[hidden]&id=[hidden]&PROLIFIC_PID=[hidden] HTTP/1.1" in console.getvalue()


def test_the_access_log_holds_neither_addresses_of_raters_nor_queries_nor_tokens():
    """Its format is filled in by the configured logger for a request that carries ids."""
    config = Config()
    config.set("access_log_format", serving.access_log_format)
    logger = serving.AccessLog(config)
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": f"/session/{TOKEN}/trial/?PROLIFIC_PID={PID}",
        "PATH_INFO": f"/session/{TOKEN}/trial/",
        "QUERY_STRING": f"PROLIFIC_PID={PID}",
        "HTTP_REFERER": f"https://app.prolific.com/?PROLIFIC_PID={PID}",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "203.0.113.7",
    }
    answer = SimpleNamespace(status="302 Found", sent=12, headers=[])
    atoms = logger.atoms(answer, SimpleNamespace(headers=[]), environ, timedelta(seconds=1))
    line = serving.access_log_format % logger.atoms_wrapper_class(atoms)
    assert "GET /session/-/trial/ 302 12" in line
    assert not [hidden for hidden in (PID, TOKEN, "203.0.113.7") if hidden in line]
    dockerfile = (REPO / "docker/Dockerfile").read_text()
    assert '"--config=python:listening.serving"' in dockerfile and serving.logger_class is serving.AccessLog
