"""From jobs to files: idempotent, alike on one core and on many, failures as values."""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Event

import pytest
import soundfile as sf
from celery import current_app, shared_task

from analysis.pool import executor
from codecs_runner import weights
from codecs_runner.audio import inspect_audio
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render, render_many
from codecs_runner.store import Store
from codecs_runner.tasks import render_jobs
from tests.unit.codecs_runner.voices import make_speech

LIGHT = ("original", "opus-6kbps", "mp3-24kbps", "aac-24kbps")
SIDECAR_KEYS = (
    "key condition source_sha256 audio_sha256 n_samples sample_rate duration_s payload_bps delay_samples alignment correlation "
    "codec_gain_db level_gain_db level_dbov peak clipped limited_samples versions weights device rendered_at seconds"
)


def job_for(path: Path, condition: str) -> RenderJob:
    return RenderJob(str(path), inspect_audio(path).pcm_sha256, condition)


def jobs_for(folder: Path, n_clips: int, conditions: Sequence[str]) -> list[RenderJob]:
    for i in range(n_clips):
        sf.write(folder / f"{i}.wav", make_speech(0.4, 16_000, seed=i), 16_000)
    return [job_for(folder / f"{i}.wav", slug) for i in range(n_clips) for slug in conditions]


def test_a_stimulus_and_its_description(recording: Path, tmp_path: Path) -> None:
    store, job = Store(tmp_path / "store"), job_for(recording, "opus-24kbps")
    result = render(job, store)
    assert result.ok and result.key == job.key and list(result.sidecar) == SIDECAR_KEYS.split()
    assert result.sidecar == store.sidecar(job.key)
    flac = store.flac_path(job.key)
    assert hashlib.sha256(flac.read_bytes()).hexdigest() == result.sidecar["audio_sha256"]
    info = sf.info(flac)
    assert (info.samplerate, info.channels, info.frames, info.format) == (48_000, 1, 72_000, "FLAC")
    assert result.sidecar["level_dbov"] == pytest.approx(-26, abs=0.02)
    assert result.sidecar["versions"]["av"]


def test_a_job_delivered_twice_is_rendered_once(recording: Path, tmp_path: Path) -> None:
    store, job = Store(tmp_path / "store"), job_for(recording, "opus-6kbps")
    first = render(job, store)
    written = store.flac_path(job.key).stat().st_mtime_ns
    assert render(job, store) == first
    assert store.flac_path(job.key).stat().st_mtime_ns == written


def test_many_over_processes_equal_one_after_another(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path, 3, LIGHT)
    progress: list[tuple[int, int]] = []
    many = list(render_many([*jobs, jobs[0]], Store(tmp_path / "many"), lambda *at: progress.append(at), workers=2))
    assert progress == [(i + 1, 12) for i in range(12)]
    one = {job.key: render(job, Store(tmp_path / "one")) for job in jobs}
    assert {r.key: r.sidecar["audio_sha256"] for r in many} == {key: r.sidecar["audio_sha256"] for key, r in one.items()}


def test_a_killed_process_loses_no_finished_work(tmp_path: Path) -> None:
    jobs, store = jobs_for(tmp_path, 15, LIGHT), Store(tmp_path / "store")
    results = render_many(jobs, store, workers=2)
    first = next(results)
    for process in list(executor(2, str(weights.folder()))._processes.values()):
        process.kill()
    ended = [first, *results]
    assert {result.key for result in ended} == {job.key for job in jobs}
    assert {result.code for result in ended if not result.ok} == {"worker_died"}
    assert all(store.has(result.key) for result in ended if result.ok)
    assert all(result.ok for result in render_many(jobs, store, workers=2))


def test_one_bad_recording_stops_no_other(tmp_path: Path) -> None:
    jobs = jobs_for(tmp_path, 2, ("original",))
    (tmp_path / "0.wav").write_bytes(b"gone")
    by_key = {result.key: result for result in render_many(jobs, Store(tmp_path / "store"))}
    assert (by_key[jobs[0].key].ok, by_key[jobs[0].key].code) == (False, "undecodable")
    assert by_key[jobs[1].key].ok


def test_a_recording_that_has_changed_is_not_rendered(recording: Path, tmp_path: Path) -> None:
    job = job_for(recording, "original")
    sf.write(recording, make_speech(1.0, 16_000, seed=9), 16_000)
    assert render(job, Store(tmp_path / "store")).code == "source_changed"


