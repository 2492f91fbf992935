"""Files of other platforms become the same tidy frame, and say what they could not tell."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.formats import FORMATS, REPEATED, Hints, read_input
from analysis.schema import SchemaError


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


PER_WORKER = """HITId,workerid,assignment_id,assignmentstatus,file,short_file_name,vote,question_type,codec,rate
h1,w1,a1,Approved,http://x/c1_opus_6.wav,c1_opus_6.wav,4,MOS_OVRL,opus,6
h1,w2,a2,Submitted,http://x/c1_opus_6.wav,c1_opus_6.wav,3,MOS_OVRL,opus,6
h1,w3,a3,Rejected,http://x/c1_opus_6.wav,c1_opus_6.wav,1,MOS_OVRL,opus,6
h1,w1,a1,Approved,http://x/c1_opus_6.wav,c1_opus_6.wav,5,MOS_SIG,opus,6
"""
PER_CLIP = """file_url,n,MOS,std,95%CI,short_file_name,codec,vote_1,vote_2,vote_3
http://x/c1.wav,3,4.0,1.0,1.13,c1.wav,opus,5,4,3
http://x/c2.wav,2,2.5,0.7,0.98,c2.wav,lyra,2,3,
"""
RAW = """\
AssignmentId,WorkerId,Input.TP,Input.gold_clips_url,Answer.q1_url,Answer.q1,Answer.q2_url,Answer.q2,Answer.q3_url,Answer.q3
a1,w1,http://x/t.wav,http://x/g.wav,http://x/c1__opus.wav,4,http://x/t.wav,2,http://x/g.wav,5
a2,w2,http://x/t.wav,http://x/g.wav,http://x/c1__opus.wav,3,http://x/t.wav,2,http://x/g.wav,4
"""
MUSHRA = """"session_test_id","email","session_uuid","trial_id","rating_stimulus","rating_score","rating_time","rating_comment"
"t","a@b","u2","page1","reference","100","3000",""
"t","a@b","u2","page1","anchor35","12","3000",""
"t","a@b","u2","page1","C1","71","3000",""
"t","c@d","u1","page1","C1","65","3000",""
"t","c@d","u1","page1","C1","66","3000","again"
"""


def test_votes_per_worker_of_the_p808_toolkit(tmp_path: Path) -> None:
    found = read_input(write(tmp_path / "w.csv", PER_WORKER), "p808").ratings
    assert found["scale"].tolist() == ["p835_ovrl", "p835_ovrl", "p835_ovrl", "p835_sig"]
    assert set(found["condition"]) == {"opus_6"} and found["value"].tolist() == [4, 3, 1, 5]
    assert found["excluded"].tolist() == ["", "", "assignment rejected", ""]


def test_votes_per_clip_of_the_p808_toolkit_have_no_raters(tmp_path: Path) -> None:
    imported = read_input(write(tmp_path / "c.csv", PER_CLIP), "p808")
    assert imported.ratings.groupby("condition")["value"].mean().to_dict() == {"opus": 4.0, "lyra": 2.5}
    assert len(imported.ratings) == 5 and any("does not name the raters" in note for note in imported.notes)


def test_raw_answers_of_the_p808_toolkit_keep_traps_and_gold_apart(tmp_path: Path) -> None:
    hints = Hints(pattern=r"(?P<clip>.+)__(?P<condition>.+)\.wav")
    found = read_input(write(tmp_path / "r.csv", RAW), "p808", hints).ratings
    assert found.groupby("role").size().to_dict() == {"": 2, "gold": 2, "trap": 2}
    assert found.loc[found["role"] == "", ["clip_id", "condition"]].drop_duplicates().values.tolist() == [["c1", "opus"]]


def test_webmushra_scores_name_no_person_and_count_a_page_once(tmp_path: Path) -> None:
    found = read_input(write(tmp_path / "mushra.csv", MUSHRA), "webmushra").ratings
    assert "@" not in found.to_csv()
    assert found["rater_id"].tolist() == ["r0002"] * 3 + ["r0001"] * 2
    assert found["role"].tolist() == ["reference", "anchor", "test", "test", "test"]
    assert found["excluded"].tolist() == [""] * 4 + [REPEATED]


def test_webmushra_without_sittings_tells_raters_apart_by_what_they_filled_in(tmp_path: Path) -> None:
    text = "\n".join(",".join(line.split(",")[:2] + line.split(",")[3:]) for line in MUSHRA.splitlines())
    imported = read_input(write(tmp_path / "mushra.csv", text), "webmushra")
    assert imported.ratings["rater_id"].nunique() == 2 and "email" in imported.notes[0]


MATRIX = "rater,c1__opus,c1__lyra,c2__opus\na,5,3,\nb,4,nan,2\n"


def test_a_matrix_is_the_same_either_way_round(tmp_path: Path) -> None:
    one = read_input(write(tmp_path / "m.csv", MATRIX), "matrix").ratings
    turned = pd.read_csv(tmp_path / "m.csv").set_index("rater").T.rename_axis("stimulus").to_csv()
    two = read_input(write(tmp_path / "t.csv", turned), "matrix").ratings
    key = ["rater_id", "stimulus_id"]
    pd.testing.assert_frame_equal(one.sort_values(key, ignore_index=True), two.sort_values(key, ignore_index=True))
    assert sorted(one["condition"].unique()) == ["lyra", "opus"] and len(one) == 4


def test_a_matrix_of_bare_numbers_has_stimuli_in_rows_unless_told(tmp_path: Path) -> None:
    path = write(tmp_path / "m.csv", "5,4\n3,\n1,2\n")
    imported = read_input(path, "matrix")
    assert imported.ratings["stimulus_id"].nunique() == 3 and "taken as stimuli" in imported.notes[0]
    told = read_input(path, "matrix", Hints(matrix_rows="raters")).ratings
    assert told["rater_id"].nunique() == 3 and told["stimulus_id"].nunique() == 2


def test_a_table_of_stimuli_says_what_a_matrix_cannot(tmp_path: Path) -> None:
    table = pd.DataFrame({"stimulus_id": ["1", "2"], "clip_id": ["c", "c"], "condition": ["a", "b"]})
    path = write(tmp_path / "m.csv", "rater,1,2\nx,5,4\n")
    assert read_input(path, "matrix", Hints(stimuli=table)).ratings["condition"].tolist() == ["a", "b"]
    with pytest.raises(SchemaError, match="no row for '2'"):
        read_input(path, "matrix", Hints(stimuli=table[:1]))


def test_columns_of_any_file_with_one_rating_in_a_row_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "who,what,score,state\na,s1,4,ok\na,s1,5,ok\nb,s1,2,bad\n")
    columns = {"rater_id": "who", "stimulus_id": "what", "value": "score"}
    imported = read_input(path, "tidy", Hints(columns=columns, keep={"state": "ok"}))
    assert imported.ratings["excluded"].tolist() == ["", REPEATED, "state is not ok"]
    assert len(imported.notes) == 3


def test_labels_with_a_column_each_are_sets_with_raters_and_counts_without(tmp_path: Path) -> None:
    path = write(tmp_path / "f.csv", "clip,who,A,H\nc1,a,2,1\nc1,b,0,0\n")
    columns = {"clip_id": "clip", "rater_id": "who"}
    names = {"A": "anger", "H": "joy"}
    assert read_input(path, "tidy", Hints(columns=columns, labels=names)).ratings["labels"].tolist() == ["anger|joy", "none"]
    counted = read_input(path, "tidy", Hints(columns={"clip_id": "clip"}, labels=names)).ratings
    assert counted["labels"].value_counts().to_dict() == {"anger": 2, "joy": 1}


@pytest.mark.parametrize(
    ("input_format", "text", "sentence"),
    [
        ("p808", "a,b\n1,2\n", "none of the P.808 toolkit's files"),
        ("webmushra", "a,b\n1,2\n", "no result file of webMUSHRA"),
        ("webmushra", "trial_id,choice_answer\n1,2\n", "paired comparisons"),
        ("matrix", "name,x,y\na,1,2\n", "--matrix-rows"),
        ("matrix", "rater,x,x\na,1,2\n", "stands twice"),
        ("matrix", "rater,x\n", "no row under its header"),
        ("matrix", "rater,x\na,very good\n", "not a finite number"),
        ("matrix", "rater,x\na,7\n", "takes whole values 1 to 5"),
        ("p808", "", "is empty"),
        ("excel", "a\n1\n", "no input format 'excel'"),
    ],
)
def test_a_file_of_another_format_is_refused_with_a_sentence(
    tmp_path: Path, input_format: str, text: str, sentence: str
) -> None:
    with pytest.raises(SchemaError, match=sentence):
        read_input(write(tmp_path / "f.csv", text), input_format)


@pytest.mark.parametrize("input_format", FORMATS)
def test_an_absent_file_is_said_to_be_absent(tmp_path: Path, input_format: str) -> None:
    with pytest.raises(SchemaError, match="no ratings file"):
        read_input(tmp_path / "absent.csv", input_format, Hints(columns={"value": "x"}))
