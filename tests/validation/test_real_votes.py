"""Published votes of real listeners, read end to end."""

import json
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.__main__ import main
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.reliability import agreement
from analysis.report import write_report
from analysis.schema import validate_ratings

CREMA = {"A": "anger", "D": "disgust", "F": "fear", "H": "happiness", "N": "neutral", "S": "sadness"}
MULTILABEL = ["happy", "sad", "anger", "surprise", "disgust", "fear"]


@pytest.fixture(scope="module")
def naturalness(shared: Path) -> pd.DataFrame:
    """Voice Conversion Challenge 2020, English listeners: valid naturalness votes, the first where a listener voted twice."""
    votes = pd.read_csv(shared / "data" / "vcc2020_en_listeners" / "votes.csv.gz")
    votes = votes[(votes["question"] == "quality") & (votes["state"] == "Valid")].drop_duplicates(
        ["listener", "system", "sample"]
    )
    return pd.DataFrame(
        {
            "rater_id": votes["listener"],
            "stimulus_id": votes["system"] + "/" + votes["sample"],
            "clip_id": votes["sample"].str.split("-").str[-1],
            "condition": votes["system"],
            "scale": "quality",
            "value": votes["score"],
            "labels": "",
        }
    ).reset_index(drop=True)


def test_scores_of_the_voice_conversion_challenge(naturalness: pd.DataFrame, tmp_path: Path) -> None:
    naturalness.to_csv(tmp_path / "vcc.csv", index=False)
    assert main(["report", str(tmp_path / "vcc.csv"), "--out", str(tmp_path / "out")]) == 0
    mos = pd.read_csv(tmp_path / "out" / "mos.csv").set_index("condition")
    expected = naturalness.groupby("condition")["value"].agg(["mean", "std", "size"]).loc[mos.index]
    np.testing.assert_allclose(mos[["mos", "sd", "n_ratings"]], expected, atol=1e-6)
    independent = 1.96 * expected["std"] / np.sqrt(expected["size"])
    assert ((mos["ci_high"] - mos["ci_low"]) / (2 * independent)).median() > 1.5, "votes of a listener are not independent"
    assert "no emotion retention" in (tmp_path / "out" / "report.html").read_text()


def test_agreement_in_the_voice_conversion_challenge_equals_that_of_the_package(naturalness: pd.DataFrame) -> None:
    wide = naturalness.pivot(index="rater_id", columns="stimulus_id", values="value").to_numpy()
    scales = encode(validate_ratings(naturalness))
    coded = scales["quality"]
    table = agreement(scales, {}, CrossedBootstrap(len(coded.raters), len(coded.clips), 32))
    for row in table[table["condition"] == ""].to_dict("records"):
        assert row["value"] == pytest.approx(krippendorff.alpha(wide, level_of_measurement=row["level"]))


def test_multilabel_votes_of_three_raters(shared: Path) -> None:
    votes = pd.read_csv(shared / "data" / "multilabel_votes" / "votes.csv")
    chosen = votes[MULTILABEL] > 0
    frame = validate_ratings(
        pd.DataFrame(
            {
                "rater_id": votes["annotator"],
                "stimulus_id": votes["clip"],
                "clip_id": votes["clip"],
                "condition": "recording",
                "scale": "emotion",
                "value": "",
                "labels": ["|".join(np.array(MULTILABEL)[row]) or "none" for row in chosen.to_numpy()],
                "excluded": np.where(votes["excluded_by_authors"] == 1, "a rater left a note", ""),
            }
        )
    )
    scales = encode(frame)
    coded = scales["emotion"]
    table = agreement(scales, {"emotion": [*MULTILABEL, "none"]}, CrossedBootstrap(len(coded.raters), len(coded.clips), 64))
    table = table[(table["condition"] == "") & (table["level"] != "jaccard")].set_index("label")
    for name in MULTILABEL:
        wide = votes.assign(on=chosen[name].astype(float)).pivot(index="annotator", columns="clip", values="on").to_numpy()
        assert table.at[name, "value"] == pytest.approx(krippendorff.alpha(wide, level_of_measurement="nominal"))
    masi = table.loc[""]
    assert 0 < masi["ci_low"] < masi["value"] < masi["ci_high"] < 1
    assert (masi["n_units"], masi["n_raters"]) == (261, 3)


