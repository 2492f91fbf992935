"""Studies that many tests need: one that is being recruited, and one on PostgreSQL for processes of our own."""

import os
from collections.abc import Iterator

import pytest

from listening.services.stimuli import work
from listening.services.studies import open_study, queue_stimuli
from tests.conftest import new_database
from tests.integration.recruiting import recruiting
from tests.integration.server import REPO, manage_all


@pytest.fixture
def quick(draft):
    """An open study of eight sessions whose clips need not be heard to their end."""
    draft.minimum_heard_share = 0.1
    draft.save()
    queue_stimuli(draft)
    work()
    open_study(draft)
    return draft


@pytest.fixture
def world(quick, settings, monkeypatch, live_server):
    with recruiting(quick, settings, monkeypatch, live_server.url) as world:
        yield world


@pytest.fixture(scope="session")
def _twelve_plans(_postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with new_database(_postgres_server) as url:
        data = str(tmp_path_factory.mktemp("twelve-plans"))
        environment = {**os.environ, "DATABASE_URL": url, "DATA_DIR": data, "SECRET_KEY": "test"}
        create = ["create_study", "--preset=emo-codec", "--corpus=c", "--name=s", "--conditions=original,opus-6kbps"]
        manage_all(
            environment,
            ["migrate", "-v0"],
            ["import_corpus", "manifest", str(REPO / "analysis/corpora/synthetic"), "--name", "c", "--limit", "4"],
            [*create, "--votes-per-stratum", "3", "--trials-per-session", "4"],
            ["prepare_stimuli", "s", "-v0"],
            ["open_study", "s"],
        )
        yield environment


@pytest.fixture
def twelve_plans(_twelve_plans: dict[str, str], _postgres_server: str) -> Iterator[dict[str, str]]:
    """The environment of an installation on PostgreSQL with an open study `s` of 12 plans, which is a copy made for this test."""
    with new_database(_postgres_server, like=_twelve_plans["DATABASE_URL"]) as url:
        yield _twelve_plans | {"DATABASE_URL": url}
