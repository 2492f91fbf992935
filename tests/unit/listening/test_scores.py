"""Signal measures of stimuli: made by jobs, stored once, told with their reasons."""

from io import StringIO
from math import isnan
from zipfile import ZipFile

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from analysis.compare_command import read_scores
from codecs_runner.scoring import ScoreResult, score_many
from codecs_runner.tasks import score_jobs
from listening.frames import scores_frame
from listening.models import Job, Stimulus, StimulusScore
from listening.services.scores import claim_scores, due_scores, queue_scores, record_scores, work_scores
from listening.services.stimuli import due_jobs, store, work
from listening.services.studies import queue_stimuli
from tests.unit.listening.raters import Rater

MEASURES = ("stoi", "si_sdr", "active_level_dbov")


@pytest.fixture
def made(draft):
    queue_stimuli(draft)
    work()
    return draft


def test_the_command_measures_every_stimulus_and_repeats_nothing(made, tmp_path):
    out = StringIO()
    call_command("score_stimuli", made.slug, measures="stoi,si_sdr", out=str(tmp_path / "s.csv"), stdout=out, verbosity=0)
    assert "24 scores of 12 stimuli are stored" in out.getvalue()
    means = pd.read_csv(tmp_path / "s.csv").query("measure == 'stoi'").groupby("condition")["score"].mean()
    assert means["original"] == pytest.approx(1)
    assert means["original"] > means["mp3-24kbps"] > means["opus-6kbps"]
    assert queue_scores(made, ("stoi", "si_sdr")) == 0
    assert not due_jobs().exists(), "what is rendered is left alone"


def test_stimuli_are_measured_at_the_rate_of_their_recording(made):
    queue_scores(made, ("stoi",))
    assert {value.sample_rate for _, value in claim_scores("a", 99)} == {16_000}


def test_scores_wait_until_stimulus_and_original_are_made(draft):
    queue_stimuli(draft)
    queue_scores(draft, ("stoi",))
    assert not due_scores().exists()
    work()
    assert due_scores().count() == 12


def test_a_new_version_of_a_measure_and_new_audio_are_measured_anew(made):
    queue_scores(made, ("si_sdr",))
    work_scores()
    StimulusScore.objects.filter(stimulus__condition="opus-6kbps").update(version="0")
    assert queue_scores(made, ("si_sdr",)) == 4
    Stimulus.objects.filter(condition="mp3-24kbps").update(key="another")
    assert queue_scores(made, ("si_sdr",)) == 8


def test_undefined_is_stored_with_its_reason_and_is_not_zero(made):
    queue_scores(made, ("stoi",))
    [(_, value)] = claim_scores("a", 1)
    record_scores([ScoreResult(value.key, {"stoi": (None, "There is no speech.", "1")}).to_dict()])
    frame = scores_frame(made)
    assert isnan(frame["score"][0])
    assert frame["reason"][0] == "There is no speech."
    assert queue_scores(made, ("stoi",)) == 11, "asking again does not change what is undefined"


def test_an_audio_worker_measures_without_a_database_and_results_told_twice_change_nothing(made, monkeypatch, settings):
    monkeypatch.setenv("STIMULUS_STORE", str(settings.STIMULUS_STORE))
    queue_scores(made, MEASURES)
    values = [value.to_dict() for _, value in claim_scores("celery", 99)]
    results = score_jobs(values)
    record_scores(results)
    first = list(StimulusScore.objects.values_list("stimulus", "measure", "value", "version"))
    record_scores(results)
    assert list(StimulusScore.objects.values_list("stimulus", "measure", "value", "version")) == first
    assert len(first) == 12 * len(MEASURES)
    assert set(Job.objects.filter(kind=Job.Kind.SCORE).values_list("state", flat=True)) == {Job.State.DONE}


def test_a_file_that_is_gone_is_told_in_a_sentence(made):
    queue_scores(made, ("stoi",))
    [(_, value)] = claim_scores("a", 1)
    path = store().flac_path(value.degraded_key)
    path.rename(path.with_name("away"))
    try:
        [result] = score_many([value], store())
    finally:
        path.with_name("away").rename(path)
    assert result.scores["stoi"][1].startswith("There is no file")
    assert not result.ok


def test_an_unknown_measure_is_refused(made):
    with pytest.raises(CommandError, match="There is no measure 'posq'"):
        call_command("score_stimuli", made.slug, measures="posq")


def test_an_export_carries_the_scores_and_what_each_measure_is(study, tmp_path):
    Rater(study).arrive().finish()
    call_command("export_ratings", study.slug, out=tmp_path / "before.csv", verbosity=0, stdout=StringIO())
    assert not (tmp_path / "before-scores.csv").exists(), "a study that was not measured has no empty table"
    queue_scores(study, MEASURES)
    work_scores()
    for name in ("r.csv", "r.parquet", "r.zip"):
        form = "datapackage" if name == "r.zip" else ""
        call_command("export_ratings", study.slug, out=tmp_path / name, form=form, verbosity=0, stdout=StringIO())
    with ZipFile(tmp_path / "r.zip") as archive:
        packed = {name: archive.read(f"data/{name}.csv") for name in ("scores", "measures", "dictionary")}
    for name, content in packed.items():
        assert (tmp_path / f"r-{name}.csv").read_bytes() == content
    scores = read_scores(tmp_path / "r-scores.csv").astype({"score": "float64"})
    pd.testing.assert_frame_equal(scores[scores_frame(study).columns], scores_frame(study), check_dtype=False)
    measures = pd.read_csv(tmp_path / "r-measures.csv", index_col="measure")
    assert set(measures.index) == set(MEASURES)
    assert measures.at["si_sdr", "unit"] == "dB" and measures.at["stoi", "best"] == "higher"
