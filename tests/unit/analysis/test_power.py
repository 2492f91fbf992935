from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.ratings.power import COLUMNS, independent_votes, votes_needed
from analysis.schema import SchemaError, validate_ratings

RATER_SD, CLIP_SD, RESIDUAL_SD = 0.5, 0.1, 0.8


def study(seed: int, n_raters: int, n_clips: int, per_rater: int, clip_sd: float = CLIP_SD) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rater = np.repeat(np.arange(n_raters), per_rater)
    clip = np.concatenate([rng.permutation(n_clips)[:per_rater] for _ in range(n_raters)])
    value = 3 + rng.normal(0, RATER_SD, n_raters)[rater] + rng.normal(0, clip_sd, n_clips)[clip]
    value += rng.normal(0, RESIDUAL_SD, len(rater))
    names = {"rater_id": [f"r{r}" for r in rater], "stimulus_id": [f"c{c}" for c in clip], "clip_id": [f"c{c}" for c in clip]}
    return validate_ratings(pd.DataFrame({**names, "condition": "codec", "scale": "plain", "value": value, "labels": ""}))


def test_independent_votes_for_a_spread_of_083_are_those_of_the_usual_table() -> None:
    assert [independent_votes(0.83, half) for half in (0.5, 0.3, 0.2, 0.1)] == [11, 30, 67, 265]


def test_the_half_width_at_hand_is_the_one_that_repeated_studies_have() -> None:
    widths = [votes_needed(study(seed, 40, 60, 8), 0.2).at[0, "half_width_now"] for seed in range(12)]
    means = [study(seed, 40, 60, 8)["value"].mean() for seed in range(400)]
    # Student's t with 39 degrees of freedom
    assert np.mean(widths) == pytest.approx(2.0227 * np.std(means, ddof=1), rel=0.12)


def test_a_study_with_as_many_votes_as_advised_is_as_precise_as_asked() -> None:
    row = votes_needed(study(1, 60, 60, 8), 0.1).iloc[0]
    assert list(row.index) == list(COLUMNS)
    assert row["votes_needed"] > 1.5 * row["naive_votes"] and row["more_votes"] == row["votes_needed"] - 480
    larger = [votes_needed(study(seed, int(row["raters_needed"]), 60, 8), 0.1).at[0, "half_width_now"] for seed in range(4)]
    assert np.mean(larger) == pytest.approx(0.1, rel=0.15)
    assert row["paired_half_width_now"] > 0 and row["design_effect"] > 1


def test_votes_at_hand_that_are_enough_need_no_more() -> None:
    row = votes_needed(study(1, 60, 60, 8), 0.9).iloc[0]
    assert row["more_votes"] == 0 and row["half_width_now"] < 0.9


def test_too_few_clips_are_said_to_be_too_few() -> None:
    row = votes_needed(study(2, 60, 12, 6, clip_sd=0.8), 0.1).iloc[0]
    assert row["votes_needed"] is pd.NA and row["note"].startswith("no number of raters is enough with 12 clips: more than ")


def test_what_cannot_be_planned_from_says_why() -> None:
    frame = study(0, 5, 8, 4)
    with pytest.raises(SchemaError, match="must be above 0, but it is -1"):
        votes_needed(frame, -1)
    with pytest.raises(SchemaError, match="no rating on a numeric scale"):
        votes_needed(frame.assign(excluded="late"), 0.2)
    row = votes_needed(frame.assign(rater_id=""), 0.2).iloc[0]
    assert row["note"] == "no rater ids" and row["votes_needed"] is pd.NA


def test_the_command_says_it_in_sentences_and_writes_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study(1, 60, 60, 8).to_csv(tmp_path / "ratings.csv", index=False)
    assert main(["power", str(tmp_path / "ratings.csv"), "--half-width", "0.1", "--out", str(tmp_path / "power.csv")]) == 0
    table = pd.read_csv(tmp_path / "power.csv")
    assert f"takes {table.at[0, 'votes_needed']} votes ({table.at[0, 'more_votes']} more)" in capsys.readouterr().out
    assert main(["power", str(tmp_path / "ratings.csv"), "--half-width", "0"]) == 2
    assert "must be above 0" in capsys.readouterr().err
