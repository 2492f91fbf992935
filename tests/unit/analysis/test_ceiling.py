import numpy as np
import pandas as pd
import pytest

from analysis.labels import f1_scores, macro_mean, threshold_votes
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.ceiling import PREDICTED, SECOND_PANEL, noise_ceiling, predicted_panel_score
from analysis.ratings.coding import Coded, encode
from analysis.ratings.confusion import FLOW_COLUMNS, confusion_flow, relative_drop, retention_by_group
from analysis.ratings.retention import Retention, emotion_retention
from analysis.schema import select_usable, split_panels, validate_ratings

EMOTIONS = ("anger", "fear", "joy", "neutral")


def study(seed: int, votes: int, loss: float, second: bool = True, n_clips: int = 40) -> pd.DataFrame:
    """Raters of each clip draw from the clip's own shares; through the codec a part ``loss`` of the votes is neutral."""
    rng = np.random.default_rng(seed)
    rows = []
    for clip in range(n_clips):
        shares = rng.dirichlet(np.full(4, 0.4))
        lossy = (1 - loss) * shares + loss * np.array([0, 0, 0, 1.0])
        for condition, panel, p in (("original", "1", shares), ("original", "2", shares), ("codec", "1", lossy)):
            if panel == "2" and not second:
                continue
            for place in range(votes):
                rater = f"{'p' if panel == '2' else 'r'}{(clip * 7 + place * (2 if condition == 'codec' else 1)) % 29:02d}"
                row = {
                    "rater_id": rater,
                    "stimulus_id": f"c{clip}-{condition}",
                    "clip_id": f"c{clip:02d}",
                    "condition": condition,
                }
                row |= {"scale": "emotion", "value": "", "labels": EMOTIONS[rng.choice(4, p=p)], "panel": panel}
                rows.append(row | {"speaker_sex": ("female", "male")[clip % 2], "stratum": ("women", "men")[place % 2]})
    return validate_ratings(pd.DataFrame(rows))


def prepared(frame: pd.DataFrame) -> Coded:
    return encode(select_usable(split_panels(frame, "original")).used)["emotion"]


def retained(coded: Coded, replicates: int = 64) -> Retention:
    return emotion_retention(coded, EMOTIONS, "original", CrossedBootstrap(len(coded.raters), len(coded.clips), replicates))


def test_a_second_panel_of_the_reference_is_a_condition_and_its_score_the_ceiling() -> None:
    coded = prepared(study(0, votes=10, loss=0.5))
    assert coded.conditions == ("codec", "original", "original-panel-2")
    retention = retained(coded)
    row = noise_ceiling(coded, EMOTIONS, "original", retention).iloc[0]
    scores = retention.overall.set_index("condition")["macro_f1"]
    assert (row["condition"], row["method"]) == ("codec", SECOND_PANEL)
    assert row["ceiling"] == scores["original-panel-2"] > row["macro_f1"] == scores["codec"]
    assert row["share_of_ceiling"] == pytest.approx(row["macro_f1"] / row["ceiling"])
    assert row["gap_ci_low"] < row["gap"] < row["gap_ci_high"] and row["gap_ci_low"] > 0


def test_a_codec_that_changes_nothing_reaches_the_ceiling() -> None:
    row = noise_ceiling(coded := prepared(study(1, votes=10, loss=0.0)), EMOTIONS, "original", retained(coded)).iloc[0]
    assert row["gap_ci_low"] < 0 < row["gap_ci_high"] and row["share_ci_low"] < 1 < row["share_ci_high"]
    assert row["macro_f1"] < 1, "and yet it is below 1, which is why a ceiling is needed"


@pytest.mark.parametrize(("votes", "clips"), [(10, 40), (6, 40), (12, 20)])
def test_the_predicted_panel_scores_what_second_panels_score(votes: int, clips: int) -> None:
    rng = np.random.default_rng(9)
    predicted, true = [], []
    for seed in range(15):
        frame = study(seed, votes, loss=0.2, n_clips=clips)
        true.append(retained(prepared(frame), 2).overall.set_index("condition").at["original-panel-2", "macro_f1"])
        first = frame[(frame["condition"] == "original") & (frame["panel"] == "1")]
        counts = first.groupby(["clip_id", "labels"]).size().unstack(fill_value=0).to_numpy()
        predicted.append(predicted_panel_score(counts, 40, rng).mean())
    assert np.mean(predicted) == pytest.approx(np.mean(true), abs=0.03)


