import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from analysis.corpora import CLIP_COLUMNS, READERS, CorpusError, get_reader, read_corpus
from analysis.corpora.emodb import EMOTIONS, SPEAKERS, TEXTS
from analysis.emotions import NAMES
from tests.unit.analysis.miniatures import ANNOTATIONS, MINIATURES


@pytest.fixture(scope="session")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A miniature of every corpus: reader -> folder."""
    folders = {reader: tmp_path_factory.mktemp("corpora") / reader / "corpus" for reader in READERS}
    for reader, folder in folders.items():
        folder.mkdir(parents=True)
        MINIATURES[reader].build(folder)
    return folders


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_yields_the_same_frame(reader: str, corpora: dict[str, Path]) -> None:
    corpus = read_corpus(reader, corpora[reader], ANNOTATIONS.get(reader, ""))
    clips = corpus.clips
    assert tuple(clips.columns) == CLIP_COLUMNS
    assert sorted(clips["clip_id"]) == sorted(MINIATURES[reader].clips)
    assert clips["path"].map(lambda p: Path(p).is_absolute() and Path(p).is_file()).all()
    assert set(clips["sex"]) <= {"female", "male", ""}
    assert set(clips["emotion"]) <= {*corpus.emotions, ""}
    assert set(clips["annotation"]) <= {*get_reader(reader).annotations, "secondary"}
    assert (clips["licence_note"] != "").all() or reader == "manifest"
    assert all(count > 0 for votes in clips["votes"] for count in votes.values())
    for votes, raters in zip(clips["votes"], clips["rater_labels"], strict=True):
        if raters and reader != "crema-d":  # whose responses and votes are two tables
            assert Counter(name for names in raters.values() for name in names.split("|")) == votes
    assert corpus.vote_matrix().shape == (len(clips), len(corpus.emotions))
    assert set(corpus.emotions) <= NAMES.keys() or reader == "manifest"


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_tells_missing_audio_unknown_labels_and_what_is_not_the_corpus_s(
    reader: str, corpora: dict[str, Path]
) -> None:
    left_out = read_corpus(reader, corpora[reader], ANNOTATIONS.get(reader, "")).left_out
    trouble = MINIATURES[reader].trouble
    told = {end: entry.reason for entry in left_out for end in trouble if Path(entry.path).name.endswith(end)}
    assert len(left_out) == len(trouble) == len(told)
    assert {end: part for end, part in trouble.items() if part not in told[end]} == {}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_refuses_what_is_missing_or_empty(reader: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="There is nothing at"):
        read_corpus(reader, tmp_path / "absent")
    with pytest.raises(CorpusError, match=r"Expected is|A manifest is"):
        read_corpus(reader, tmp_path)


@pytest.mark.parametrize("asked", READERS)
def test_every_other_corpus_is_named_for_what_it_is(asked: str, corpora: dict[str, Path]) -> None:
    for reader, folder in corpora.items():
        if reader != asked:
            with pytest.raises(CorpusError, match=rf"It looks like .*\(reader '{reader}'\)"):
                read_corpus(asked, folder)


@pytest.mark.parametrize("reader", READERS)
def test_a_folder_too_high_or_too_deep_is_told_from_the_right_one(reader: str, corpora: dict[str, Path]) -> None:
    right = corpora[reader]
    with pytest.raises(CorpusError, match=rf"{re.escape(str(right))} looks like .*\(reader '{reader}'\)"):
        read_corpus(reader, right.parent)
    deep = right / "deeper"
    deep.mkdir(exist_ok=True)
    with pytest.raises(CorpusError, match=rf"{re.escape(str(right))} looks like .*\(reader '{reader}'\)"):
        read_corpus(reader, deep)
    deep.rmdir()


@pytest.mark.parametrize("folder", ["wav", "audio", "."])
def test_emodb_is_found_in_each_of_its_folders(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "03a01Wa.flac").touch()
    assert read_corpus("emodb", tmp_path).clips["transcript"].tolist() == [TEXTS["a01"]]


def test_a_second_file_of_an_utterance_is_left_out(tmp_path: Path) -> None:
    for name in ("03a01Wa.wav", "03a01Wa.flac"):
        (tmp_path / name).touch()
    assert [entry.reason for entry in read_corpus("emodb", tmp_path).left_out] == ["a second entry for the clip 03a01Wa"]


def test_the_real_emodb_clips_agree_with_their_manifest(shared: Path) -> None:
    corpus = read_corpus("emodb", shared / "data" / "emodb")
    table = pd.read_csv(shared / "data" / "emodb" / "manifest.csv", dtype=str).set_index("utterance")
    clips = corpus.clips.set_index("clip_id")
    assert len(clips) == 225 and not corpus.left_out
    assert corpus.emotions == tuple(EMOTIONS.values())
    expected = table.loc[clips.index]
    assert clips["emotion"].tolist() == expected["emotion"].tolist()
    assert clips["speaker"].tolist() == expected["speaker"].tolist()
    assert clips["sex"].tolist() == expected["sex"].map({"M": "male", "F": "female"}).tolist()
    assert set(clips["speaker"]) <= set(SPEAKERS)
    assert (clips["transcript"] != "").all()


def write_manifest(root: Path, text: str, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).touch()
    (root / "manifest.csv").write_text(text)
    return root


def test_a_manifest_tells_labels_votes_sex_and_ids(tmp_path: Path) -> None:
    text = (
        "path,speaker,sex,language,transcript,labels,votes\n"
        "x/a.wav,s1,Male,en,hello,anger|fear,\n"
        "y/a.wav,s2,f,en,bye,,anger:3|neutral:2\n"
        "b.wav,s3,,en,,,anger:2|neutral:2\n"
    )
    corpus = read_corpus("manifest", write_manifest(tmp_path, text, "x/a.wav", "y/a.wav", "b.wav") / "manifest.csv")
    assert corpus.language == "en"
    assert corpus.emotions == ("anger", "fear", "neutral")
    assert corpus.clips["clip_id"].tolist() == ["x/a", "y/a", "b"]
    assert corpus.clips["sex"].tolist() == ["male", "female", ""]
    assert corpus.clips["emotion"].tolist() == ["", "anger", ""]
    assert corpus.clips["votes"].tolist() == [{}, {"anger": 3, "neutral": 2}, {"anger": 2, "neutral": 2}]


def test_a_manifest_row_that_cannot_be_used_is_left_out_with_its_reason(tmp_path: Path) -> None:
    text = "path,sex,votes\na.wav,F,\na.wav,F,\nno.wav,F,\na.wav,X,\na.wav,F,anger\n,F,\n"
    corpus = read_corpus("manifest", write_manifest(tmp_path, text, "a.wav"))
    assert len(corpus.clips) == 1
    reasons = [entry.reason.replace(str(tmp_path), "DIR") for entry in corpus.left_out]
    assert reasons == [
        "the clip id a occurs before",
        "there is no audio file at DIR/no.wav",
        "the sex 'X' is not one of female, male, F, M or empty",
        "the votes 'anger' are not of the form anger:3|neutral:2",
        "the row has no path",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty"),
        ("path\n", "a header and no rows"),
        ("file,sex\na.wav,F\n", "no column 'path'; its columns are file, sex"),
        ("path\nno.wav\n", r"None of the 1 rows .* the first: there is no audio file"),
        ('path\n"a', "not a CSV in UTF-8"),
    ],
)
def test_a_manifest_without_a_usable_row_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(CorpusError, match=sentence):
        read_corpus("manifest", write_manifest(tmp_path, text))


def test_a_table_of_another_form_is_refused(shared: Path) -> None:
    with pytest.raises(CorpusError, match="no column 'path'"):
        read_corpus("manifest", shared / "data" / "emodb")
