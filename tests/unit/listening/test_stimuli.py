"""The job table: claimed once, tried a few times, never lost."""

import errno
import os
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from codecs_runner.pipeline import render
from listening.models import Job, Stimulus
from listening.services import stimuli
from listening.services.stimuli import claim_jobs, due_jobs, job_value, record_result, store, work
from listening.services.studies import queue_stimuli


@pytest.fixture
def queued(draft):
    queue_stimuli(draft)
    return draft


def test_every_stimulus_is_made_with_its_provenance(queued):
    assert work() == 12
    assert not Stimulus.objects.exclude(status=Stimulus.Status.READY).exists()
    stimulus = Stimulus.objects.filter(condition="opus-6kbps").first()
    assert store().has(stimulus.key)
    assert 3_000 < stimulus.payload_bps < 9_000
    assert {"delay_samples", "codec_gain_db", "level_dbov", "versions"} <= stimulus.sidecar.keys()
    lengths = {(s.source_clip_id, s.sidecar["n_samples"]) for s in Stimulus.objects.all()}
    assert len(lengths) == 4, "every condition of a clip is as long as its original"


def test_asking_again_makes_nothing_again(queued):
    work()
    queue_stimuli(queued)
    assert not due_jobs().exists()
    assert work() == 0


def test_a_claimed_job_is_not_offered_until_its_lease_ends(queued):
    assert len(claim_jobs("a")) == 12
    assert claim_jobs("b") == []
    Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert len(claim_jobs("b")) == 12
    assert set(Job.objects.values_list("worker", "attempts")) == {("b", 2)}


def test_a_job_that_never_comes_back_is_failed_after_its_attempts(queued):
    for _ in range(Job.MAX_ATTEMPTS):
        assert claim_jobs("a")
        Job.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert claim_jobs("a") == []
    assert set(Stimulus.objects.values_list("status", flat=True)) == {Stimulus.Status.FAILED}
    assert "started 3 times" in Stimulus.objects.first().error
    queue_stimuli(queued)
    assert work() == 12, "asked for again, it is tried again"


def test_a_result_told_twice_changes_nothing(queued):
    job = claim_jobs("a", limit=1)[0]
    result = render(job_value(job), store())
    record_result(job.stimulus, result)
    first = Stimulus.objects.get(pk=job.stimulus_id)
    record_result(job.stimulus, result)
    second = Stimulus.objects.get(pk=job.stimulus_id)
    assert (first.key, first.audio_sha256, first.status) == (second.key, second.audio_sha256, second.status)


def test_a_full_disk_is_told_and_everything_else_is_kept(queued, monkeypatch, settings, tmp_path):
    real = os.fsync
    calls = iter(range(1000))

    def full_from_the_fifth(descriptor: int) -> None:
        if next(calls) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    settings.STIMULUS_STORE = tmp_path / "store"
    monkeypatch.setattr(os, "fsync", full_from_the_fifth)
    monkeypatch.setattr(stimuli, "render_many", lambda jobs, store: (render(job, store) for job in jobs))  # in this process
    out = StringIO()
    call_command("prepare_stimuli", queued.slug, stdout=out, verbosity=0)
    assert "full" in out.getvalue()
    failed = Stimulus.objects.filter(status=Stimulus.Status.FAILED)
    assert failed.exists()
    assert Stimulus.objects.filter(status=Stimulus.Status.READY).exists()
    monkeypatch.undo()
    out = StringIO()
    call_command("prepare_stimuli", queued.slug, stdout=out, verbosity=0)
    assert "12 of 12 stimuli are ready" in out.getvalue()


def test_a_source_file_that_vanished_fails_its_stimuli_and_nothing_else(queued, settings, tmp_path):
    settings.STIMULUS_STORE = tmp_path / "store"
    clip = queued.clips.first()
    (settings.SOURCE_STORE / clip.file).unlink()
    work()
    assert set(Stimulus.objects.filter(source_clip=clip).values_list("status", flat=True)) == {Stimulus.Status.FAILED}
    assert not Stimulus.objects.exclude(source_clip=clip).exclude(status=Stimulus.Status.READY).exists()
    assert Stimulus.objects.filter(source_clip=clip).first().error.endswith(".")
