"""A linear mixed model of votes with crossed random raters and clips, fitted by restricted maximum likelihood.

vote = condition mean + rater + clip + residual, the last three normal and independent. Only sums per rater, per clip and per pair
enter, and the larger factor is eliminated, so that a fit costs what a dense matrix of the smaller factor costs. The optimiser is
started from several places, because this likelihood has flat stretches near a variance of zero, where a single start can stop and
report convergence; a zero is reported as one only where the likelihood falls away from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import scipy

from analysis.ratings.bootstrap import LEVEL
from analysis.ratings.coding import Coded, FloatArray, IntArray, count_matrix, joined, missing_raters

#: Total variance, in squared scale units, below which what is left is rounding and has no shares.
NO_VARIANCE = 1e-12
MEAN_COLUMNS = ("scale", "condition", "mean", "standard_error", "ci_low", "ci_high", "n_ratings", "note")
COMPONENT_COLUMNS = (
    *("scale", "rater_variance", "clip_variance", "residual_variance", "icc_rater", "icc_clip"),
    *("reml_criterion", "converged", "boundary", "n_starts_agreed", "method", "note"),
)
#: A dense matrix of more levels than this is not made; variances then come from moments and there is no likelihood.
MOST_LEVELS = 3000
_STARTS = ((1.0, 0.05), (0.05, 1.0))
#: Up to so many cells the table of raters x clips is kept dense, which is faster than sparse.
_DENSE = 4_000_000
_ZERO = 1e-6
_TOLERANCE = 1e-3


@dataclass(frozen=True)
class CrossedFit:
    """Estimates of the model. ``means`` and ``covariance`` are of the condition means (conditions,), (conditions, conditions).

    ``converged``: the gradient is small at every variance that is not zero and the criterion rises from every one that is.
    ``boundary`` names variances estimated as zero. ``agreed`` of the starts ended at the best criterion. ``criterion`` is -2 log
    restricted likelihood (NaN for moments). ``note`` says what is wrong, or is empty.
    """

    rater_variance: float
    clip_variance: float
    residual_variance: float
    means: FloatArray
    covariance: FloatArray
    criterion: float
    converged: bool
    boundary: tuple[str, ...]
    agreed: int
    method: str
    note: str


def mixed_model(scales: Mapping[str, Coded]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Condition means (`MEAN_COLUMNS`) and variance components (`COMPONENT_COLUMNS`) of every numeric scale.

    Intervals: mean +- t(0.975, min(raters, clips) - 1) x standard error, which holds the variance of raters and of clips. The
    means adjust for who rated what, so they can differ from the plain MOS where the design is not balanced. NaN with a note
    without rater ids, with fewer than two raters or clips, or with all votes equal.
    """
    means: list[dict[str, object]] = []
    components: list[dict[str, object]] = []
    for name, coded in scales.items():
        if coded.has_labels:
            continue
        codes = coded.present()
        heads = [{"scale": name, "condition": coded.conditions[c], "n_ratings": int(coded.rows(c).sum())} for c in codes]
        reason = unfit(coded)
        if reason:
            means.extend({**head, "note": reason} for head in heads)
            components.append({"scale": name, "converged": False, "boundary": "", "method": "", "note": reason})
            continue
        condition = np.searchsorted(codes, coded.condition)
        fit = crossed_components(coded.value, condition, coded.rater, coded.clip)
        freedom = min(len(np.unique(coded.rater)), len(np.unique(coded.clip))) - 1
        error = np.sqrt(np.diag(fit.covariance))
        half = scipy.stats.t.ppf((1 + LEVEL) / 2, freedom) * error
        for head, mean, se, width in zip(heads, fit.means, error, half, strict=True):
            row = {"mean": mean, "standard_error": se, "ci_low": mean - width, "ci_high": mean + width, "note": fit.note}
            means.append(head | row)
        components.append({"scale": name, **_components(fit)})
    numbers = dict.fromkeys(("mean", "standard_error", "ci_low", "ci_high"), "float64")
    variances = dict.fromkeys(COMPONENT_COLUMNS[1:7], "float64")
    return (
        pd.DataFrame(means, columns=list(MEAN_COLUMNS)).astype(numbers),
        pd.DataFrame(components, columns=list(COMPONENT_COLUMNS)).astype(variances),
    )


