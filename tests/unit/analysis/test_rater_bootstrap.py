"""The bootstrap over raters, and single ratings against the emotion of the original."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score

from analysis.ratings.coding import encode
from analysis.ratings.rater_bootstrap import rater_means, resample_raters
from analysis.ratings.recognition import recognition
from analysis.schema import validate_ratings

EMOTIONS = ("anger", "fear", "joy")


def frame(seed: int = 0, n_raters: int = 40) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for rater in range(n_raters):
        for clip in range(12):
            condition = ("original", "codec")[(rater + clip) % 2]
            right = rng.random() < (0.9 if condition == "original" else 0.6)
            label = EMOTIONS[clip % 3 if right else rng.integers(3)]
            stimulus = {"stimulus_id": f"c{clip}-{condition}", "clip_id": f"c{clip}", "condition": condition}
            rows.append({"rater_id": f"r{rater}", **stimulus, "scale": "emotion", "value": "", "labels": label})
            rows.append({**rows[-1], "scale": "ovrl", "value": str(rng.integers(1, 6)), "labels": ""})
    return validate_ratings(pd.DataFrame(rows))


def test_the_standard_error_is_that_of_raters_as_clusters() -> None:
    coded = encode(frame())["ovrl"]
    drawn = rater_means(coded, 4000, 1)
    for code, mine in zip(coded.present(), drawn, strict=True):
        rows = coded.rows(code)
        deviation = np.bincount(coded.rater[rows], coded.value[rows] - coded.value[rows].mean())
        assert mine.std() == pytest.approx(np.sqrt((deviation**2).sum()) / rows.sum(), rel=0.05)


def test_the_same_seed_gives_the_same_bytes_for_any_number_of_replicates_that_follow() -> None:
    sums = np.random.default_rng(3).integers(0, 50, (300, 4)).astype(float)
    assert (resample_raters(sums, 700, 5)[:512] == resample_raters(sums, 512, 5)).all()
    assert not (resample_raters(sums, 8, 5) == resample_raters(sums, 8, 6)).all()


def test_recognition_is_the_macro_f1_of_scikit_learn_over_single_ratings() -> None:
    coded = encode(frame())["emotion"]
    table = recognition(coded, EMOTIONS, "original", 500, 0).set_index("condition")
    rows = coded.rows(coded.conditions.index("codec"))
    intended = [EMOTIONS[int(coded.clips[clip][1:]) % 3] for clip in coded.clip[rows]]
    row = table.loc["codec"]
    assert row["macro_f1"] == pytest.approx(f1_score(intended, coded.labels[rows].astype(str), average="macro"))
    assert row["accuracy"] == pytest.approx((np.array(intended) == coded.labels[rows]).mean())
    assert row["ci_low"] < row["macro_f1"] < row["ci_high"] < table.loc["original", "macro_f1"]


def test_nobody_is_judged_by_their_own_vote() -> None:
    """Two raters who never agree: each is the whole of the other's yardstick, and neither is ever right."""
    rows = [
        {"rater_id": f"r{rater}", "stimulus_id": f"c{clip}", "clip_id": f"c{clip}", "condition": "original"}
        | {"scale": "emotion", "value": "", "labels": EMOTIONS[(clip + rater) % 3]}
        for rater in range(2)
        for clip in range(6)
    ]
    row = recognition(encode(validate_ratings(pd.DataFrame(rows)))["emotion"], EMOTIONS, "original", 50, 0).iloc[0]
    assert row["accuracy"] == row["macro_f1"] == 0
