import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.labels import threshold_votes
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded, encode
from analysis.ratings.retention import Retention, emotion_retention
from analysis.schema import SchemaError, validate_ratings

EMOTIONS = ("anger", "joy", "neutral")


def retention_of(frame: pd.DataFrame, emotions: tuple[str, ...] = EMOTIONS, replicates: int = 64) -> Retention:
    coded = encode(frame)["emotion"]
    return emotion_retention(coded, emotions, "original", CrossedBootstrap(len(coded.raters), len(coded.clips), replicates))


def votes_frame(votes: dict[tuple[str, str], str]) -> pd.DataFrame:
    """Ratings from (clip, condition) -> labels of its raters, joined by blanks."""
    rows = [
        {
            "rater_id": f"r{i}",
            "stimulus_id": clip + name,
            "clip_id": clip,
            "condition": name,
            "scale": "emotion",
            "value": None,
            "labels": cell,
        }
        for (clip, name), cells in votes.items()
        for i, cell in enumerate(cells.split())
    ]
    return validate_ratings(pd.DataFrame(rows))


def naive_macro(coded: Coded, condition: str, raters: np.ndarray, clips: np.ndarray) -> float:
    """Votes repeated by rater draws, sets by threshold, clips repeated by clip draws, macro-F1 by scikit-learn."""
    sets: dict[str, dict[int, np.ndarray]] = {"original": {}, condition: {}}
    for name, found in sets.items():
        for clip in range(len(coded.clips)):
            mine = coded.rows(coded.conditions.index(name)) & (coded.clip == clip)
            counts = np.array([raters[coded.rater[mine & (coded.labels == e)]].sum() for e in EMOTIONS])
            if counts.sum():
                found[clip] = threshold_votes(counts)
    shared = [clip for clip in sets["original"] if clip in sets[condition] for _ in range(int(clips[clip]))]
    if not shared:
        return float("nan")
    truth, other = (np.array([found[clip] for clip in shared]) for found in sets.values())
    return float(f1_score(truth, other, average="macro", zero_division=np.nan))


def test_replicates_equal_those_of_a_naive_resampling_with_scikit_learn(make_ratings) -> None:
    coded = encode(make_ratings())["emotion"]
    bootstrap = CrossedBootstrap(len(coded.raters), len(coded.clips), 40, seed=2)
    result = emotion_retention(coded, EMOTIONS, "original", bootstrap)
    raters, clips = (np.concatenate(parts, axis=1) for parts in zip(*bootstrap.blocks(), strict=True))
    for name in ("opus-6kbps", "opus-24kbps"):
        expected = [naive_macro(coded, name, raters[:, i], clips[:, i]) for i in range(40)]
        np.testing.assert_allclose(result.replicates[name], expected)
        row = result.overall.set_index("condition").loc[name]
        assert row["macro_f1"] == pytest.approx(naive_macro(coded, name, np.ones(len(coded.raters)), np.ones(len(coded.clips))))
        assert row["ci_low"] <= row["macro_f1"] <= row["ci_high"]


def test_a_worked_example() -> None:
    frame = votes_frame(
        {
            ("a", "original"): "anger anger anger", ("a", "codec"): "anger anger joy",
            ("b", "original"): "joy joy joy", ("b", "codec"): "anger anger anger",
            ("c", "original"): "joy|anger joy|anger joy|anger", ("c", "codec"): "joy joy joy",
        }
    )  # fmt: skip
    # sets, share > 1/3: a {anger} - {anger} (joy has exactly 1/3), b {joy} - {anger}, c {anger joy} - {joy}
    result = retention_of(frame)
    detail = result.by_emotion[result.by_emotion["condition"] == "codec"].set_index("emotion")
    assert detail["f1"].round(4).tolist()[:2] == [0.5, 0.6667]  # anger TP 1 FP 1 FN 1; joy TP 1 FP 0 FN 1
    assert detail["support"].tolist() == [2, 2, 0] and detail["predicted"].tolist() == [2, 1, 0]
    assert np.isnan(detail.at["neutral", "f1"]) and detail.at["neutral", "note"] == "in no label set of either side"
    row = result.overall.set_index("condition").loc["codec"]
    assert row["macro_f1"] == pytest.approx((0.5 + 2 / 3) / 2)
    assert row["n_emotions"] == 2
    assert row["note"].endswith("without neutral: in no label set of either side")


def test_the_reference_has_no_score_of_its_own_and_says_so(make_ratings) -> None:
    overall = retention_of(make_ratings()).overall.set_index("condition")
    assert np.isnan(overall.at["original", "macro_f1"]) and overall.at["original", "note"] == "reference"


def test_equal_votes_for_both_conditions_give_one() -> None:
    cells = {"a": "anger anger", "b": "joy joy"}
    frame = votes_frame({(clip, name): votes for clip, votes in cells.items() for name in ("original", "codec")})
    assert retention_of(frame).overall.set_index("condition").at["codec", "macro_f1"] == 1


def test_without_ratings_of_the_reference_everything_is_undefined_with_that_reason(make_ratings) -> None:
    frame = make_ratings()
    result = retention_of(frame[frame["condition"] != "original"])
    assert result.overall["macro_f1"].isna().all()
    assert set(result.overall["note"]) == {"no ratings of the reference 'original'"}
    assert not result.replicates


def test_conditions_without_a_clip_in_common_are_undefined_with_that_reason() -> None:
    row = (
        retention_of(votes_frame({("a", "original"): "joy joy", ("b", "codec"): "joy joy"}))
        .overall.set_index("condition")
        .loc["codec"]
    )
    assert np.isnan(row["macro_f1"]) and row["note"].startswith("no clip rated in both")


def test_without_rater_ids_there_is_a_score_and_no_interval(make_ratings) -> None:
    frame = make_ratings()
    named, nameless = (retention_of(f).overall.set_index("condition") for f in (frame, frame.assign(rater_id="")))
    pd.testing.assert_series_equal(named["macro_f1"], nameless["macro_f1"])
    assert nameless[["ci_low", "ci_high"]].isna().all().all()
    assert nameless.at["opus-6kbps", "note"] == "no rater ids: no interval"


def test_a_label_that_is_no_option_is_refused(make_ratings) -> None:
    with pytest.raises(SchemaError, match="'neutral' is not among the options anger, joy"):
        retention_of(make_ratings(), ("anger", "joy"))


def test_more_options_lower_the_threshold(make_ratings) -> None:
    wide = retention_of(make_ratings(), (*EMOTIONS, "fear", "disgust", "sadness"))
    assert wide.overall["n_emotions"].dropna().tolist() == [3, 3]
    assert (wide.by_emotion["predicted"].dropna() >= 0).all()
