from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from analysis.corpora import CLIP_COLUMNS, READERS, CorpusError, read_corpus
from analysis.corpora.emodb import EMOTIONS, SPEAKERS, TEXTS


def emodb_folder(root: Path) -> Path:
    (root / "wav").mkdir()
    for name in ("03a01Wa", "08b10Nc", "16a02Tb"):
        (root / "wav" / f"{name}.wav").touch()
    return root


def manifest_folder(root: Path) -> Path:
    (root / "a.wav").touch()
    (root / "manifest.csv").write_text("path,sex,labels,language\na.wav,F,joy,en\n")
    return root


EXAMPLES: dict[str, Callable[[Path], Path]] = {"emodb": emodb_folder, "manifest": manifest_folder}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_yields_the_same_frame_and_refuses_folders_that_are_missing_or_empty(reader: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "good").mkdir()
    with pytest.raises(CorpusError, match="There is nothing at"):
        read_corpus(reader, tmp_path / "absent")
    with pytest.raises(CorpusError, match="expected"):
        read_corpus(reader, tmp_path / "empty")
    corpus = read_corpus(reader, EXAMPLES[reader](tmp_path / "good"))
    assert tuple(corpus.clips.columns) == CLIP_COLUMNS
    assert corpus.clips["clip_id"].is_unique
    assert corpus.clips["path"].map(lambda p: Path(p).is_absolute() and Path(p).is_file()).all()
    assert set(corpus.clips["sex"]) <= {"female", "male", ""}
    assert set(corpus.clips["emotion"]) <= {*corpus.emotions, ""}


@pytest.mark.parametrize("folder", ["wav", "audio", "."])
def test_emodb_is_found_in_each_of_its_folders(folder: str, tmp_path: Path) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    (tmp_path / folder / "03a01Wa.flac").touch()
    assert read_corpus("emodb", tmp_path).clips["transcript"].tolist() == [TEXTS["a01"]]


def test_emodb_says_what_it_left_out(tmp_path: Path) -> None:
    emodb_folder(tmp_path)
    for name in ("03a01Wa.flac", "07a01Wa.wav", "03a01Xa.wav", "hello.wav"):
        (tmp_path / "wav" / name).touch()
    reasons = {Path(entry.path).name: entry.reason for entry in read_corpus("emodb", tmp_path).left_out}
    assert reasons == {
        "03a01Wa.wav": "a second file of utterance 03a01Wa",
        "07a01Wa.wav": "EmoDB has no speaker 07",
        "03a01Xa.wav": "EmoDB has no emotion letter X",
        "hello.wav": "the file name is not of EmoDB's form (such as 03a01Wa)",
    }


def test_another_corpus_is_not_taken_for_emodb(tmp_path: Path) -> None:
    (tmp_path / "1001_DFA_ANG_XX.wav").touch()
    with pytest.raises(CorpusError, match=r"does not look like EmoDB: none of its 1 audio files .* 1001_DFA_ANG_XX\.wav"):
        read_corpus("emodb", tmp_path)
    with pytest.raises(CorpusError, match="EmoDB is a folder"):
        read_corpus("emodb", tmp_path / "1001_DFA_ANG_XX.wav")


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
