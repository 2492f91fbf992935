"""How often 95 % intervals hold the truth when raters and clips are both drawn anew, on simulated votes with known variances."""

import numpy as np
import pandas as pd
import pytest

from analysis.labels import f1_scores, macro_mean, threshold_votes
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.mos import mos_by_condition, t_half_width
from analysis.ratings.retention import emotion_retention
from analysis.schema import validate_ratings

TRUTH = 3.0
STUDIES = 200
RATER_SD, CLIP_SD, RESIDUAL_SD = 0.4, 0.3, 0.8


def mos_study(rng: np.random.Generator, n_raters: int, n_clips: int, votes: int) -> pd.DataFrame:
    """One condition: each clip has ``votes`` votes of raters drawn from the panel; vote = truth + rater + clip + residual."""
    raters = np.concatenate([rng.choice(n_raters, votes, replace=False) for _ in range(n_clips)])
    clips = np.repeat(np.arange(n_clips), votes)
    value = TRUTH + rng.normal(0, RATER_SD, n_raters)[raters] + rng.normal(0, CLIP_SD, n_clips)[clips]
    return pd.DataFrame(
        {
            "rater_id": [f"r{r}" for r in raters],
            "stimulus_id": [f"c{c}" for c in clips],
            "clip_id": [f"c{c}" for c in clips],
            "condition": "codec",
            "scale": "plain",
            "value": value + rng.normal(0, RESIDUAL_SD, len(raters)),
            "labels": "",
        }
    )


@pytest.mark.parametrize(("n_raters", "n_clips", "votes"), [(30, 30, 30), (60, 45, 10)], ids=["complete", "emo-codec"])
def test_the_crossed_interval_of_a_mos_covers_and_the_independent_one_does_not(n_raters: int, n_clips: int, votes: int) -> None:
    rng = np.random.default_rng(20261120)
    crossed = independent = 0
    for study in range(STUDIES):
        scales = encode(validate_ratings(mos_study(rng, n_raters, n_clips, votes)))
        row = mos_by_condition(scales, CrossedBootstrap(n_raters, n_clips, 300, study)).frame.iloc[0]
        half = t_half_width(row["sd"], row["n_ratings"])
        crossed += row["ci_low"] <= TRUTH <= row["ci_high"]
        independent += abs(row["mos"] - TRUTH) <= half
    # 95 % of 200 with a standard error of 1.5 %: 91 % and less would be a surprise at three of them. Above is the safe side.
    assert crossed / STUDIES > 0.91
    assert independent / STUDIES < 0.85


def emotion_study(rng: np.random.Generator, n_raters: int, n_clips: int, votes: int) -> tuple[np.ndarray, pd.DataFrame]:
    """Original and codec: raters hear a clip's own emotion with a skill of their own, less so through the codec."""
    skill, own = rng.uniform(0.5, 0.95, n_raters), rng.integers(3, size=n_clips)
    cells, rows = np.zeros((2, n_clips, 3)), []
    for condition, loss in enumerate((0.0, 0.25)):
        for clip in range(n_clips):
            for rater in rng.choice(n_raters, votes, replace=False):
                heard = own[clip] if rng.random() < skill[rater] - loss else int(rng.integers(3))
                cells[condition, clip, heard] += 1
                rows.append(
                    (
                        f"r{rater}",
                        f"c{clip}-{condition}",
                        f"c{clip}",
                        ("original", "codec")[condition],
                        "emotion",
                        "",
                        "abc"[heard],
                    )
                )
    names = ["rater_id", "stimulus_id", "clip_id", "condition", "scale", "value", "labels"]
    return cells, pd.DataFrame(rows, columns=names)


def test_the_interval_of_emotion_retention_covers_what_panels_of_this_size_find_on_average() -> None:
    rng = np.random.default_rng(7)
    n_raters, n_clips, votes, studies = 24, 24, 8, 120
    found, intervals = [], []
    for study in range(studies):
        cells, frame = emotion_study(rng, n_raters, n_clips, votes)
        truth, other = threshold_votes(cells)
        found.append(macro_mean(f1_scores((truth & other).sum(0), (other & ~truth).sum(0), (truth & ~other).sum(0))))
        coded = encode(validate_ratings(frame))["emotion"]
        result = emotion_retention(coded, ("a", "b", "c"), "original", CrossedBootstrap(n_raters, n_clips, 300, study))
        row = result.overall.set_index("condition").loc["codec"]
        assert row["macro_f1"] == pytest.approx(found[-1])
        assert row["bootstrap_mean"] < row["macro_f1"] + 0.05
        intervals.append((row["ci_low"], row["ci_high"]))
    low, high = np.array(intervals).T
    expected = np.mean(found)
    assert ((low <= expected) & (expected <= high)).mean() > 0.89