def test_a_full_disk_is_a_result(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store, job = Store(tmp_path / "store"), job_for(recording, "original")
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        result = render(job, store)
    assert (result.ok, result.code) == (False, "disk_full")
    assert not [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert render(job, store).ok


def test_missing_weights_are_a_result_that_says_what_to_do(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path / "empty"))
    result = render(job_for(recording, "lyra-6kbps"), Store(tmp_path / "store"))
    assert not result.ok and result.code == "unavailable" and result.message


def test_other_weights_than_the_jobs_are_refused(recording: Path, tmp_path: Path) -> None:
    job = RenderJob(str(recording), inspect_audio(recording).pcm_sha256, "original", weights={"w.th": "00" * 32})
    assert render(job, Store(tmp_path / "store")).code == "weights_differ"


def test_the_task_takes_and_gives_plain_values(recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIMULUS_STORE", str(tmp_path / "store"))
    good = job_for(recording, "original")
    first, second = map(RenderResult.from_dict, render_jobs([good.to_dict(), {**good.to_dict(), "condition": "no-such"}]))
    assert first.ok and Store(tmp_path / "store").has(good.key)
    assert (second.code, second.key) == ("unknown_condition", good.key)


def test_the_task_gives_each_job_of_a_list_its_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the list's order, whatever the order of the work; a job that is asked for twice gets it twice."""
    monkeypatch.setenv("STIMULUS_STORE", str(tmp_path / "store"))
    jobs = jobs_for(tmp_path, 3, LIGHT)
    (tmp_path / "1.wav").write_bytes(b"gone")
    jobs = [*jobs[::-1], jobs[0]]
    results = [RenderResult.from_dict(values) for values in render_jobs([job.to_dict() for job in jobs])]
    assert [result.key for result in results] == [job.key for job in jobs]
    assert [result.ok for result in results] == [not job.source.endswith("1.wav") for job in jobs]


def test_a_long_list_tells_what_is_done_before_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIMULUS_STORE", str(tmp_path / "store"))
    monkeypatch.setattr("codecs_runner.tasks.TELL_EVERY_S", 0.0)
    told: list[str] = []

    @shared_task(name="tests.told")
    def tell(results: list[dict[str, object]]) -> None:
        told.extend(str(result["key"]) for result in results)

    jobs = [job.to_dict() for job in jobs_for(tmp_path, 2, LIGHT)]
    render_jobs.push_request(callbacks=[tell.s()])
    current_app.conf.task_always_eager = True
    try:
        results = render_jobs.run(jobs)
    finally:
        current_app.conf.task_always_eager = False
        render_jobs.pop_request()
    assert sorted(told) == sorted(result["key"] for result in results)


def test_a_list_is_told_to_be_begun_and_to_be_done_as_long_as_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STIMULUS_STORE", str(tmp_path / "store"))
    told: list[tuple[list[str], bool]] = []
    twice = Event()

    @shared_task(name="tests.alive")
    def alive(keys: list[str], worker: str, begun: bool) -> None:
        told.append((keys, begun))
        if len(told) > 2:
            twice.set()

    def slow(jobs: Iterable[RenderJob], store: Store, workers: int) -> Iterator[RenderResult]:
        assert told, "it is told before anything is done"
        assert twice.wait(30), "it is told again while it lasts"
        yield from render_many(jobs, store, workers=workers)

    monkeypatch.setattr("codecs_runner.tasks.render_many", slow)
    jobs = [job.to_dict() for job in jobs_for(tmp_path, 2, LIGHT)]
    current_app.conf.task_always_eager = True
    try:
        results = render_jobs(jobs, alive={"task": alive.s(), "every_s": 0.01})
    finally:
        current_app.conf.task_always_eager = False
    assert [result["ok"] for result in results] == [True] * len(jobs)
    keys = [job["key"] for job in jobs]
    assert told[0] == (keys, True) and set(map(str, told[1:])) == {str((keys, False))}


def test_the_task_without_a_store_says_so(recording: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STIMULUS_STORE", raising=False)
    assert render_jobs([job_for(recording, "original").to_dict()])[0]["code"] == "no_store"
