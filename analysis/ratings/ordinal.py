"""A cumulative logit model with a random rater: votes as ordered categories instead of numbers.

logit P(vote <= k) = theta_k - (x' beta + u_rater), u ~ N(0, s^2). The integral over each rater's u is adaptive Gauss-Hermite quadrature:
nodes are placed around the rater's own mode with his own curvature, so that a few of them are exact enough; one node is Laplace's
approximation. Source: Christensen's `ordinal` for R (clmm), whose numbers the tests hold it to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.ratings.bootstrap import LEVEL
from analysis.ratings.coding import Coded, FloatArray, IntArray, joined, missing_raters

COLUMNS = ("scale", "condition", "reference", "log_odds", "standard_error", "ci_low", "ci_high", "p", "rater_sd", "note")
NODES = 15
_NEWTON = 30
_TINY = 1e-300


@dataclass(frozen=True)
class OrdinalFit:
    """``thresholds`` (categories - 1,), ``effects`` (columns of x,), ``rater_sd``, the log likelihood, and standard errors of the
    effects from the numerical Hessian. ``converged``: the largest gradient entry is small."""

    thresholds: FloatArray
    effects: FloatArray
    rater_sd: float
    log_likelihood: float
    standard_errors: FloatArray
    converged: bool


def cumulative_logit(value: npt.ArrayLike, x: npt.ArrayLike, rater: IntArray | None = None, nodes: int = NODES) -> OrdinalFit:
    """Fit by maximum likelihood: ``value`` (n,) any ordered numbers, ``x`` (n, p) without a constant, ``rater`` codes (n,).

    Without ``rater`` the ordinary cumulative logit model. ``nodes`` = 1 is Laplace's approximation. A category that nobody used
    is not there. Raises ValueError for fewer than two categories.
    """
    levels, y = np.unique(np.asarray(value), return_inverse=True)
    if len(levels) < 2:
        raise ValueError("Votes of one category alone have no model.")
    design = np.asarray(x, dtype=np.float64).reshape(len(y), -1)
    codes = np.zeros(len(y), dtype=np.int64) if rater is None else np.unique(rater, return_inverse=True)[1]
    problem = _Problem(y, design, codes, len(levels), rater is not None, nodes)
    cumulated = np.cumsum(np.bincount(y))[:-1] / len(y)
    thresholds = scipy.special.logit(cumulated)
    steps = np.log(np.maximum(np.diff(thresholds), 1e-3))
    start = np.concatenate([thresholds[:1], steps, np.zeros(design.shape[1]), [np.log(0.7)] * problem.random])
    found = scipy.optimize.minimize(problem.deviance, start, method="BFGS", options={"gtol": 1e-5, "maxiter": 500})
    slope = scipy.optimize.approx_fprime(found.x, problem.deviance, 1e-6)
    theta, beta, sd = problem.unpack(found.x)
    place = slice(len(levels) - 1, len(levels) - 1 + design.shape[1])
    errors = np.sqrt(np.maximum(np.diag(np.linalg.pinv(_hessian(problem, found.x))), 0))[place]
    small = bool(np.abs(slope).max() < 1e-2)
    return OrdinalFit(theta, beta, sd, -float(found.fun), errors, small)


def ordinal_model(coded: Coded, reference: str) -> pd.DataFrame:
    """Log odds of a higher vote than the reference gets, for every other condition of a scale: frame with `COLUMNS`.

    Wald intervals and p. Raters are random; clips are not in the model, so it serves designs where all conditions are heard on the
    same clips. NaN with a note: no reference, no rater ids, fewer than two raters, votes all equal.
    """
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    others = [code for code in coded.present() if code != base]
    heads = [{"scale": coded.scale, "condition": coded.conditions[code], "reference": reference} for code in others]
    absent = "" if base in coded.present() else f"no ratings of the reference '{reference}'"
    few = "one rater" if len(np.unique(coded.rater)) < 2 else ""
    equal = "all votes are equal" if len(coded) and np.ptp(coded.value) == 0 else ""
    reason = absent or missing_raters(coded, np.ones(len(coded), dtype=bool)) or few or equal
    types = dict.fromkeys(COLUMNS[3:9], "float64")
    if reason or not others:
        return pd.DataFrame([{**head, "note": reason} for head in heads], columns=list(COLUMNS)).astype(types)
    x = (coded.condition[:, None] == np.array(others)).astype(np.float64)
    fit = cumulative_logit(coded.value, x, coded.rater)
    note = joined(["" if fit.converged else "the likelihood has no clear maximum here"])
    half = scipy.stats.norm.ppf((1 + LEVEL) / 2) * fit.standard_errors
    rows = []
    for head, effect, error, width in zip(heads, fit.effects, fit.standard_errors, half, strict=True):
        p = 2 * scipy.stats.norm.sf(abs(effect) / error) if error > 0 else float("nan")
        row = {"log_odds": effect, "standard_error": error, "ci_low": effect - width, "ci_high": effect + width, "p": p}
        rows.append({**head, **row, "rater_sd": fit.rater_sd, "note": note})
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


@dataclass(frozen=True)
class _Problem:
    """The data, and the likelihood of parameters (first threshold, log steps, effects, log rater SD)."""

    y: IntArray
    x: FloatArray
    rater: IntArray
    n_levels: int
    random: bool
    nodes: int

    def unpack(self, parameters: FloatArray) -> tuple[FloatArray, FloatArray, float]:
        cut = self.n_levels - 1
        theta: FloatArray = parameters[0] + np.concatenate([[0.0], np.cumsum(np.exp(parameters[1:cut]))])
        return theta, parameters[cut : cut + self.x.shape[1]], float(np.exp(parameters[-1])) if self.random else 0.0

    def deviance(self, parameters: FloatArray) -> float:
        """Minus the log likelihood."""
        theta, beta, sd = self.unpack(np.clip(parameters, -30, 30))
        edges = np.concatenate([[-np.inf], theta, [np.inf]])
        upper, lower = edges[self.y + 1] - self.x @ beta, edges[self.y] - self.x @ beta
        if not self.random:
            return -float(np.log(_between(upper, lower) + _TINY).sum())
        mode, scale = self._modes(upper, lower, sd)
        nodes, weights = np.polynomial.hermite.hermgauss(self.nodes)
        total = np.full((self.nodes, len(mode)), -np.inf)
        for index, (node, weight) in enumerate(zip(nodes, weights, strict=True)):
            z = mode + np.sqrt(2) * scale * node
            shift = sd * z[self.rater]
            votes = np.bincount(self.rater, np.log(_between(upper - shift, lower - shift) + _TINY))
            total[index] = votes - z**2 / 2 + node**2 + np.log(weight * scale / np.sqrt(np.pi))
        return -float(scipy.special.logsumexp(total, axis=0).sum())

    def _modes(self, upper: FloatArray, lower: FloatArray, sd: float) -> tuple[FloatArray, FloatArray]:
        """Per rater: the mode of the standardised effect given the votes, and the spread there; by Newton's method."""
        z = np.zeros(int(self.rater.max()) + 1)
        curve = np.ones_like(z)
        for _ in range(_NEWTON):
            shift = sd * z[self.rater]
            above, below = scipy.special.expit(upper - shift), scipy.special.expit(lower - shift)
            # d log(F(a) - F(b)) = 1 - F(a) - F(b) in either argument's shift, and its own derivative
            slope = -sd * np.bincount(self.rater, 1 - above - below) - z
            information = np.bincount(self.rater, above * (1 - above) + below * (1 - below))
            curve = np.asarray(1 + sd**2 * information, dtype=np.float64)
            step = slope / curve
            z += np.clip(step, -2, 2)
            if np.abs(step).max() < 1e-10:
                break
        return z, 1 / np.sqrt(curve)


def _between(upper: FloatArray, lower: FloatArray) -> FloatArray:
    """P(lower < logistic <= upper), from the side where the difference keeps its digits."""
    flip = lower > 0
    high, low = np.where(flip, -lower, upper), np.where(flip, -upper, lower)
    probability: FloatArray = scipy.special.expit(high) - scipy.special.expit(low)
    return probability


def _hessian(problem: _Problem, at: FloatArray, step: float = 1e-4) -> FloatArray:
    size = len(at)
    result = np.empty((size, size))
    moves = np.eye(size) * step
    for i in range(size):
        for j in range(i, size):
            corners = [problem.deviance(at + a * moves[i] + b * moves[j]) * a * b for a in (1, -1) for b in (1, -1)]
            result[i, j] = result[j, i] = sum(corners) / (4 * step**2)
    return result