def test_votes_of_crema_d_without_raters(shared: Path, tmp_path: Path) -> None:
    table = pd.read_csv(shared / "data" / "crema_d_votes" / "votes.csv")
    long = table.melt(["fileName", "modality"], list(CREMA), var_name="letter", value_name="votes")
    rows = long.loc[long.index.repeat(long["votes"])]
    frame = pd.DataFrame(
        {
            "rater_id": "",
            "stimulus_id": rows["fileName"] + "/" + rows["modality"],
            "clip_id": rows["fileName"],
            "condition": rows["modality"],
            "scale": "emotion",
            "value": np.nan,
            "labels": rows["letter"].map(CREMA),
        }
    )
    report = write_report(
        validate_ratings(frame), tmp_path, reference="audiovisual", emotions=list(CREMA.values()), replicates=32
    )
    shares = table.set_index(["modality", "fileName"])[list(CREMA)].sort_index()
    sets = {
        name: (shares.loc[name].to_numpy() * 6 > shares.loc[name].sum(axis=1).to_numpy()[:, None])
        for name in ("audiovisual", "voice", "face")
    }
    overall = report.retention.set_index("condition")
    for name in ("voice", "face"):
        expected = f1_score(sets["audiovisual"], sets[name], average="macro", zero_division=np.nan)
        assert overall.at[name, "macro_f1"] == pytest.approx(expected)
        assert overall.at[name, "n_clips"] == 3671
    assert overall[["ci_low", "ci_high"]].isna().all().all()
    assert overall["note"].to_dict() == {
        "audiovisual": "reference",
        "face": "no rater ids: no interval",
        "voice": "no rater ids: no interval",
    }
    assert report.agreement["value"].isna().all() and report.agreement["note"].str.startswith("no rater ids").all()
    assert json.loads((tmp_path / "report.json").read_text())["counts"]["raters"] == 0


def report_of(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    """What the command writes about a file, as `report.json`."""
    assert main(["report", *arguments, "--out", str(tmp_path / "out"), "--replicates", "64", "--no-pdf"]) == 0
    record: dict[str, Any] = json.loads((tmp_path / "out" / "report.json").read_text())
    return record


def test_a_matrix_of_video_votes_is_read_by_the_command(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "acr_sureal" / "p913_demo_sample_data.csv"
    record = report_of(tmp_path, str(path), "--input-format", "matrix")
    votes = np.loadtxt(path, delimiter=",")
    mos = pd.read_csv(tmp_path / "out" / "mos_by_stimulus.csv")
    np.testing.assert_allclose(mos["mos"], np.nanmean(votes, axis=1), atol=1e-6)
    assert record["counts"]["raters"] == 26 and "Nothing is compared" in " ".join(record["not_computed"])


def test_votes_in_rows_are_read_by_the_command_under_their_own_names(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "acr_sureal" / "NFLX_dataset_public_raw_votes.csv"
    columns = "rater_id=rater_index,stimulus_id=item_index,value=score"
    record = report_of(tmp_path, str(path), "--columns", columns)
    assert record["counts"]["ratings_used"] == 2054
    assert pd.read_csv(tmp_path / "out" / "mos_by_stimulus.csv")["mos"].mean() == pytest.approx(3.544790652, abs=1e-6)


def test_three_ways_to_perceive_a_clip_are_read_as_conditions_by_the_command(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "crema_d_votes" / "votes.csv"
    labels = ",".join(f"{letter}={name}" for letter, name in CREMA.items())
    arguments = ["--columns", "clip_id=fileName,condition=modality", "--label-columns", labels, "--reference", "audiovisual"]
    record = report_of(tmp_path, str(path), *arguments, "--emotions", ",".join(CREMA.values()))
    kept = {row["condition"]: row for row in record["results"]["retention"]}
    assert kept["voice"]["n_clips"] == kept["face"]["n_clips"] == 3671
    assert kept["face"]["macro_f1"] > kept["voice"]["macro_f1"]
    assert any("do not name their raters" in gap for gap in record["not_computed"])


def test_label_sets_and_a_rule_of_the_authors_are_read_by_the_command(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "multilabel_votes" / "votes.csv"
    columns = ["--columns", "clip_id=clip,rater_id=annotator", "--label-columns", ",".join(MULTILABEL)]
    record = report_of(tmp_path, str(path), *columns, "--keep", "excluded_by_authors=0")
    votes = pd.read_csv(path)
    assert record["counts"]["ratings_used"] == (votes["excluded_by_authors"] == 0).sum()
    assert list(record["left_out"]) == ["excluded_by_authors is not 0"]


@pytest.mark.slow
def test_listeners_of_voice_conversion_are_read_by_the_command_on_both_scales(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "vcc2020_en_listeners" / "votes.csv.gz"
    columns = "rater_id=listener,clip_id=sample,condition=system,scale=question,value=score"
    record = report_of(tmp_path, str(path), "--columns", columns, "--keep", "state=Valid")
    assert {row["scale"] for row in record["results"]["mos"]} == {"quality", "similarity"}
    assert "state is not Valid" in record["left_out"] and any("retention" in gap for gap in record["not_computed"])
