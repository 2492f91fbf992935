"""The switches: each variable that code or containers read stands in .env.example, and audio workers get no secrets."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
READ_BY_CODE = re.compile(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"|\benviron(?:\.get\(|\[)\s*\"([A-Z_]+)\"")
NOT_OURS = {"DJANGO_SETTINGS_MODULE", "XDG_CACHE_HOME"}


@pytest.fixture(scope="module")
def switches() -> set[str]:
    return set(re.findall(r"^#?([A-Z_]+)=", (REPO / ".env.example").read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((REPO / "docker/compose.yml").read_text())
    return parsed


def test_env_example_names_every_variable_that_the_code_reads(switches: set[str]) -> None:
    sources = [path.read_text() for room in ("listening", "codecs_runner", "analysis") for path in (REPO / room).rglob("*.py")]
    names = {name for source in sources for match in READ_BY_CODE.findall(source) for name in match if name}
    assert names - NOT_OURS <= switches
    assert {"DATABASE_URL", "CODEC_WEIGHTS"} <= names, "the pattern finds nothing any more"


def test_compose_asks_for_variables_of_env_example_only(compose: dict[str, Any], switches: set[str]) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (REPO / "docker/compose.yml").read_text()))
    built = [service for service in compose["services"].values() if "build" in service]
    given = {name for service in built for name in service["environment"]}
    assert asked | given <= switches


def test_compose_builds_targets_that_the_dockerfile_has(compose: dict[str, Any]) -> None:
    targets = set(re.findall(r"^FROM .* AS (\w+)$", (REPO / "docker/Dockerfile").read_text(), flags=re.MULTILINE))
    assert {service["build"]["target"] for service in compose["services"].values() if "build" in service} == targets


def test_the_audio_worker_gets_no_secrets(compose: dict[str, Any]) -> None:
    assert not {"DATABASE_URL", "SECRET_KEY"} & compose["services"]["worker"]["environment"].keys()
