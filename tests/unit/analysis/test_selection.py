from pathlib import Path

import pandas as pd
import pytest

from analysis.corpora import CorpusError, read_corpus
from analysis.corpora.selection import measure_durations, parse_selection, select_clips, select_corpus
from tests.unit.analysis.miniatures import MINIATURES, write

CLIPS = pd.DataFrame(
    {
        "clip_id": ["a", "b", "c", "d"],
        "speaker": ["1", "1", "2", "3"],
        "sex": ["female", "female", "male", ""],
        "emotion": ["anger", "sadness", "anger", ""],
        "votes": [{"anger": 3, "fear": 1}, {"sadness": 1, "fear": 1}, {}, {"fear": 1, "joy": 1}],
        "duration_s": [1.0, 2.0, 3.0, 4.5],
    }
)


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("", "abcd"),
        ("speaker=1|3", "abd"),
        ("sex=F", "ab"),
        ("emotion=angry", "ac"),
        ("emotion=anger; sex=male", "c"),
        ("ambiguity=low", "a"),
        ("ambiguity=high", "bd"),
        ("duration=2..3", "bc"),
        ("duration=..1", "a"),
        ("duration=3..", "cd"),
    ],
)
def test_a_selection_chooses_what_it_says(text: str, chosen: str) -> None:
    assert "".join(CLIPS["clip_id"][select_clips(CLIPS, parse_selection(text))]) == chosen


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("speaker=9", "No clip has the speaker '9'; there are 1, 2, 3"),
        ("emotion=joy", "No clip has the emotion 'joy'; there are anger, sadness"),
        ("sex=both", "female or male, not 'both'"),
        ("ambiguity=some", "low or high, not 'some'"),
        ("duration=6..1", "a range in seconds"),
        ("duration=6", "a range in seconds"),
        ("sex", "has no 'sex'"),
        ("sex=F; sex=M", "names sex twice"),
    ],
)
def test_a_selection_that_means_nothing_is_told(text: str, sentence: str) -> None:
    with pytest.raises(CorpusError, match=sentence):
        select_clips(CLIPS, parse_selection(text))


def test_durations_are_read_from_the_files_and_what_is_no_audio_is_told(tmp_path: Path) -> None:
    MINIATURES["emodb"].build(tmp_path)
    write(tmp_path / "wav/08b10Nc.wav", "version https://git-lfs.github.com/spec/v1\n")
    unmeasured = read_corpus("emodb", tmp_path).clips
    with pytest.raises(CorpusError, match="duration of 3 clips is not known"):
        select_clips(unmeasured, parse_selection("duration=1.."))
    clips, trouble = measure_durations(unmeasured)
    assert clips["duration_s"].dropna().round(2).tolist() == [0.33, 0.33]
    assert list(trouble) == ["08b10Nc"] and "08b10Nc.wav is not readable" in trouble["08b10Nc"]
    short = select_corpus(read_corpus("manifest", shared_manifest(tmp_path / "m")), "duration=..1")
    assert short.clips["clip_id"].tolist() == ["a"]
    with pytest.raises(CorpusError, match=r"None of the 1 clips is selected by 'duration=5\.\.'"):
        select_corpus(short, "duration=5..")


def test_a_selected_corpus_says_how_many_and_names_what_has_no_duration(tmp_path: Path) -> None:
    MINIATURES["emodb"].build(tmp_path)
    write(tmp_path / "wav/08b10Nc.wav", "version https://git-lfs.github.com/spec/v1\n")
    corpus = read_corpus("emodb", tmp_path)
    assert select_corpus(corpus, " ") is corpus
    chosen = select_corpus(corpus, "duration=..1")
    assert len(chosen.clips) == 2 and chosen.notes[-1] == "2 of 3 clips are selected by 'duration=..1'."
    (left_out,) = [item for item in chosen.left_out if item not in corpus.left_out]
    assert left_out.path.endswith("08b10Nc.wav") and "not readable" in left_out.reason


def shared_manifest(root: Path) -> Path:
    root.mkdir()
    MINIATURES["manifest"].build(root)
    return root
