"""Create, freeze, open, close."""

from collections import Counter

import pytest

from listening.frames import ratings_frame
from listening.models import PlanTrial, Stimulus, Study
from listening.services.errors import ServiceError
from listening.services.sizing import study_size
from listening.services.stimuli import work
from listening.services.studies import close_study, create_study, draw_clips, freeze_study, open_study, queue_stimuli
from tests.unit.listening.raters import Rater


def test_the_preset_is_the_emo_codec_test(corpus):
    study = create_study(corpus=corpus, slug="s")
    assert study.conditions == [
        "original",
        "opus-6kbps",
        "opus-24kbps",
        "encodec-24k-6kbps",
        "encodec-24k-24kbps",
        "dac-16k-6kbps",
        "dac-24k-24kbps",
    ]
    assert study.rating_tasks == ["emotion", "emo-codec-quality"]
    assert (study.strata, study.votes_per_stratum) == (["female", "male"], 5)
    assert study.emotions == corpus.emotions
    assert study.n_clips == corpus.clips.count() == study.clips.count(), "fewer clips than 45: all of them"


def test_clips_are_spread_over_emotions_and_speakers_sexes_and_drawn_by_the_seed(corpus):
    study = create_study(corpus=corpus, slug="s", n_clips=4, seed=3)
    first = list(study.clips.values_list("clip_id", flat=True))
    assert len(set(study.clips.values_list("emotion", "sex"))) == 4
    draw_clips(study)
    assert list(study.clips.values_list("clip_id", flat=True)) == first
    study.seed = 4
    draw_clips(study)
    assert list(study.clips.values_list("clip_id", flat=True)) != first


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"n_clips": 9}, "asks for 9 clips"),
        ({"n_clips": 0}, "greater than or equal to 1"),
        ({"n_clips": 4, "trials_per_session": 5}, "nobody hears a clip twice"),
        ({"votes_per_stratum": 0}, "greater than or equal to 1"),
        ({"conditions": []}, "no conditions"),
        ({"conditions": ["opus-7kbps"]}, "no condition 'opus-7kbps'"),
        ({"conditions": ["original", "original"]}, "twice"),
        ({"rating_tasks": ["smell"]}, "no rating task 'smell'"),
        ({"rating_tasks": []}, "no rating tasks"),
        ({"strata": []}, "no strata"),
        ({"emotions": ["anger"]}, "at least two options"),
        ({"preset": "no-such"}, "no preset 'no-such'"),
        ({"slug": "not a slug"}, "slug"),
    ],
)
def test_a_study_that_could_not_be_run_is_refused_in_a_sentence(corpus, changes, sentence):
    with pytest.raises(ServiceError, match=sentence):
        create_study(**{"corpus": corpus, "slug": "s", **changes})
    assert not Study.objects.exists()


def test_a_study_of_an_empty_corpus_is_refused(corpus):
    corpus.clips.all().delete()
    with pytest.raises(ServiceError, match="has no clips"):
        create_study(corpus=corpus, slug="s")


def test_two_studies_cannot_share_a_name(draft):
    with pytest.raises(ServiceError, match="exists already"):
        create_study(corpus=draft.corpus, slug=draft.slug)


def test_freezing_draws_plans_that_give_each_stimulus_its_votes_in_each_stratum(study):
    votes = Counter(PlanTrial.objects.values_list("plan__stratum", "stimulus"))
    assert len(votes) == 2 * 4 * 3
    assert set(votes.values()) == {study.votes_per_stratum}
    for plan in study.plans.all():
        clips = list(plan.trials.values_list("stimulus__source_clip", flat=True))
        assert len(set(clips)) == len(clips) <= study.trials_per_session


def test_a_second_panel_rates_each_original_again_and_nobody_is_in_both_panels_of_a_clip(draft):
    draft.second_panel = True
    draft.save()
    queue_stimuli(draft)
    work()
    freeze_study(draft)
    votes = Counter(PlanTrial.objects.values_list("plan__stratum", "stimulus__condition", "stimulus", "panel"))
    assert set(votes.values()) == {draft.votes_per_stratum}
    again = [condition for _, condition, _, panel in votes if panel == 2]
    assert again == ["original"] * len(again) and len(again) == 2 * draft.n_clips
    assert draft.plans.count() == study_size(draft).sessions
    for plan in draft.plans.all():
        clips = list(plan.trials.values_list("stimulus__source_clip", flat=True))
        assert len(set(clips)) == len(clips)
    open_study(draft)
    for plan in draft.plans.all():
        Rater(draft).arrive(plan.stratum).finish()
    ratings = ratings_frame(draft).query("scale == 'emotion'")
    assert set(ratings.groupby(["clip_id", "condition", "panel"]).size()) == {2}
    assert set(ratings.query("panel == '2'")["condition"]) == {"original"}
    assert not ratings.duplicated(["rater_id", "clip_id"]).any()


def test_a_second_panel_without_originals_is_refused(corpus):
    with pytest.raises(ServiceError, match="original is not among"):
        create_study(corpus=corpus, slug="s", conditions=["opus-6kbps"], second_panel=True)


def test_an_open_study_closes_and_opens_again_with_the_same_plans(study):
    plans = study.plans.count()
    with pytest.raises(ServiceError, match="open already"):
        open_study(study)
    close_study(study)
    with pytest.raises(ServiceError, match="not open"):
        close_study(study)
    open_study(study)
    assert study.plans.count() == plans


def test_a_study_whose_stimuli_are_not_made_does_not_freeze(draft):
    queue_stimuli(draft)
    with pytest.raises(ServiceError, match="12 stimuli are not made yet"):
        open_study(draft)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def test_a_condition_without_its_weights_is_left_out_and_nothing_else_stops(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    draft.conditions = [*draft.conditions, "lyra-6kbps"]
    draft.save()
    queue_stimuli(draft)
    work()
    notes = open_study(draft)
    assert [note.split(" ")[0] for note in notes] == ["lyra-6kbps"]
    assert "lyra-6kbps" not in draft.conditions


def test_a_study_with_no_available_condition_is_refused_and_stays_a_draft(draft, tmp_path, monkeypatch):
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    draft.conditions = ["lyra-6kbps"]
    draft.save()
    queue_stimuli(draft)
    work()
    with pytest.raises(ServiceError, match="None of the study's conditions"):
        freeze_study(draft)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def test_a_clip_that_failed_in_one_condition_is_left_out_of_all(draft):
    queue_stimuli(draft)
    work()
    broken = Stimulus.objects.filter(condition="opus-6kbps").first()
    Stimulus.objects.filter(pk=broken.pk).update(status=Stimulus.Status.FAILED, error="broken")
    (note,) = open_study(draft)
    assert broken.source_clip.clip_id in note
    assert draft.n_clips == 3
    assert not PlanTrial.objects.filter(stimulus__source_clip=broken.source_clip).exists()
