"""Ratings as other tools read them: nothing is lost, nothing is added, and what does not count stays out."""

import io
import json
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from analysis.exports import DICTIONARY, EXPORTS, SCORES, dictionary, export, measures_table
from analysis.formats import read_input
from analysis.schema import OPTIONAL, REQUIRED, SchemaError, validate_ratings


@pytest.fixture
def ratings(make_ratings) -> pd.DataFrame:
    frame = make_ratings()
    frame.loc[frame["rater_id"] == "r1", "excluded"] = "left"
    frame.loc[frame["rater_id"] == "r2", "role"] = "gold"
    return frame


def test_every_column_of_the_schema_is_in_the_dictionary() -> None:
    said = dictionary()
    assert list(DICTIONARY) == [*REQUIRED, *OPTIONAL] == said.loc[said["table"] == "ratings", "column"].tolist()
    assert said["description"].str.endswith(".").all()


@pytest.mark.parametrize("form", EXPORTS)
def test_the_same_ratings_give_the_same_bytes(ratings: pd.DataFrame, form: str) -> None:
    assert export(ratings, form) == export(ratings.copy(), form)


def test_tidy_and_parquet_come_back_as_they_were(ratings: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(export(ratings, "tidy"))
    (tmp_path / "t.parquet").write_bytes(export(ratings, "parquet"))
    for name in ("t.csv", "t.parquet"):
        pd.testing.assert_frame_equal(read_input(tmp_path / name).ratings, ratings)


def test_p808_columns_are_read_back_with_the_same_votes(ratings: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(export(ratings, "p808"))
    back = read_input(tmp_path / "p.csv", "p808").ratings
    key = ["scale", "stimulus_id", "rater_id"]
    used = ratings[ratings["value"].notna() & (ratings["excluded"] == "") & (ratings["role"] != "gold")]
    columns = [*key, "clip_id", "condition", "value"]
    expected = used[columns].sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(back[columns].sort_values(key, ignore_index=True), expected)


def test_sureal_has_every_vote_that_counts_under_its_rater(ratings: pd.DataFrame) -> None:
    dataset = json.loads(export(ratings, "sureal", name="study"))
    assert dataset["dataset_name"] == "study_ovrl"
    votes = {(asset["path"], rater): value for asset in dataset["dis_videos"] for rater, value in asset["os"].items()}
    used = ratings[(ratings["scale"] == "ovrl") & (ratings["excluded"] == "") & (ratings["role"] != "gold")]
    assert votes == {(row.stimulus_id, row.rater_id): row.value for row in used.itertuples()}
    contents = {video["content_id"] for video in dataset["ref_videos"]}
    assert contents == {asset["content_id"] for asset in dataset["dis_videos"]} == set(range(8))


def test_a_data_package_describes_every_file_in_it(ratings: pd.DataFrame) -> None:
    conditions = pd.DataFrame({"condition": ["original"], "nominal_bps": [None]})
    scores = pd.DataFrame([["c__x", "c", "x", "stoi", 0.5, "", "1"], ["d__x", "d", "x", "pesq_wb", None, "Silent.", "1"]])
    scores.columns = pd.Index(SCORES)
    tables = {"conditions": conditions, "scores": scores, "measures": measures_table(scores["measure"])}
    content = export(ratings, "datapackage", name="Study-1", tables=tables)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        package = json.loads(archive.read("datapackage.json"))
        assert package["name"] == "study-1"
        assert {one["path"] for one in package["resources"]} == set(archive.namelist()) - {"datapackage.json"}
        for one in package["resources"]:
            table = pd.read_csv(io.BytesIO(archive.read(one["path"])))
            assert [field["name"] for field in one["schema"]["fields"]] == table.columns.tolist()
            assert one["bytes"] == archive.getinfo(one["path"]).file_size
        described = {one["name"]: {field["name"]: field for field in one["schema"]["fields"]} for one in package["resources"]}
        said = pd.read_csv(io.BytesIO(archive.read("data/dictionary.csv")))
        for row in said[said["column"].isin(ratings.columns) | (said["table"] != "ratings")].itertuples():
            assert described[row.table][row.column]["description"] == row.description, (row.table, row.column)
            assert described[row.table][row.column]["type"] == row.type
        assert pd.read_csv(io.BytesIO(archive.read("data/measures.csv")))["measure"].tolist() == ["pesq_wb", "stoi"]
        back = pd.read_csv(io.BytesIO(archive.read("data/ratings.csv")), dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(validate_ratings(back), ratings)


def test_what_cannot_be_exported_is_refused_with_a_sentence(ratings: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match="no export 'xlsx'"):
        export(ratings, "xlsx")
    with pytest.raises(SchemaError, match="No vote is on the scale 'sig'; the scales are ovrl"):
        export(ratings, "sureal", scale="sig")
    with pytest.raises(SchemaError, match="do not name all their raters"):
        export(ratings.assign(rater_id=""), "sureal")
    with pytest.raises(SchemaError, match="no vote to export"):
        export(ratings[ratings["scale"] == "emotion"], "p808")
