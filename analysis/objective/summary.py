"""What a measure says of a condition: the mean over clips, with its sampling error."""

from math import isfinite, nan, sqrt

import scipy  # its parts are loaded where they are first used


def mean_interval(mean: float, sd: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Student's t interval of a mean over ``n`` clips with sample standard deviation ``sd``; NaN below two clips or without spread.

    It speaks of other clips of the same kind and the same speakers; scores are measured without error, so it is no wider than that.

    >>> [round(bound, 3) for bound in mean_interval(3.0, 1.0, 10)]
    [2.285, 3.715]
    """
    if n < 2 or not isfinite(sd) or sd <= 0:
        return nan, nan
    half = float(scipy.stats.t.ppf((1 + level) / 2, n - 1)) * sd / sqrt(n)
    return mean - half, mean + half
