"""How far each rater agrees with the rest: a hint for the person who reviews, no ground for a rejection by itself."""

import math

import pandas as pd

#: Fewer shared stimuli than this make a correlation meaningless.
LEAST_SHARED = 5


def rest_correlation(frame: pd.DataFrame, least_shared: int = LEAST_SHARED) -> dict[str, float]:
    """Each rater's mean correlation with the mean of the other raters, over numeric scales.

    For each rater and scale: Pearson's r between the rater's values and, for the same stimuli, the mean of everybody else's, a
    rest correlation as in item analysis (Nunnally & Bernstein 1994, chapter 8); averaged over scales by Fisher's z.

    frame: one row for each rating, with rater_id, stimulus_id, scale and value (NaN for sets of labels, which are left out).
    Returns rater_id to r in [-1, 1]. A rater is absent where r is undefined: fewer than ``least_shared`` stimuli that somebody else
    rated too, or no spread in either series (b in the example: the mean of a and c is 3 throughout).

    >>> rows = [(r, str(s), "ovrl", v) for r, vs in {"a": [1, 2, 3, 4, 5], "b": [1, 2, 3, 5, 4], "c": [5, 4, 3, 2, 1]}.items()
    ...         for s, v in enumerate(vs)]
    >>> frame = pd.DataFrame(rows, columns=["rater_id", "stimulus_id", "scale", "value"])
    >>> {rater: round(r, 2) for rater, r in rest_correlation(frame).items()}
    {'a': -0.22, 'c': -0.97}
    """
    numeric = frame[["rater_id", "stimulus_id", "scale", "value"]].dropna(subset=["value"]).astype({"value": float})
    cells = numeric.groupby(["scale", "stimulus_id"])["value"]
    n = cells.transform("size")
    rest = (cells.transform("sum") - numeric["value"]) / (n - 1).where(n > 1)
    shared = numeric.assign(rest=rest).dropna(subset=["rest"])
    z: dict[str, list[float]] = {}
    for (rater, _scale), rows in shared.groupby(["rater_id", "scale"]):
        if len(rows) >= least_shared and rows["value"].nunique() > 1 and rows["rest"].nunique() > 1:
            r = float(rows["value"].corr(rows["rest"]))
            z.setdefault(str(rater), []).append(math.atanh(max(-0.9999999, min(0.9999999, r))))
    return {rater: math.tanh(sum(values) / len(values)) for rater, values in z.items()}
