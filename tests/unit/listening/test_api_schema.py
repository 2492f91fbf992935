"""The API as its schema promises it: whatever is sent, the answer has a status, a type and a form that /api/schema/ names, and none is 500.

Schemathesis draws requests from the schema, fitting and unfitting ones. Most of them go to a real session and a real study.
"""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.damage import Search, searches
from tests.unit.listening.raters import ANSWERS, HEARD, Rater

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
OPERATIONS = {
    "GET /api/v1/sessions/{token}/",
    "POST /api/v1/sessions/{token}/trials/{position}/ratings/",
    "POST /api/v1/sessions/{token}/trials/{position}/skip/",
    "GET /api/v1/studies/{slug}/progress/",
    "GET /api/v1/studies/{slug}/ratings/",
}


@pytest.fixture
def schema(db):
    """The schema of the real application, asked within the test's own transaction: no request of its ends the connection."""
    handler, ends = WSGIHandler(), (request_started, request_finished)

    def application(environ, start_response):
        for signal in ends:  # each request of Django's own test client connects it anew
            signal.disconnect(close_old_connections)
        return handler(environ, start_response)

    found = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
    assert {operation.ok().label for operation in found.get_all_operations()} == OPERATIONS, "an operation has no line here"
    yield found
    for signal in ends:
        signal.connect(close_old_connections)


#: Text in an address fits always: what can be unfitting is a body or a query.
CASES = [(label, GenerationMode.POSITIVE) for label in sorted(OPERATIONS)]
CASES += [(label, GenerationMode.NEGATIVE) for label in sorted(OPERATIONS) if label.startswith("POST") or "ratings/" in label]


@searches(fast=40, slow=2_500)
@pytest.mark.parametrize(("label", "mode"), CASES)
def test_every_answer_is_one_that_the_schema_names(search: Search, label, mode, schema, study, admin_user, settings):
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 0)
    settings.ALLOWED_HOSTS = ["*"]
    rater = Rater(study).arrive()
    for position in (1, 2, 3):
        rater.hear(position)
    key = Token.objects.create(user=admin_user).key
    operation = next(found.ok() for found in schema.get_all_operations() if found.ok().label == label)
    real = {"token": rater.session.token, "slug": study.slug}
    statuses = set()

    def check(case, is_real: bool, is_near: bool, position: int) -> None:
        if is_real:
            case.path_parameters |= {name: real[name] for name in real if name in case.path_parameters}
        if is_near and "position" in case.path_parameters:
            # Nobody draws a scale's name or a trial that there is.
            case.path_parameters["position"] = position
            if isinstance(case.body, dict) and mode == GenerationMode.POSITIVE:
                case.body |= {"answers": ANSWERS, "listening": {**case.body["listening"], **HEARD}}
        headers = {"Authorization": f"Token {key}"} if "{slug}" in label else {}
        statuses.add(case.call_and_validate(checks=CHECKS, headers=headers).status_code)

    search(check, operation.as_strategy(generation_mode=mode), st.booleans(), st.booleans(), st.integers(1, 4))
    if mode == GenerationMode.POSITIVE:
        assert statuses & {200, 201}, "no request came through"


def test_a_researchers_page_of_the_api_says_so_without_a_key(schema):
    for operation in (found.ok() for found in schema.get_all_operations()):
        if "{slug}" in operation.label:
            response = operation.Case(path_parameters={"slug": "small"}).call_and_validate(checks=CHECKS)
            assert response.status_code == 401
