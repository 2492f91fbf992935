"""What the readers make of each corpus's own labels, raters, splits and speakers."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.corpora import Corpus, CorpusError, read_corpus
from analysis.corpora.folds import folds
from analysis.corpora.iemocap import TESTED
from analysis.labels import EXCITED_AS_HAPPY
from tests.unit.analysis.miniatures import MINIATURES, sound, write


def read(reader: str, root: Path, annotation: str = "") -> tuple[Corpus, Any]:
    MINIATURES[reader].build(root)
    corpus = read_corpus(reader, root, annotation)
    return corpus, corpus.clips.set_index("clip_id")


def test_iemocap_counts_outside_raters_alone_and_keeps_the_published_consensus(tmp_path: Path) -> None:
    _, clips = read("iemocap", tmp_path)
    first, second, third = (clips.loc[name] for name in MINIATURES["iemocap"].clips)
    assert first["votes"] == {"neutral": 2, "frustration": 1}
    assert first["rater_labels"] == {"E2": "neutral", "E3": "neutral|frustration"}
    assert (first["emotion"], first["speaker"], first["sex"], first["transcript"]) == (
        "neutral",
        "Ses01F",
        "female",
        "Well now.",
    )
    assert (second["emotion"], second["votes"], second["speaker"]) == ("", {"sadness": 1, "other": 1}, "Ses01M")
    assert (third["emotion"], third["sex"], third["session"]) == ("excitement", "female", "5")
    assert first["splits"] == {"1": "train", "2": "train", "3": "train", "4": "test", "5": "development"}
    assert third["splits"]["5"] == "test" and third["splits"]["1"] == "development"


def test_iemocap_s_folds_are_emo_superb_s(tmp_path: Path) -> None:
    MINIATURES["iemocap"].build(tmp_path)
    for session in "1234":
        turn = f"Ses0{session}F_impro02_F000"
        block = f"[0.0 - 0.5]\t{turn}\tsad\t[2.0, 2.0, 2.0]\nC-E1:\tSadness;\t()\n"
        write(tmp_path / f"Session{session}/dialog/EmoEvaluation/Ses0{session}F_impro02.txt", block)
        sound(tmp_path / f"Session{session}/sentences/wav/Ses0{session}F_impro02/{turn}.wav")
    clips = read_corpus("iemocap", tmp_path).clips
    drawn = folds(clips)
    assert [set(clips["session"][fold.test]) for fold in drawn] == [{"4"}, {"3"}, {"2"}, {"1"}, {"5"}]
    assert [set(clips["session"][fold.development]) for fold in drawn] == [{"5"}, {"4"}, {"3"}, {"2"}, {"1"}]
    assert len(TESTED) == len(drawn)


def test_excited_as_happy_gives_four_classes_their_votes(tmp_path: Path) -> None:
    corpus, _ = read("iemocap", tmp_path)
    merged = corpus.merged(EXCITED_AS_HAPPY)
    clips = merged.clips.set_index("clip_id")
    assert "excitement" not in merged.emotions and merged.emotions.count("happiness") == 1
    assert clips.loc["Ses05M_script01_1b_F005", ["emotion", "votes"]].tolist() == ["happiness", {"happiness": 1}]
    assert clips.loc["Ses01F_impro01_M000", "emotion"] == ""


def test_crema_d_counts_the_voice_alone(tmp_path: Path) -> None:
    _, clips = read("crema-d", tmp_path)
    clip, tied = clips.loc["1001_IEO_HAP_LO"], clips.loc["1002_DFA_ANG_XX"]
    assert clip["votes"] == {"happiness": 3, "neutral": 6} and clip["emotion"] == "neutral"
    assert clip["rater_labels"] == {"7": "happiness", "8": "neutral"}
    assert (tied["emotion"], tied["sex"]) == ("", "female")
    intended = read_corpus("crema-d", tmp_path, "intended").clips.set_index("clip_id")
    assert intended.loc["1001_IEO_HAP_LO", ["emotion", "votes"]].tolist() == ["happiness", {}]


def test_the_real_votes_on_crema_d_give_the_published_majority(shared: Path, tmp_path: Path) -> None:
    """Twelve real clips and their real counts, laid out as the corpus lays them out."""
    source = shared / "data" / "crema_d_votes"
    (tmp_path / "AudioWAV").symlink_to(source / "audio")
    votes = pd.read_csv(source / "votes.csv", keep_default_na=False)
    heard = votes[votes["modality"] == "voice"]
    table = heard[["A", "D", "F", "H", "N", "S", "fileName"]].set_index(np.arange(100_001, 100_001 + len(heard)).astype(str))
    (tmp_path / "processedResults").mkdir()
    table.to_csv(tmp_path / "processedResults" / "tabulatedVotes.csv")
    actors = votes[["actor", "sex"]].drop_duplicates().set_axis(["ActorID", "Sex"], axis=1)
    actors.replace({"M": "Male", "F": "Female"}).to_csv(tmp_path / "VideoDemographics.csv", index=False)
    corpus = read_corpus("crema-d", tmp_path)
    assert len(corpus.clips) == 12 and set(corpus.clips["sex"]) == {"female", "male"}
    expected = heard.set_index("fileName").loc[corpus.clips["clip_id"], ["A", "S", "D", "F", "N", "H"]].to_numpy()
    np.testing.assert_array_equal(corpus.vote_matrix(), expected)
    assert corpus.clips["votes"].map(lambda cell: sum(cell.values())).between(4, 13).all()
    assert len([item for item in corpus.left_out if "no audio file" in item.reason]) == len(heard) - 12
    assert corpus.notes[-1] == "12 clips were read; the whole of CREMA-D has 7441."


def test_msp_improv_has_two_annotations_and_six_folds(tmp_path: Path) -> None:
    primary, clips = read("msp-improv", tmp_path)
    clip, other = (clips.loc[name] for name in MINIATURES["msp-improv"].clips)
    assert len(primary.emotions) == 4
    assert clip["votes"] == {"anger": 1, "neutral": 2} and clip["emotion"] == "neutral" and len(clip["rater_labels"]) == 3
    assert other["emotion"] == "" and other["votes"] == {"other": 1} and (other["speaker"], other["sex"]) == ("M06", "male")
    assert clip["splits"]["4"] == "test" and clip["splits"]["3"] == "development" and len(clip["splits"]) == 6
    secondary = read_corpus("msp-improv", tmp_path, "secondary")
    assert len(secondary.emotions) == 10
    assert secondary.clips["votes"].tolist()[0] == {"anger": 1, "frustration": 1, "neutral": 2, "other": 1}


def test_msp_podcast_reads_both_annotations_from_json_and_csv(tmp_path: Path) -> None:
    _, clips = read("msp-podcast", tmp_path)
    first = clips.iloc[0]
    assert first["votes"] == {"neutral": 1, "happiness": 1} and first["emotion"] == "neutral"
    assert (first["speaker"], first["sex"], first["transcript"]) == ("", "", "so we went there")
    assert clips["splits"].tolist() == [{"1": split} for split in ("train", "development", "test", "test2")]
    secondary = read_corpus("msp-podcast", tmp_path, "secondary").clips
    assert secondary["votes"][0] == {"neutral": 1, "other": 1, "happiness": 1, "amusement": 1}
    (tmp_path / "Labels/labels_detailed.json").unlink()
    alone = read_corpus("msp-podcast", tmp_path)
    assert alone.clips["votes"].tolist() == [{}] * 4 and "only the consensus is known" in " ".join(alone.notes)
    with pytest.raises(CorpusError, match="holds the secondary labels"):
        read_corpus("msp-podcast", tmp_path, "secondary")
    rows = "FileName,Worker,EmoClass_Major,EmoClass_Second\nMSP-PODCAST_0001_0001.wav,W1,Sad,Sad\n"
    write(tmp_path / "Labels/labels_detailed.csv", rows)
    assert read_corpus("msp-podcast", tmp_path).clips["rater_labels"][0] == {"W1": "sadness"}


def test_emo_superb_s_shares_are_unsmoothed_and_its_folds_kept(tmp_path: Path) -> None:
    corpus, clips = read("emo-superb", tmp_path, "secondary")
    first, second = (clips.loc[name] for name in MINIATURES["emo-superb"].clips)
    assert first["votes"] == pytest.approx({"anger": 1}, abs=1e-5)
    assert second["votes"] == pytest.approx({"anger": 0.5, "neutral": 0.5}, abs=1e-5)
    assert (first["emotion"], second["emotion"]) == ("anger", "")
    assert second["splits"] == {"1": "development", "2": "test"}
    assert corpus.clips["clip_id"].tolist() == read_corpus("emo-superb", tmp_path / "Secondary").clips["clip_id"].tolist()
    with pytest.raises(CorpusError, match="it has Secondary: ask for that annotation"):
        read_corpus("emo-superb", tmp_path)
    table = tmp_path / "Secondary/labels_consensus_1.csv"
    table.write_text(table.read_text().replace("0.95,", "0.80,"))
    with pytest.raises(CorpusError, match="do not add up to 1"):
        read_corpus("emo-superb", tmp_path, "secondary")


@pytest.mark.parametrize(("reader", "speaker"), [("esd", "0011"), ("enterface", "6")])
def test_sexes_come_from_a_table_laid_beside_the_corpus(reader: str, speaker: str, tmp_path: Path) -> None:
    corpus, clips = read(reader, tmp_path)
    assert set(clips["sex"]) == {""} and "does not tell its speakers' sexes" in corpus.notes[0]
    write(tmp_path / "speakers.csv", f"speaker,sex\n{speaker},F\n")
    clips = read_corpus(reader, tmp_path).clips.set_index("speaker")
    assert clips.loc[speaker, "sex"] == "female"
    write(tmp_path / "speakers.csv", f"speaker,sex\n{speaker},X\n")
    with pytest.raises(CorpusError, match="has the sexes X"):
        read_corpus(reader, tmp_path)


def test_esd_is_read_in_both_languages_and_with_its_splits(tmp_path: Path) -> None:
    _, clips = read("esd", tmp_path)
    assert clips.loc["0001_000351", ["language", "transcript", "emotion"]].tolist() == ["zh", "打远一看。", "happiness"]
    assert clips.loc["0011_000351", "language"] == "en"
    sound(tmp_path / "0012/Surprise/evaluation/0012_001401.wav")
    clips = read_corpus("esd", tmp_path).clips.set_index("clip_id")
    assert clips.loc["0012_001401", ["emotion", "splits"]].tolist() == ["surprise", {"1": "development"}]


def test_a_woman_of_the_jl_corpus_is_not_taken_for_a_man(tmp_path: Path) -> None:
    _, clips = read("jl-corpus", tmp_path)
    assert clips.loc["female1_angry_10a_1", ["sex", "transcript"]].tolist() == ["female", "Tom beats that farmer."]
    assert clips.loc["male2_encouraging_3b_2", ["sex", "emotion"]].tolist() == ["male", "encouragement"]


def test_a_mapping_gives_counts_or_raters(tmp_path: Path) -> None:
    _, clips = read("nnime", tmp_path / "counts")
    assert clips["votes"].tolist() == [{"anger": 2, "frustration": 1}, {"joy": 4}] and clips["sex"].tolist() == [
        "male",
        "female",
    ]
    _, clips = read("biic-podcast", tmp_path / "raters")
    assert clips["rater_labels"].tolist() == [{"r1": "anger", "r2": "anger"}, {"r1": "neutral", "r2": "neutral"}]
    assert clips["splits"].tolist() == [{"1": "train"}, {"1": "development"}]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("[columns]", "[column]"), "has column; understood are corpus"),
        (('speaker = "who"', 'voice = "who"'), "maps columns to voice; understood are clip"),
        (('clip = "file"', ""), "must name its table, and the column of the clips"),
        (('clip = "file"', 'clip = "file"\nemotion = "x"'), "either the column emotion, or the columns of the votes"),
        (('clip = "file"', 'clip = "file"\nrater = "who"'), "either an answer or a count"),
        (('"who"', '"whom"'), "has no column whom; its columns are file, who"),
        (('"table.csv"', '"tables.csv"'), "There is no table"),
        (('"anger"', "1"), "must be names and texts in quotes"),
        (("[votes]", "[votes"), "is not TOML"),
        (('"NNIME"', '"OTHER"'), "must say corpus = 'NNIME'"),
        (('"frustration"', '"hunger"'), "the emotion 'hunger' is not known; understood are anger"),
    ],
)
def test_a_wrong_mapping_is_told(change: tuple[str, str], sentence: str, tmp_path: Path) -> None:
    MINIATURES["nnime"].build(tmp_path)
    file = tmp_path / "columns.toml"
    file.write_text(file.read_text().replace(*change))
    with pytest.raises(CorpusError, match=sentence):
        read_corpus("nnime", tmp_path)


def test_an_annotation_that_a_corpus_lacks_is_told(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="EmoDB has no annotation 'primary'; it has intended"):
        read_corpus("emodb", tmp_path, "primary")
