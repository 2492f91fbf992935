"""A job's key changes with all that a rater could hear, and with nothing else."""

import dataclasses
import json
from pathlib import Path

import pytest

from codecs_runner import jobs, level
from codecs_runner.codecs import ffmpeg
from codecs_runner.errors import CodecError
from codecs_runner.jobs import RenderJob, RenderResult

JOB = RenderJob("a.wav", "00" * 32, "opus-6kbps")


def test_a_job_crosses_a_queue_unchanged() -> None:
    again = RenderJob.from_dict(json.loads(json.dumps(JOB.to_dict())))
    assert again == JOB and again.key == JOB.key


def test_an_alias_gives_the_same_job() -> None:
    assert RenderJob("a.wav", "00" * 32, "emo-codec:O1").key == JOB.key


def test_where_a_recording_lies_does_not_matter() -> None:
    assert RenderJob("/elsewhere/b.wav", "00" * 32, "opus-6kbps").key == JOB.key


@pytest.mark.parametrize(
    "change", [{"source_sha256": "11" * 32}, {"condition": "opus-24kbps"}, {"weights": {"w.th": "22" * 32}}]
)
def test_recording_condition_and_weights_decide_the_key(change: dict) -> None:
    assert RenderJob(**{**vars_of(JOB), **change}).key != JOB.key


def test_level_policy_and_recipe_decide_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {JOB.key}
    for module, name, value in ((level, "POLICY", {"target_dbov": -20}), (jobs, "RECIPE", "next")):
        monkeypatch.setattr(module, name, value)
        keys.add(RenderJob(**vars_of(JOB)).key)
    assert len(keys) == 3


def test_a_codecs_parameters_decide_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(ffmpeg.OPUS_6, params={**ffmpeg.OPUS_6.params, "application": "voip"})
    monkeypatch.setattr(jobs, "get_condition", lambda name: other)
    assert RenderJob(**vars_of(JOB)).key != JOB.key


def test_a_worker_with_other_code_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = JOB.to_dict()
    monkeypatch.setattr(jobs, "RECIPE", "next")
    with pytest.raises(CodecError) as caught:
        RenderJob.from_dict(sent)
    assert caught.value.code == "recipe_differs"


def test_missing_weights_are_part_of_the_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    assert set((RenderJob("a.wav", "00" * 32, "lyra-6kbps").weights or {}).values()) == {"missing"}


def test_an_unknown_condition_names_its_neighbours() -> None:
    with pytest.raises(KeyError, match="opus-6kbps"):
        RenderJob("a.wav", "00" * 32, "opus-6")


def test_a_result_crosses_a_queue_unchanged() -> None:
    result = RenderResult("k", ok=False, code="silent", message="It is silent.")
    assert RenderResult.from_dict(json.loads(json.dumps(result.to_dict()))) == result


def vars_of(job: RenderJob) -> dict:
    return {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}
