"""Every rating task from a study to its report: simulated raters over HTTP, a frame that the schema accepts, figures named as they are."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from listening.frames import ratings_frame
from listening.models import Study, Trial
from listening.services import stimuli, studies
from listening.services.corpora import import_corpus
from listening.services.reports import write_study_report
from listening.services.simulation import simulate_raters

pytestmark = pytest.mark.usefixtures("without_pdf")

CORPUS = Path(__file__).parents[2] / "analysis" / "corpora" / "synthetic"
N_CLIPS = 4


@pytest.fixture
def simulated(transactional_db, live_server):
    def run(*tasks: str, conditions: Sequence[str] = ("original", "opus-6kbps")) -> Study:
        corpus = import_corpus("manifest", CORPUS, "voices", limit=N_CLIPS).corpus
        study = studies.create_study(
            corpus=corpus,
            slug="voices",
            conditions=list(conditions),
            rating_tasks=list(tasks),
            n_clips=N_CLIPS,
            votes_per_stratum=3,
        )
        studies.queue_stimuli(study)
        stimuli.work()
        studies.open_study(study)
        simulate_raters(study, live_server.url, seed=1)
        return study

    return run


def test_a_comparison_with_the_original_is_stored_with_its_sign_and_reported_as_a_cmos(simulated, tmp_path: Path):
    study = simulated("ccr")
    frame = ratings_frame(study)
    firsts = [trial.listening["reference_first"] for trial in Trial.objects.all()]
    assert len(firsts) == len(frame) and {True, False} == set(firsts)
    # Without the correction of the sign the two orders would cancel.
    assert frame[frame["condition"] == "opus-6kbps"]["value"].mean() < -0.5
    write_study_report(study, tmp_path / "report")
    assert "CMOS" in (tmp_path / "report" / "report.html").read_text()


def test_a_degradation_is_reported_as_a_dmos(simulated, tmp_path: Path):
    study = simulated("dcr")
    write_study_report(study, tmp_path / "report")
    assert "DMOS" in (tmp_path / "report" / "report.html").read_text()


def test_originals_are_made_and_played_though_they_are_no_condition(simulated):
    study = simulated("dcr", conditions=["opus-6kbps", "opus-24kbps"])
    assert set(ratings_frame(study)["condition"]) == {"opus-6kbps", "opus-24kbps"}
    assert all(trial.listening["heard_shares"] == [1, 1] for trial in Trial.objects.all())


def test_a_study_of_many_tasks_about_one_clip_is_simulated_and_reported(simulated, tmp_path: Path):
    study = simulated("emotion-or-other", "intensity", "dimensions", "p835-each", "acr")
    frame = ratings_frame(study)
    n_trials = Trial.objects.count()
    counts = frame["scale"].value_counts()
    words = counts.pop("emotion_other") if "emotion_other" in counts else 0
    assert set(counts) == {n_trials} and len(counts) == 9
    others = frame[(frame["scale"] == "emotion") & frame["labels"].str.contains("other")]
    assert len(others) == words
    write_study_report(study, tmp_path / "report")
    html = (tmp_path / "report" / "report.html").read_text()
    assert "Valence" in html and "tension" not in html
