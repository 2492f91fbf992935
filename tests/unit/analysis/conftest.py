"""A small study with known structure, as a tidy frame."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis.schema import validate_ratings

EMOTIONS = ("anger", "joy", "neutral")
CONDITIONS = ("original", "opus-6kbps", "opus-24kbps")
MakeRatings = Callable[..., pd.DataFrame]


def make_study(n_raters: int = 12, n_clips: int = 8, seed: int = 0, simulated: int = 1) -> pd.DataFrame:
    """A study in which every rater rates every clip in one condition, on ovrl and emotion."""
    rng = np.random.default_rng(seed)
    bias = rng.normal(0, 0.4, n_raters)
    rows = []
    for rater in range(n_raters):
        for clip in range(n_clips):
            step = (rater + clip) % len(CONDITIONS)
            name = CONDITIONS[step]
            head: dict[str, object] = {
                "rater_id": f"r{rater}",
                "stimulus_id": f"c{clip}-{name}",
                "clip_id": f"c{clip}",
                "condition": name,
            }
            head |= {"simulated": simulated, "value": None, "labels": ""}
            vote = int(np.clip(np.rint(4.5 - 1.2 * (step > 0) + bias[rater] + rng.normal(0, 0.6)), 1, 5))
            heard = EMOTIONS[clip % 3] if rng.random() < 0.9 - 0.2 * step else EMOTIONS[rng.integers(3)]
            rows += [head | {"scale": "ovrl", "value": vote}, head | {"scale": "emotion", "labels": heard}]
    return validate_ratings(pd.DataFrame(rows))


@pytest.fixture(scope="session")
def make_ratings() -> MakeRatings:
    """The function `make_study`."""
    return make_study
