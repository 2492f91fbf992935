"""The variance of a mean whose votes share raters and clips, from the votes themselves and without resampling."""

from __future__ import annotations

import numpy as np

from analysis.ratings.coding import FloatArray, IntArray


def crossed_standard_error(deviation: FloatArray, rater: IntArray, clip: IntArray) -> float:
    """Standard error of a mean over raters and clips: square root of (V_raters + V_clips - V_cells).

    ``deviation`` (n,) is each vote's part in the estimate less its expectation, times n: vote - mean for a mean. V_raters
    = G / (G - 1) x sum over the G raters of (sum of their deviations)^2 / n^2, likewise over clips and over votes of one rater for
    one clip, whose variance the first two both count. Source: Cameron, Gelbach and Miller, Robust inference with multiway
    clustering, JBES 29, 2011; the model is CrowdMOS's (Ribeiro et al., ICASSP 2011). The difference can fall below its largest part
    in small samples; that part is then taken. NaN with fewer than two raters or clips.

    Votes that differ by rater alone, so that the mean is as uncertain as a mean of three raters:

    >>> rater, clip = np.repeat([0, 1, 2], 4), np.tile([0, 1, 2, 3], 3)
    >>> round(crossed_standard_error(np.repeat([-1.0, 0.0, 1.0], 4), rater, clip), 4), round(3**-0.5, 4)
    (0.5774, 0.5774)
    """
    raters, clips, cells = (_clustered(deviation, codes) for codes in (rater, clip, rater * (clip.max() + 1) + clip))
    both = raters + clips - cells
    return float(np.sqrt(max(both, raters, clips, cells)))


def deleted_means(value: FloatArray, cluster: IntArray) -> FloatArray:
    """The mean of ``value`` without each cluster in turn: array (clusters,). NaN where nothing is left.

    >>> deleted_means(np.array([1.0, 2.0, 6.0]), np.array([0, 0, 1])).tolist()
    [6.0, 1.5]
    """
    _, code = np.unique(cluster, return_inverse=True)
    left = len(value) - np.bincount(code)
    total = value.sum() - np.bincount(code, value)
    result: FloatArray = np.divide(total, left, out=np.full(len(left), np.nan), where=left > 0)
    return result


def _clustered(deviation: FloatArray, cluster: IntArray) -> float:
    _, code = np.unique(cluster, return_inverse=True)
    sums = np.bincount(code, deviation)
    if len(sums) < 2:
        return float("nan")
    return float(len(sums) / (len(sums) - 1) * (sums**2).sum() / len(deviation) ** 2)
