"""A study that is being recruited."""

import pytest

from listening.services.stimuli import work
from listening.services.studies import open_study, queue_stimuli
from tests.integration.recruiting import recruiting


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
