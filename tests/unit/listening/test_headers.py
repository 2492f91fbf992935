"""What browsers are told, and that the settings of docker/ pass Django's own deployment checks."""

import base64
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from django.urls import reverse

from listening.services.reports import report_directory
from tests.unit.listening.raters import Rater

REPO = Path(__file__).resolve().parents[3]


def policy(response) -> dict[str, str]:
    return {name: " ".join(rest) for name, *rest in map(str.split, response["Content-Security-Policy"].split(";"))}


def test_no_page_runs_a_script_that_stands_in_it_or_loads_from_elsewhere(study, client, admin_client):
    rater = Rater(study).arrive()
    pages = [
        rater.client.get(f"{rater.base}trial/"),
        client.get("/"),
        client.get("/nowhere/"),
        client.get("/admin/login/"),
        admin_client.get("/admin/"),
        admin_client.get(reverse("admin:listening_study_change", args=[study.pk])),
        client.get("/api/schema/"),
    ]
    for page in pages:
        found = policy(page)
        assert found["default-src"] == found["object-src"] == found["base-uri"] == found["frame-ancestors"] == "'none'"
        assert "'unsafe-inline'" not in found["script-src"] + found["style-src"] + found.get("style-src-elem", "")
        assert "http" not in page["Content-Security-Policy"]
        assert page["Cross-Origin-Opener-Policy"] == "same-origin" and page["X-Content-Type-Options"] == "nosniff"
        assert "microphone=()" in page["Permissions-Policy"] and page["Referrer-Policy"]
    assert "unsafe-eval" not in pages[0]["Content-Security-Policy"]
    assert "no-store" in admin_client.get("/admin/")["Cache-Control"]


def test_a_report_runs_no_script_and_shows_only_the_styles_it_was_written_with(admin_client, draft):
    directory = report_directory(draft)
    directory.mkdir(parents=True)
    (directory / "report.html").write_text("<style>p { color: red }</style><p>x</p>")
    response = admin_client.get(reverse("study-report", args=[draft.slug]))
    assert b"red" in response.getvalue()
    found = policy(response)
    assert found["default-src"] == "'none'" and "script-src" not in found and "sandbox" in found
    digest = base64.b64encode(hashlib.sha256(b"p { color: red }").digest()).decode()
    assert found["style-src-elem"] == f"'sha256-{digest}'"


@pytest.fixture(scope="module")
def production(tmp_path_factory) -> dict[str, str]:
    """The environment of docker/compose.yml's web container, its blanks filled in and its secrets in files."""
    secrets = tmp_path_factory.mktemp("secrets")
    compose = yaml.safe_load((REPO / "docker/compose.yml").read_text())
    for name in compose["x-site"]["secrets"]:
        (secrets / name).write_text(f"{name}-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n")
    given = {
        "PUBLIC_URL": "https://listen.example.org",
        "ALLOWED_HOSTS": "listen.example.org",
    }
    found = {}
    for name, value in compose["x-site"]["environment"].items():
        default = value.partition(":-")[2].rstrip("}") if ":-" in value else value
        found[name] = given.get(name, "" if "${" in default else default).replace("/run/secrets", str(secrets))
    ours = {name: value for name, value in os.environ.items() if name != "DJANGO_ALLOW_ASYNC_UNSAFE"}  # the browser tests' own
    return {**ours, **found, "DATABASE_URL": "sqlite://:memory:"}


def run(environment: dict[str, str], *arguments: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = {**environment, "DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=REPO, env=environment, capture_output=True, text=True, check=False
    )


def test_the_settings_of_docker_pass_the_deployment_checks(production, tmp_path):
    checked = run(production, "check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path)
    assert checked.returncode == 0, checked.stderr
    careless = run(
        {**production, "SECURE_HSTS_SECONDS": "0"}, "check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path
    )
    assert careless.returncode != 0 and "W004" in careless.stderr
    by_password = run(
        {**production, "REQUIRE_TOTP": "false"}, "check", "--deploy", "--fail-level", "WARNING", tmp_path=tmp_path
    )
    assert by_password.returncode != 0 and "listening.W006" in by_password.stderr


def test_cookies_stay_with_this_host_and_travel_over_tls_only(production, tmp_path):
    said = run(
        production,
        "shell",
        "-v0",
        "-c",
        "from django.conf import settings as s\n"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, "
        "s.SESSION_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.SECURE_HSTS_SECONDS >= 31536000)",
        tmp_path=tmp_path,
    )
    assert said.stdout.split() == ["__Host-sessionid", "__Host-csrftoken", "True", "True", "True", "Lax", "True"], said.stderr
