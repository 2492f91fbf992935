"""How long a stimulus takes to render, from recording to file in the store, for every condition that this machine has."""

from pathlib import Path
from time import perf_counter

import pytest

from codecs_runner.audio import inspect_audio
from codecs_runner.jobs import RenderJob
from codecs_runner.pipeline import render
from codecs_runner.registry import CONDITIONS, availability
from codecs_runner.store import Store

CLIPS = sorted((Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic/audio").glob("*_a.flac"))[:9]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_seconds_of_work_for_a_second_of_speech(condition: str, tmp_path: Path) -> None:
    available = availability(condition)
    if not available.ok:
        pytest.skip(available.reason)
    infos = {clip: inspect_audio(clip) for clip in CLIPS}
    jobs = [RenderJob(str(clip), info.pcm_sha256, condition) for clip, info in infos.items()]
    store = Store(tmp_path)
    assert render(jobs[0], store).ok  # loads what the codec needs

    start = perf_counter()
    assert all(render(job, store).ok for job in jobs[1:])
    seconds = perf_counter() - start
    speech = sum(infos[clip].duration_s for clip in CLIPS[1:])
    print(
        f"\n{condition:20} {1000 * seconds / (len(jobs) - 1):7.0f} ms per clip, {seconds / speech:.3f} s per second of speech"
    )
