"""Bootstrap over raters alone, for statements about the very clips that were heard.

Each rater's votes are summed once; a replicate is a weighted sum of those sums, so its cost does not depend on how many votes there are.
Weights are drawn from a Poisson distribution of mean 1 instead of a multinomial one: the number of raters then varies a little
from replicate to replicate, which cancels in means and in F1, and the draws need no second pass (Hanley and MacGibbon, Computer
Methods and Programs in Biomedicine 83, 2006; Chamandy et al., Estimating uncertainty for massive data streams, 2012).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import exp, factorial
from typing import Any

import numpy as np
import numpy.typing as npt

from analysis.labels import f1_scores, macro_mean
from analysis.ratings.coding import Coded, FloatArray, count_matrix

#: Replicates that share one random stream and one matrix product.
_BLOCK = 256
#: Random numbers turned into draws at a time: few enough to stay near the processor.
_CHUNK = 2**16
#: A 16-bit random number from the k-th of these on is a draw of more than k; chances are right to 1/65,536.
_POISSON_1 = np.cumsum([exp(-1) / factorial(k) for k in range(8)])
_EDGES = np.searchsorted((np.arange(2**16) + 0.5) / 2**16, _POISSON_1).astype(np.uint16)
_LARGEST = len(_EDGES)


def poisson_draws(words: npt.NDArray[np.uint16]) -> npt.NDArray[np.float32]:
    """Poisson draws of mean 1, one for each 16-bit random number: compared with eight edges, which is faster than looking up.

    >>> draws = poisson_draws(np.arange(2**16, dtype=np.uint16))
    >>> bool(abs(draws.mean(dtype=float) - 1) < 1e-4), bool(abs(draws.var(dtype=float) - 1) < 1e-3), float(draws.max())
    (True, True, 8.0)
    """
    draws = np.empty(words.shape, dtype=np.float32)
    for start in range(0, len(words), _CHUNK):
        part = words[start : start + _CHUNK]
        count = (part >= _EDGES[0]).view(np.uint8)
        for edge in _EDGES[1:]:
            count += (part >= edge).view(np.uint8)
        draws[start : start + _CHUNK] = count
    return draws


def resample_raters(sums: FloatArray, replicates: int, seed: int) -> FloatArray:
    """Sums of every statistic over resampled raters: (raters, statistics) -> (replicates, statistics).

    Block of replicates by block, each with a random stream of its own made from ``seed``: the same seed gives the same bytes. Whole
    numbers are summed in single precision where that is exact.

    >>> drawn = resample_raters(np.ones((10_000, 1)), 3, 0)
    >>> bool((abs(drawn - 10_000) < 500).all()), bool((drawn == resample_raters(np.ones((10_000, 1)), 3, 0)).all())
    (True, True)
    """
    largest = _LARGEST * np.abs(sums).sum(axis=0).max(initial=0.0)
    exact = bool((sums == np.rint(sums)).all()) and largest < 2**24
    table: npt.NDArray[Any] = sums.astype(np.float32 if exact else np.float64)
    return np.concatenate([(drawn @ table).astype(np.float64) for drawn in draw_weights(len(sums), replicates, seed)])


def draw_weights(n: int, replicates: int, seed: int) -> Iterator[npt.NDArray[np.float32]]:
    """Poisson draws of mean 1 for ``n`` raters, block by block: arrays (replicates of the block, n)."""
    for number, start in enumerate(range(0, replicates, _BLOCK)):
        size = min(_BLOCK, replicates - start)
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number,)))
        words = rng.integers(0, 2**64, size=-(-size * n // 4), dtype=np.uint64)
        yield poisson_draws(words.view("<u2")[: size * n]).reshape(size, n)


def rater_means(coded: Coded, replicates: int, seed: int) -> FloatArray:
    """Mean of every condition present in every replicate: array (conditions, replicates). Ratings without rater are left out."""
    known = coded.rater >= 0
    conditions = coded.present()
    place, shape = np.searchsorted(conditions, coded.condition[known]), (len(coded.raters), len(conditions))
    sums, counts = (count_matrix(coded.rater[known], place, shape, of) for of in (coded.value[known], None))
    total, votes = np.split(resample_raters(np.hstack([sums.toarray(), counts.toarray()]), replicates, seed).T, 2)
    return np.divide(total, votes, out=np.full_like(total, np.nan), where=votes > 0)


def rater_macro_f1(hits: FloatArray, named: FloatArray, support: FloatArray, replicates: int, seed: int) -> FloatArray:
    """Macro-F1 over labels of every condition in every replicate: array (conditions, replicates).

    Per rater, condition and label, arrays (raters, conditions, labels): ``hits`` how often a rater named the label rightly, ``named``
    how often at all, ``support`` how often it was right.
    """
    raters, conditions, labels = hits.shape
    sums = np.stack([hits, named, support], axis=1).reshape(raters, 3 * conditions * labels)
    drawn = resample_raters(sums, replicates, seed).reshape(replicates, 3, conditions, labels)
    both, made, true = drawn.transpose(1, 2, 0, 3)
    scores: FloatArray = macro_mean(f1_scores(both, made - both, true - both))
    return scores
