"""Machines beside people: the command, the report's section, and what is never said."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main
from analysis.compare import COLUMNS, RECOGNISER, Recogniser, compare
from analysis.correlation import coefficients, weighted_coefficients
from analysis.report import write_report
from analysis.schema import select_usable, validate_ratings

LEVELS = {"original": 4.6, "a": 4.0, "b": 3.3, "c": 2.6, "d": 1.9}
EMOTIONS = ("anger", "joy", "neutral")


@pytest.fixture(scope="module")
def ratings() -> pd.DataFrame:
    """Thirty raters, twelve clips, the original and four codecs that lose quality and emotion alike."""
    rng = np.random.default_rng(0)
    rows = []
    for rater in range(30):
        for clip in range(12):
            name = list(LEVELS)[(rater + clip) % 5]
            base = {"rater_id": f"r{rater}", "stimulus_id": f"c{clip}-{name}", "clip_id": f"c{clip}", "condition": name}
            vote = int(np.clip(np.rint(LEVELS[name] + rng.normal(0, 0.6)), 1, 5))
            heard = EMOTIONS[clip % 3 if rng.random() < LEVELS[name] / 5 else rng.integers(3)]
            rows.append(base | {"scale": "ovrl", "value": str(vote), "labels": ""})
            rows.append(base | {"scale": "emotion", "value": "", "labels": heard})
    return validate_ratings(pd.DataFrame(rows))


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    """A measure that goes with people, one that falls where they rise, and one that mistakes the worst codec for the best."""
    rng = np.random.default_rng(1)
    rows = []
    for clip in range(12):
        for name, level in list(LEVELS.items())[1:]:
            noise = rng.normal(0, 0.1)
            for measure, score in (("good", level), ("mel_distance", 5 - level), ("fooled", 9.0 if name == "d" else level)):
                rows.append({"clip_id": f"c{clip}", "condition": name, "measure": measure, "score": score + noise})
    return pd.DataFrame(rows)


def test_the_command_writes_the_promised_columns_and_no_correlation_without_its_interval(
    ratings: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings.to_csv(tmp_path / "ratings.csv", index=False)
    scores.to_csv(tmp_path / "scores.csv", index=False)
    out = tmp_path / "out"
    arguments = [
        "compare",
        str(tmp_path / "scores.csv"),
        str(tmp_path / "ratings.csv"),
        "--out",
        str(out),
        "--replicates",
        "200",
    ]
    assert main(arguments) == 0
    table = pd.read_csv(out / "comparison.csv")
    assert tuple(table.columns) == COLUMNS
    for name in ("pearson", "spearman", "kendall"):
        assert (table[name].isna() == table[f"{name}_ci_low"].isna()).all()
    rows = table.set_index(["measure", "scale", "level"])
    assert (
        rows.loc[("good", "ovrl", "condition"), "pearson"]
        > 0.95
        > -0.95
        > rows.loc[("mel_distance", "ovrl", "condition"), "pearson"]
    )
    assert rows.loc[("good", "retention", "condition"), "n"] == 4
    said = capsys.readouterr().out
    assert "Over 4 conditions little can be shown" in said and "±0.95" in said
    assert "12 of 60 rated stimuli have no score" in said
    assert {path.name for path in (out / "figures").iterdir()} >= {"ranks_ovrl.svg", "people_and_machines.svg"}


def test_the_condition_that_people_and_machine_place_differently_is_named(ratings: pd.DataFrame, scores: pd.DataFrame) -> None:
    used = select_usable(ratings).used
    ranks = compare(scores, used, reference="original", replicates=200, falling=lambda m: m == "mel_distance").ranks
    rows = ranks[ranks["scale"] == "ovrl"].set_index(["measure", "condition"])
    fooled = rows.loc[("fooled", "d")]
    assert (fooled["rank_people"], fooled["rank_machine"]) == (4, 1) and fooled["ci_high"] < 0
    assert rows.loc["mel_distance"]["difference"].tolist() == [0, 0, 0, 0], "lower is better there"


def test_three_conditions_give_no_correlation_and_say_why(ratings: pd.DataFrame, scores: pd.DataFrame) -> None:
    used = select_usable(ratings[ratings["condition"] != "d"]).used
    table = compare(scores, used, reference="original", replicates=50).overall
    rows = table[table["level"] == "condition"]
    assert rows[["pearson", "spearman", "kendall"]].isna().all(axis=None)
    assert rows["note"].str.contains("3 conditions: too few for an interval").all()


def test_a_recogniser_is_compared_by_condition_and_by_emotion(ratings: pd.DataFrame, scores: pd.DataFrame) -> None:
    overall = pd.DataFrame({"condition": list(LEVELS), "macro_f1": [level / 6 for level in LEVELS.values()]})
    detail = pd.DataFrame(
        [(name, e, level / 6) for name, level in LEVELS.items() for e in EMOTIONS], columns=["condition", "emotion", "f1"]
    )
    used = select_usable(ratings).used
    found = compare(scores, used, reference="original", replicates=100, recogniser=Recogniser(overall, detail))
    row = found.overall.set_index(["measure", "scale"]).loc[(RECOGNISER, "retention")]
    assert row["n"] == 4 and row["pearson_ci_low"] <= row["pearson"] <= row["pearson_ci_high"]
    assert set(found.by_emotion.loc[found.by_emotion["measure"] == RECOGNISER, "emotion"]) == set(EMOTIONS)


def test_scores_that_cannot_be_joined_are_refused_in_a_sentence(
    ratings: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings.to_csv(tmp_path / "ratings.csv", index=False)
    wrong = {"no column 'clip_id'": scores.drop(columns="clip_id"), "No stimulus has both": scores.assign(clip_id="other")}
    for sentence, table in wrong.items():
        table.to_csv(tmp_path / "scores.csv", index=False)
        assert (
            main(["compare", str(tmp_path / "scores.csv"), str(tmp_path / "ratings.csv"), "--out", str(tmp_path / "out")]) == 2
        )
        assert sentence in capsys.readouterr().err


def test_the_report_has_a_section_on_machines_only_when_scores_are_given(
    ratings: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path
) -> None:
    write_report(ratings, tmp_path / "without", make_pdf=False, replicates=32)
    write_report(ratings, tmp_path / "with", make_pdf=False, replicates=32, scores=scores)
    pages = {name: (tmp_path / name / "report.html").read_text() for name in ("with", "without")}
    assert "Machines beside people" in pages["with"] and "Machines beside people" not in pages["without"]
    assert (tmp_path / "with" / "comparison.csv").exists() and (
        tmp_path / "with" / "figures" / "scatter_good_ovrl.svg"
    ).exists()
    assert (tmp_path / "with" / "mos.csv").read_bytes() == (tmp_path / "without" / "mos.csv").read_bytes()


def test_the_report_says_what_the_recogniser_loses_with_intervals(
    ratings: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path
) -> None:
    drops = {"relative_drop": [np.nan, 1, -20.4, -30.6, -60], "drop_low": [np.nan, -2, -31, -40, -70]}
    overall = pd.DataFrame({"condition": list(LEVELS), "macro_f1": 0.5, **drops, "drop_high": [np.nan, 4, -10, -20, -50]})
    write_report(ratings, tmp_path / "r", make_pdf=False, replicates=32, scores=scores, recogniser=Recogniser(overall))
    text = (tmp_path / "r" / "report.md").read_text()
    assert "In 3 of 4 conditions the recogniser hears less emotion than in the originals" in text
    assert "d −60 % [−70, −50], c −31 % [−40, −20], b −20 % [−31, −10]." in text
    kept = overall.assign(drop_high=5.0)
    write_report(ratings, tmp_path / "k", make_pdf=False, replicates=32, scores=scores, recogniser=Recogniser(kept))
    assert "In none of 4 conditions does the recogniser" in (tmp_path / "k" / "report.md").read_text()


def test_a_disagreement_has_its_interval_on_its_own_side(ratings: pd.DataFrame, scores: pd.DataFrame, tmp_path: Path) -> None:
    """Where a measure places a condition above people, the interval counts places above, not below."""
    original = scores[scores["measure"] == "good"]
    high = original.assign(measure="kind", score=original["score"].where(original["condition"] != "d", 99.0))
    write_report(ratings, tmp_path / "r", make_pdf=False, replicates=200, scores=high)
    text = (tmp_path / "r" / "report.md").read_text()
    found = re.search(
        r"place (\d) of 4 by people, (\d) by the measure, (\d) above people’s \(95 % interval (\S+) to (\S+)\)", text
    )
    assert found and float(found[4]) <= int(found[3]) <= float(found[5])


def test_pairs_that_count_several_times_are_as_if_written_out() -> None:
    rng = np.random.default_rng(2)
    x, weights = rng.integers(0, 6, 40).astype(float), rng.integers(0, 4, (40, 6)).astype(float)
    y = x + rng.integers(0, 5, 40).astype(float)
    got = weighted_coefficients(x, y, weights)
    for column in range(6):
        times = weights[:, column].astype(int)
        np.testing.assert_allclose(got[:, column], coefficients(np.repeat(x, times), np.repeat(y, times)))
