"""The one task of audio workers: lists of jobs in, lists of results out, both as dictionaries."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from celery import shared_task

from codecs_runner.errors import CodecError, RunnerError
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render
from codecs_runner.store import Store


@shared_task(name="codecs_runner.render_jobs")  # type: ignore[untyped-decorator]
def render_jobs(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Render jobs one after another into the store named by STIMULUS_STORE; results come in the order of the jobs.

    Delivering a list twice is harmless: what is in the store already is not rendered again.
    """
    root = os.environ.get("STIMULUS_STORE")
    return [_render(values, root).to_dict() for values in jobs]


def _render(values: Mapping[str, Any], root: str | None) -> RenderResult:
    try:
        if not root:
            raise CodecError("no_store", "This worker does not know where stimuli belong: set STIMULUS_STORE.")
        return render(RenderJob.from_dict(values), Store(root))
    except KeyError as error:
        unknown = CodecError("unknown_condition", str(error.args[0]))
        return RenderResult.failure(values.get("key", ""), unknown)
    except RunnerError as error:
        return RenderResult.failure(values.get("key", ""), error)