def test_without_a_second_panel_the_ceiling_is_predicted_and_without_votes_undefined() -> None:
    coded = prepared(study(3, votes=10, loss=0.3, second=False))
    row = noise_ceiling(coded, EMOTIONS, "original", retained(coded), panels=50).iloc[0]
    assert row["method"] == PREDICTED and row["ceiling_ci_low"] < row["ceiling"] < row["ceiling_ci_high"]
    assert row["note"] == "no second panel: predicted from the votes of the first" and np.isnan(row["gap_ci_low"])
    few = prepared(study(3, votes=1, loss=0.3, second=False))
    row = noise_ceiling(few, EMOTIONS, "original", retained(few)).iloc[0]
    assert np.isnan(row["ceiling"]) and row["note"] == "no second panel, and too few clips or votes to predict one"


def test_flow_is_the_share_of_votes_weighted_by_what_was_heard_in_the_original() -> None:
    frame = study(5, votes=6, loss=0.4, second=False)
    table = confusion_flow(prepared(frame), EMOTIONS, "original")
    assert table.columns.tolist() == list(FLOW_COLUMNS)
    sums = table.groupby("emotion_original")[["share", "share_in_original"]].sum()
    np.testing.assert_allclose(sums, 1)
    counts = frame.groupby(["condition", "clip_id", "labels"]).size().unstack(fill_value=0)
    shares = counts.div(counts.sum(axis=1), axis=0)
    p, q = shares.loc["original"], shares.loc["codec"]
    cell = table.set_index(["emotion_original", "emotion_heard"]).loc[("anger", "neutral")]
    assert cell["share"] == pytest.approx((p["anger"] * q["neutral"]).sum() / p["anger"].sum())
    assert cell["share"] > cell["share_in_original"] + 0.2


def test_an_emotion_nobody_heard_has_no_flow_and_says_so() -> None:
    table = confusion_flow(prepared(study(5, votes=6, loss=0.4, second=False)), (*EMOTIONS, "pride"), "original")
    pride = table[table["emotion_original"] == "pride"]
    assert pride["share"].isna().all() and set(pride["note"]) == {"heard by nobody in the reference"}


def test_relative_drop_uses_the_second_panel_where_there_is_one() -> None:
    coded = prepared(study(6, votes=10, loss=0.5))
    retention = retained(coded)
    table = relative_drop(retention.by_emotion, "original").set_index("emotion")
    f1 = retention.by_emotion.set_index(["condition", "emotion"])["f1"]
    expected = 100 * (f1["codec"] - f1["original-panel-2"]) / f1["original-panel-2"]
    np.testing.assert_allclose(table.loc[list(EMOTIONS), "relative_drop"], expected[list(EMOTIONS)])
    assert table.at["", "relative_drop"] == pytest.approx(expected.mean()) and set(table["baseline"]) == {"second panel"}


def test_groups_are_analysed_as_studies_of_their_own() -> None:
    frame = study(7, votes=10, loss=0.3, second=False)
    table = retention_by_group(
        frame, "speaker_sex", EMOTIONS, "original", lambda coded: CrossedBootstrap(len(coded.raters), len(coded.clips), 32)
    )
    row = table.set_index(["group", "condition"]).loc[("male", "codec")]
    counts = frame[frame["speaker_sex"] == "male"].groupby(["condition", "clip_id", "labels"]).size().unstack(fill_value=0)
    truth, other = (threshold_votes(counts.loc[name].to_numpy()) for name in ("original", "codec"))
    both = (truth & other).sum(axis=0)
    assert row["macro_f1"] == pytest.approx(macro_mean(f1_scores(both, other.sum(0) - both, truth.sum(0) - both)))
    assert row["n_clips"] == 20 and set(table["group"]) == {"female", "male"}
    nothing = retention_by_group(frame, "speaker", EMOTIONS, "original", lambda coded: CrossedBootstrap(1, 1, 2))
    assert nothing.empty
