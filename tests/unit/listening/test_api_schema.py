"""The API as its schema promises it: whatever is sent, the answer has a status, a type and a form that /api/schema/ names, and none is 500.

Schemathesis draws requests from the schema, fitting and unfitting ones. Most of them go to a real session and a real study.
"""

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
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
    """The schema of the real application, asked within the test's own transaction: no request ends its connection."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield _loaded()
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def _loaded():
    found = schemathesis.openapi.from_wsgi("/api/schema/?format=json", WSGIHandler())
    assert {operation.ok().label for operation in found.get_all_operations()} == OPERATIONS, "an operation has no line here"
    return found


@searches(fast=25, slow=1_500)
@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("label", sorted(OPERATIONS))
def test_every_answer_is_one_that_the_schema_names(search: Search, label, mode, schema, study, admin_user, settings):
    settings.LIMITS = dict.fromkeys(settings.LIMITS, 0)
    settings.ALLOWED_HOSTS = ["*"]
    rater = Rater(study).arrive()
    for position in (1, 2, 3):
        rater.hear(position)
    key = Token.objects.create(user=admin_user).key
    operation = next(found.ok() for found in schema.get_all_operations() if found.ok().label == label)
    real = {"token": rater.session.token, "slug": study.slug}
    known = {name: value for name, value in real.items() if f"{{{name}}}" in label}

    def check(case) -> None:
        if case.method == "POST" and isinstance(case.body, dict) and len(str(case.body)) % 2:
            # A scale's name is drawn by nobody, nor is a clip that was heard: half of the bodies have them.
            case.body |= {"answers": ANSWERS, "listening": {**HEARD, **(case.body.get("listening") or {}), "heard_share": 1.0}}
        headers = {"Authorization": f"Token {key}"} if "slug" in known else {}
        case.call_and_validate(checks=CHECKS, headers=headers)

    search(check, operation.as_strategy(generation_mode=mode, path_parameters=known))
    search(check, operation.as_strategy(generation_mode=mode))


def test_a_researchers_page_of_the_api_says_so_without_a_key(schema):
    for operation in (found.ok() for found in schema.get_all_operations()):
        if "{slug}" in operation.label:
            response = operation.Case(path_parameters={"slug": "small"}).call_and_validate(checks=CHECKS)
            assert response.status_code == 401
