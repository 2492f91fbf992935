from pathlib import Path

import pandas as pd
import pytest

from analysis.schema import SchemaError, read_ratings, require_condition, select_usable, validate_ratings

KEY = {"stimulus_id": "s1", "clip_id": "c1", "condition": "original", "labels": ""}
GOOD = [
    KEY | {"rater_id": "r1", "scale": "ovrl", "value": 5},
    KEY | {"rater_id": "r2", "scale": "ovrl", "value": 4},
    KEY | {"rater_id": "r1", "scale": "emotion", "labels": "anger|fear"},
]


def frame(**changes: object) -> pd.DataFrame:
    """The good frame with the given columns of its second row changed."""
    table = pd.DataFrame(GOOD).astype(object)
    for name, value in changes.items():
        table.loc[1, name] = value
    return table


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"value": None}, "'value' and 'labels' are both empty in row 2"),
        ({"labels": "anger"}, "both filled in row 2"),
        ({"value": 6}, "Scale 'ovrl' takes whole values 1 to 5, but column 'value' has 6 (row 2)"),
        ({"value": 3.5}, "has 3.5 (row 2)"),
        ({"value": "good"}, "Column 'value' is not a finite number in row 2"),
        ({"value": "inf"}, "Column 'value' is not a finite number in row 2"),
        ({"condition": " "}, "Column 'condition' is empty in row 2"),
        ({"rater_id": "r1"}, "on the same scale more than once: rows 1, 2"),
        ({"condition": "opus-6kbps"}, "its id has several: rows 1, 2, 3"),
        ({"scale": "emotion"}, "Scale 'emotion' takes names in column 'labels', but row 2"),
        ({"simulated": "maybe"}, "Column 'simulated' takes 0 or 1, but not what stands in row 2"),
        ({"value": None, "labels": "anger"}, "Scale 'ovrl' takes a number in column 'value', but row 2 has none"),
    ],
)
def test_a_bad_row_is_refused_with_its_column_and_number(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(SchemaError) as caught:
        validate_ratings(frame(**changes))
    assert sentence in str(caught.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(SchemaError, match="Missing columns 'clip_id', 'scale'; there are 'stimulus_id'"):
        validate_ratings(frame().drop(columns=["clip_id", "scale"]))


def test_an_unknown_scale_has_no_range_and_other_columns_are_dropped() -> None:
    tidy = validate_ratings(frame(scale="similarity", value=-37.5, surprise="x"))
    assert tidy.loc[1, "value"] == -37.5
    assert "surprise" not in tidy


def test_csv_and_parquet_give_the_same_frame(tmp_path: Path) -> None:
    table = validate_ratings(frame(simulated="1", trial=3))
    table.to_csv(tmp_path / "r.csv", index=False)
    table.to_parquet(tmp_path / "r.parquet")
    pd.testing.assert_frame_equal(read_ratings(tmp_path / "r.csv"), read_ratings(tmp_path / "r.parquet"))
    pd.testing.assert_frame_equal(read_ratings(tmp_path / "r.csv"), table)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [("r.csv", b"", "r.csv is empty"), ("r.csv", b"\xff\xfe\x00", "could not be read as CSV"),
     ("r.parquet", b"no", "could not be read as .parquet"), ("r.csv", b'a,b\n"1', "could not be read"),
     ("r.csv", b"a,b\n1,2,3\n", "more cells than its header"), ("r.csv", b"a,b\n1,2\n1,2,3\n", "could not be read")],
)  # fmt: skip
def test_an_unreadable_file_is_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SchemaError, match=sentence):
        read_ratings(tmp_path / name)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"There is no ratings file at .*r\.csv"):
        read_ratings(tmp_path / "r.csv")


def test_excluded_rows_and_check_items_are_left_out_and_counted() -> None:
    table = validate_ratings(frame(excluded="too fast"))
    table.loc[2, "role"] = "trap"
    selection = select_usable(table)
    assert len(selection.used) == 1
    assert selection.left_out == {"role trap": 1, "too fast": 1}


def test_an_unknown_reference_condition_is_named_with_those_there_are() -> None:
    with pytest.raises(SchemaError, match="reference condition 'clean'; the conditions are 'original'"):
        require_condition(validate_ratings(frame()), "clean")