def crossed_components(value: FloatArray, condition: IntArray, rater: IntArray, clip: IntArray) -> CrossedFit:
    """Fit the model to votes (n,) with their codes. ``condition`` codes run from 0 without gaps; other codes may have gaps.

    REML where the smaller of the two factors has at most `MOST_LEVELS` levels, else Gao and Owen's moments with generalised means
    taken as plain ones. Source of the profiled criterion: Bates et al., Journal of Statistical Software 67(1), 2015, section 3.

    Shrout and Fleiss's table, whose mean squares give (JMS - EMS) / 6, (BMS - EMS) / 4 and EMS:

    >>> table = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], dtype=float)
    >>> clip, rater = np.indices(table.shape)
    >>> fit = crossed_components(table.ravel(), np.zeros(24, dtype=int), rater.ravel(), clip.ravel())
    >>> round(fit.rater_variance, 3), round(fit.clip_variance, 3), round(fit.residual_variance, 3), fit.converged
    (5.244, 2.556, 1.019, True)
    """
    _, rater = np.unique(rater, return_inverse=True)
    _, clip = np.unique(clip, return_inverse=True)
    moments = moment_components(value - _plain_means(value, condition)[condition], rater, clip)
    if min(rater.max(), clip.max()) >= MOST_LEVELS:
        return _by_moments(value, condition, moments, f"more than {MOST_LEVELS} raters and as many clips")
    problem = _Reml.of(value, condition, rater, clip)
    start = np.sqrt(np.maximum(np.array(moments[:2]) / max(moments[2], 1e-12), 1e-4))
    ends = [
        scipy.optimize.minimize(
            problem.criterion, first, method="L-BFGS-B", bounds=[(0, 1e3), (0, 1e3)], options={"ftol": 1e-13, "gtol": 1e-7}
        )
        for first in (start, *map(np.array, _STARTS))
    ]
    best = min(ends, key=lambda end: float(end.fun))
    roots = scipy.optimize.minimize(
        problem.criterion, best.x, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 80}
    ).x
    ratios = np.where(np.abs(roots) < np.sqrt(_ZERO), 0.0, roots**2)
    agreed = sum(float(end.fun) < best.fun + 1e-4 for end in ends)
    slope = problem.slope(ratios)
    inside = ratios > 0
    converged = bool((np.abs(slope[inside]) < _TOLERANCE).all() and (slope[~inside] > -_TOLERANCE).all())
    boundary = tuple(name for name, free in zip(("rater", "clip"), inside, strict=True) if not free)
    try:
        criterion, residual, means, covariance = problem.solve(ratios)
    except scipy.linalg.LinAlgError:
        return _by_moments(value, condition, moments, "the restricted likelihood has no maximum that can be computed")
    note = joined(
        [
            "" if converged else "the restricted likelihood has no clear maximum here",
            f"no variance between {' or between '.join(f'{name}s' for name in boundary)}" if boundary else "",
        ]
    )
    variances = ratios * residual
    return CrossedFit(
        float(variances[0]),
        float(variances[1]),
        residual,
        means,
        covariance * residual,
        criterion,
        converged,
        boundary,
        agreed,
        "REML",
        note,
    )


def moment_components(deviation: FloatArray, rater: IntArray, clip: IntArray) -> tuple[float, float, float]:
    """Rater, clip and residual variance from three sums of squares, in one pass; each at least 0.

    Within raters E = (n - R)(V_clip + V_e), within clips E = (n - C)(V_rater + V_e), and in all n E = V_rater (n^2 - sum n_r^2) +
    V_clip (n^2 - sum n_c^2) + V_e (n^2 - n). Source: Gao and Owen, Electronic Journal of Statistics 11, 2017.
    """
    n = float(len(deviation))
    equations: list[list[float]] = []
    sums: list[float] = []
    per = {"rater": np.bincount(rater), "clip": np.bincount(clip)}
    for codes, count, share in ((rater, per["rater"], (0.0, 1.0)), (clip, per["clip"], (1.0, 0.0))):
        mean = np.divide(np.bincount(codes, deviation), count, out=np.zeros(len(count)), where=count > 0)
        free = n - np.count_nonzero(count)
        equations.append([share[0] * free, share[1] * free, free])
        sums.append(float(((deviation - mean[codes]) ** 2).sum()))
    alike = [float((count**2.0).sum()) for count in per.values()]
    equations.append([n**2 - alike[0], n**2 - alike[1], n**2 - n])
    sums.append(n * float(((deviation - deviation.mean()) ** 2).sum()))
    solution = np.linalg.lstsq(np.array(equations, dtype=np.float64), np.array(sums), rcond=None)[0]
    raters, clips, residual = (max(float(part), 0.0) for part in solution)
    return raters, clips, residual


