"""Bootstrap over raters and clips together (crossed, or pigeonhole, bootstrap) and the intervals read from it.

Votes of one rater are alike, and so are votes for one clip; an interval that takes votes as independent is too narrow. A
replicate draws as many raters as there are, with replacement, and as many clips; a vote counts (draws of its rater) x (draws
of its clip) times. Source: Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1(2), 2007. It is conservative: the
variance that belongs to neither rater nor clip counts up to three times, which shows where raters give a condition few
votes each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy

FloatArray = npt.NDArray[np.float64]

#: Replicates that share one random stream and one matrix product.
BLOCK = 32
#: With fewer raters or clips than this, a percentile interval does not keep its level (see README).
FEW = 20
#: Draws that are kept for the next statistic, at most.
KEPT_BYTES = 200_000_000
LEVEL = 0.95

_Counts = npt.NDArray[np.int32]


@dataclass(frozen=True)
class CrossedBootstrap:
    """The draws of a study: every statistic that iterates over ``blocks()`` sees the same ones, so differences are paired.

    A block has a random stream of its own, made from seed and block number: the same seed gives the same bytes.
    """

    n_raters: int
    n_clips: int
    replicates: int = 2000
    seed: int = 0
    on_block: Callable[[int], None] | None = None
    #: Blocks drawn before, by what makes them: a report asks for the same ones many times over.
    _kept: dict[tuple[int, ...], tuple[_Counts, _Counts]] = field(default_factory=dict, repr=False, compare=False)

    def blocks(self) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Draws per rater (n_raters, b) and per clip (n_clips, b), b replicates at a time.

        >>> raters, clips = next(CrossedBootstrap(3, 5, replicates=4).blocks())
        >>> raters.sum(axis=0).tolist(), clips.sum(axis=0).tolist()
        ([3.0, 3.0, 3.0, 3.0], [5.0, 5.0, 5.0, 5.0])
        """
        for number, start in enumerate(range(0, self.replicates, BLOCK)):
            size = min(BLOCK, self.replicates - start)
            raters, clips = self._block(number, size)
            yield raters.astype(np.float64), clips.astype(np.float64)
            if self.on_block:
                self.on_block(size)

    def _block(self, number: int, size: int) -> tuple[_Counts, _Counts]:
        made_of = (self.seed, self.n_raters, self.n_clips, number, size)
        if made_of in self._kept:
            return self._kept[made_of]
        rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(number,)))
        block = _draws(self.n_raters, size, rng), _draws(self.n_clips, size, rng)
        if (len(self._kept) + 1) * sum(counts.nbytes for counts in block) <= KEPT_BYTES:
            self._kept[made_of] = block
        return block


def percentile_interval(replicates: npt.ArrayLike, level: float = LEVEL) -> FloatArray:
    """Quantiles (1 - level)/2 and (1 + level)/2 along the last axis: array (..., 2). Undefined replicates are passed over.

    NaN where no replicate is defined.

    >>> percentile_interval(np.arange(101.0), level=0.9).round(6).tolist()
    [5.0, 95.0]
    """
    values = np.atleast_1d(np.asarray(replicates, dtype=np.float64))
    result = np.full((*values.shape[:-1], 2), np.nan)
    defined = np.isfinite(values).any(axis=-1)
    if defined.any():
        tails = [(1 - level) / 2, (1 + level) / 2]
        result[defined] = np.moveaxis(np.nanquantile(values[defined], tails, axis=-1), 0, -1)
    return result


def bca_interval(replicates: FloatArray, estimate: float, deleted: Sequence[FloatArray], level: float = LEVEL) -> FloatArray:
    """Bias-corrected and accelerated interval (2,) of one statistic. Source: Efron, JASA 82, 1987; Efron and Tibshirani 1993.

    z0 = normal quantile of the share of replicates below the estimate (ties count half); the acceleration is that of a sample
    from several populations: sum of cubes / (6 (sum of squares)^1.5) of the jackknife's deviations, over ``deleted``, the
    statistic without each rater and without each clip. NaN where no replicate is defined or all are on one side.

    >>> spread = np.random.default_rng(1).normal(0, 1, 4000)
    >>> bca_interval(spread, 0.0, [np.array([-1.0, 0.0, 1.0])]).round(1).tolist()
    [-1.9, 2.0]
    """
    drawn = replicates[np.isfinite(replicates)]
    below = (np.sum(drawn < estimate) + np.sum(drawn == estimate) / 2) / max(len(drawn), 1)
    if not 0 < below < 1:
        return np.full(2, np.nan)
    influence = np.concatenate([(np.nanmean(one) - one) * (len(one) - 1) / len(one) for one in deleted])
    influence = influence[np.isfinite(influence)]
    squares = (influence**2).sum()
    acceleration = (influence**3).sum() / (6 * squares**1.5) if squares > 0 else 0.0
    bias = scipy.stats.norm.ppf(below)
    tails = bias + scipy.stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
    result: FloatArray = np.quantile(drawn, scipy.stats.norm.cdf(bias + tails / (1 - acceleration * tails)))
    return result


