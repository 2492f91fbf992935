"""A study takes only the clips it was told to take, and says so when there are none."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from listening.models import Corpus, Study
from listening.services.corpora import import_corpus
from listening.services.errors import ServiceError
from listening.services.studies import create_study, save_draft
from tests.unit.analysis.miniatures import MINIATURES


def test_create_study_draws_from_the_selected_clips_only(corpus: Corpus) -> None:
    options = {"preset": "emo-codec", "corpus": corpus.name, "name": "women", "conditions": "original"}
    call_command("create_study", select="sex=female; duration=0.5..60", stdout=StringIO(), **options)
    study = Study.objects.get(slug="women")
    assert study.clip_selection == "sex=female; duration=0.5..60"
    assert set(study.clips.values_list("sex", flat=True)) == {"female"}
    assert study.n_clips == study.clips.count() == corpus.clips.filter(sex="female").count() < corpus.clips.count()


def test_a_changed_selection_draws_anew(corpus: Corpus) -> None:
    study = create_study(corpus=corpus, slug="s", conditions=["original"], n_clips=2, trials_per_session=2)
    emotion = corpus.clips.exclude(emotion="").first().emotion
    study.clip_selection, study.n_clips, study.trials_per_session = f"emotion={emotion}", 1, 1
    save_draft(study)
    assert [clip.emotion for clip in study.clips.all()] == [emotion]


@pytest.mark.parametrize(
    ("selection", "sentence"),
    [
        ("sex=women", "Clips taken: The sex is female or male, not 'women'"),
        ("emotion=boredom", "Clips taken: No clip has the emotion 'boredom'; there are"),
        ("duration=50..", "asks for 2 clips, but the corpus synthetic has 0 that are duration=50.."),
    ],
)
def test_a_selection_that_gives_too_little_is_told(corpus: Corpus, selection: str, sentence: str) -> None:
    with pytest.raises(ServiceError, match=sentence):
        create_study(
            corpus=corpus, slug="s", conditions=["original"], n_clips=2, trials_per_session=2, clip_selection=selection
        )


@pytest.mark.parametrize(("reader", "clips"), [("emns", 2), ("enterface", 3), ("iemocap", 3), ("crema-d", 2)])
def test_a_corpus_of_any_layout_is_imported_with_its_sound(db: None, tmp_path: Path, reader: str, clips: int) -> None:
    MINIATURES[reader].build(tmp_path)
    report = import_corpus(reader, tmp_path, "c")
    assert report.added == clips and report.notes
    assert all(0.3 < clip.duration_s < 0.4 for clip in report.corpus.clips.all())


def test_another_annotation_is_asked_for_by_name(db: None, tmp_path: Path) -> None:
    MINIATURES["crema-d"].build(tmp_path)
    out = StringIO()
    call_command("import_corpus", "crema-d", str(tmp_path), name="c", annotation="intended", verbosity=0, stdout=out)
    assert set(Corpus.objects.get().clips.values_list("emotion", flat=True)) == {"happiness", "anger"}
    assert "the whole of CREMA-D has 7441" in out.getvalue()
    with pytest.raises(CommandError, match="CREMA-D has no annotation 'secondary'; it has primary, intended"):
        call_command("import_corpus", "crema-d", str(tmp_path), name="d", annotation="secondary", verbosity=0)