@dataclass(frozen=True)
class _Reml:
    """Sums that the criterion needs: ``large`` and ``small`` hold votes per level, ``pairs`` votes per (large, small) pair,
    (dense or
    sparse), and ``by_large``, ``by_small``, ``whole`` the sums of [condition indicators, votes] per level and their cross products."""

    n: int
    mean: float
    swapped: bool
    large: FloatArray
    small: FloatArray
    pairs: Any
    by_large: FloatArray
    by_small: FloatArray
    whole: FloatArray

    @classmethod
    def of(cls, value: FloatArray, condition: IntArray, rater: IntArray, clip: IntArray) -> _Reml:
        swapped = rater.max() < clip.max()
        large, small = (clip, rater) if swapped else (rater, clip)
        centred = value - value.mean()
        n, p = len(value), int(condition.max()) + 1
        columns = scipy.sparse.hstack(
            [count_matrix(np.arange(n), condition, (n, p)), scipy.sparse.csr_array(centred[:, None])]
        ).tocsr()
        members = [count_matrix(codes, np.arange(n), (int(codes.max()) + 1, n)) for codes in (large, small)]
        pairs = (members[0] @ members[1].T).tocsr()
        return cls(
            n,
            float(value.mean()),
            bool(swapped),
            np.asarray(members[0].sum(axis=1)).ravel(),
            np.asarray(members[1].sum(axis=1)).ravel(),
            pairs.toarray() if pairs.shape[0] * pairs.shape[1] <= _DENSE else pairs,
            (members[0] @ columns).toarray(),
            (members[1] @ columns).toarray(),
            (columns.T @ columns).toarray(),
        )

    def criterion(self, roots: FloatArray) -> float:
        """-2 log restricted likelihood at the roots of the variance ratios (rater, clip), residual variance profiled out."""
        return self.criterion_at(roots**2)

    def criterion_at(self, ratios: FloatArray) -> float:
        """The criterion; infinite where a ratio is so large that rounding leaves nothing to solve, as few votes can ask for."""
        try:
            return self.solve(ratios)[0]
        except scipy.linalg.LinAlgError:
            return inf

    def solve(self, ratios: FloatArray) -> tuple[float, float, FloatArray, FloatArray]:
        """Criterion, residual variance, condition means and their covariance over the residual variance."""
        of_large, of_small = ratios[::-1] if self.swapped else ratios
        root = np.sqrt(of_large * of_small)
        diagonal = 1 + of_large * self.large
        inverse = 1 / diagonal
        scaled = (
            scipy.sparse.diags_array(inverse) @ self.pairs
            if scipy.sparse.issparse(self.pairs)
            else self.pairs * inverse[:, None]
        )
        shared = self.pairs.T @ scaled
        schur = np.diag(1 + of_small * self.small) - root**2 * (shared.toarray() if scipy.sparse.issparse(shared) else shared)
        factor = scipy.linalg.cho_factor(schur, lower=True)
        first, second = np.sqrt(of_large) * self.by_large, np.sqrt(of_small) * self.by_small
        reduced = second - root * (scaled.T @ first)
        inner = first.T @ (first / diagonal[:, None]) + reduced.T @ scipy.linalg.cho_solve(factor, reduced)
        left = self.whole - inner
        p = len(left) - 1
        fixed = scipy.linalg.cho_factor(left[:p, :p], lower=True)
        means = scipy.linalg.cho_solve(fixed, left[:p, p])
        residual = float(left[p, p] - left[:p, p] @ means) / (self.n - p)
        determinant = np.log(diagonal).sum() + 2 * np.log(np.diag(factor[0])).sum() + 2 * np.log(np.diag(fixed[0])).sum()
        criterion = (self.n - p) * (np.log(2 * np.pi * max(residual, 1e-300)) + 1) + determinant
        return float(criterion), residual, means + self.mean, scipy.linalg.cho_solve(fixed, np.eye(p))

    def slope(self, ratios: FloatArray) -> FloatArray:
        """Derivative of the criterion by the logarithm of each ratio, or by the ratio itself where it is zero."""
        slopes = []
        for index, ratio in enumerate(ratios):
            step = 1e-4 * ratio if ratio > 0 else 1e-6
            after, before = ratios.copy(), ratios.copy()
            after[index] += step
            before[index] -= step if ratio > 0 else 0
            rise = self.criterion_at(after) - self.criterion_at(before)
            slopes.append(rise / 2e-4 if ratio > 0 else rise / step)
        return np.array(slopes)


def _by_moments(value: FloatArray, condition: IntArray, moments: tuple[float, float, float], reason: str) -> CrossedFit:
    means = _plain_means(value, condition)
    nothing = np.full((len(means), len(means)), np.nan)
    note = f"{reason}: variances by moments, no standard errors"
    return CrossedFit(*moments, means, nothing, float("nan"), True, (), 0, "moments", note)


def _plain_means(value: FloatArray, condition: IntArray) -> FloatArray:
    means: FloatArray = np.bincount(condition, value) / np.bincount(condition)
    return means


def unfit(coded: Coded) -> str:
    """Why the model cannot be fitted to these ratings, or the empty string."""
    n_raters, n_clips = len(np.unique(coded.rater)), len(np.unique(coded.clip))
    few = "fewer than two raters or clips" if min(n_raters, n_clips) < 2 else ""
    equal = "all votes are equal" if np.ptp(coded.value) == 0 else ""
    short = "" if len(coded) > len(coded.present()) + 2 else "too few votes for a model"
    return missing_raters(coded, np.ones(len(coded), dtype=bool)) or few or equal or short


def _components(fit: CrossedFit) -> dict[str, object]:
    total = fit.rater_variance + fit.clip_variance + fit.residual_variance
    return {
        "rater_variance": fit.rater_variance,
        "clip_variance": fit.clip_variance,
        "residual_variance": fit.residual_variance,
        # Shares of nothing are undefined: where nobody differs in anything there is no variance to share.
        "icc_rater": fit.rater_variance / total if total > NO_VARIANCE else np.nan,
        "icc_clip": fit.clip_variance / total if total > NO_VARIANCE else np.nan,
        "reml_criterion": fit.criterion,
        "converged": fit.converged,
        "boundary": ", ".join(fit.boundary),
        "n_starts_agreed": fit.agreed,
        "method": fit.method,
        "note": fit.note,
    }