def rescaled_interval(
    replicates: FloatArray, estimate: float, standard_error: float, freedom: int, level: float = LEVEL
) -> FloatArray:
    """Percentiles of one statistic, (2,), brought to a known standard error: estimate + (percentile - estimate) x scale.

    The crossed bootstrap counts the variance that belongs to neither rater nor clip up to three times, which widens a difference
    most, since there raters and clips cancel. scale = t(freedom) x standard_error / (z x SD of the replicates) takes that back and
    makes up for few raters; what stays of the bootstrap is the shape. NaN where the replicates do not vary.

    >>> spread = np.linspace(-3, 3, 1001)
    >>> rescaled_interval(spread, 0.0, 1.0, 1000).round(2).tolist()
    [-1.64, 1.64]
    """
    drawn = replicates[np.isfinite(replicates)]
    if len(drawn) < 2 or np.ptp(drawn) < 1e-12:
        return np.full(2, np.nan)
    tail = (1 + level) / 2
    scale = scipy.stats.t.ppf(tail, freedom) * standard_error / (scipy.stats.norm.ppf(tail) * drawn.std(ddof=1))
    moved: FloatArray = estimate + (percentile_interval(drawn).ravel() - estimate) * scale
    return moved


def centred_interval(replicates: FloatArray, estimate: FloatArray) -> FloatArray:
    """Percentile interval (..., 2) moved by the bootstrap's own bias, mean(replicates) - estimate, and kept within 0..1.

    For statistics that resampling shifts: the F1 of two thresholded votes falls with every layer of vote noise, so replicates
    lie below the estimate as the estimate lies below what endless votes would give. The moved interval is about the statistic
    of a panel *of this size*: its target is that statistic's expectation.

    >>> centred_interval(np.array([[0.3, 0.5, 0.7]]), np.array([0.8])).round(3).tolist()
    [[0.61, 0.99]]
    """
    defined = np.isfinite(replicates)
    count = defined.sum(axis=-1)
    total = np.where(defined, replicates, 0.0).sum(axis=-1)
    bias = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=count > 0) - estimate
    moved: FloatArray = np.clip(percentile_interval(replicates) - np.asarray(bias)[..., None], 0.0, 1.0)
    return moved


def share_first(replicates: Mapping[str, FloatArray]) -> dict[str, float]:
    """Share of the replicates in which each condition has the highest value: how sure its first place is.

    >>> share_first({"a": np.array([1.0, 3.0, 5.0, 5.0]), "b": np.array([2.0, 2.0, 2.0, 2.0])})
    {'a': 0.75, 'b': 0.25}
    """
    values = np.nan_to_num(np.stack(list(replicates.values())), nan=-np.inf)
    winner = values.argmax(axis=0)
    return {name: float((winner == index).mean()) for index, name in enumerate(replicates)}


def few_clusters(n_raters: int, n_clips: int) -> str:
    """A warning for intervals from few raters or clips, or the empty string.

    >>> few_clusters(9, 45)
    'only 9 raters: the interval is a rough one'
    """
    few = [f"{count} {name}" for count, name in ((n_raters, "raters"), (n_clips, "clips")) if count < FEW]
    return f"only {' and '.join(few)}: the interval is a rough one" if few else ""


def too_few(n_raters: int, n_clips: int) -> str:
    """Why there is no interval at all, or the empty string.

    >>> too_few(1, 45)
    'one rater'
    """
    return "one rater" if n_raters < 2 else "one clip" if n_clips < 2 else ""


def _draws(n: int, size: int, rng: np.random.Generator) -> _Counts:
    """How often each of ``n`` things is drawn in ``n`` draws with replacement, for ``size`` replicates: array (n, size)."""
    drawn = rng.integers(0, max(n, 1), size=(n, size)) * size + np.arange(size)
    counts: _Counts = np.bincount(drawn.ravel(), minlength=n * size).reshape(n, size).astype(np.int32)
    return counts
