"""How far a machine's scores are from people's, after the scores were brought to people's scale: ITU-T P.1401.

A measure need not speak in opinion scores to be right, so its scores are mapped first: by a straight line, or by a cubic that never
turns back. What is left is an error; an error within the interval of the opinion score is none that the listening test could prove.
The Recommendation's text was not at hand: formulae follow NISQA's evaluation code, which cites its equations 7-27 and 7-29. Where sources
disagree, ``parameters`` counts every fitted coefficient, two for a line and four for a cubic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

FloatArray = npt.NDArray[np.float64]

#: Where the slope of a cubic is held from turning: this many places between the lowest and the highest score.
_PLACES = 65


@dataclass(frozen=True)
class Mapping:
    """A polynomial of the score moved to -1..1: ``coefficients`` from the constant up, ``low`` and ``high`` the scores it was fitted to."""

    coefficients: tuple[float, ...]
    low: float
    high: float

    @property
    def parameters(self) -> int:
        return len(self.coefficients)

    def __call__(self, score: npt.ArrayLike) -> FloatArray:
        """Scores as opinion scores; beyond the fitted range a cubic is held at its ends, where nothing is known of it."""
        inside = np.asarray(score, dtype=np.float64)
        if self.parameters > 2:
            inside = np.clip(inside, self.low, self.high)
        mapped = np.polynomial.polynomial.polyval(_moved(inside, self.low, self.high), self.coefficients)
        return np.asarray(mapped, dtype=np.float64)


@dataclass(frozen=True)
class Errors:
    """``rmse`` and ``rmse_star`` in points of the scale; ``outlier_ratio`` in 0..1. NaN where undefined."""

    rmse: float
    rmse_star: float
    outlier_ratio: float


def first_order(score: npt.ArrayLike, mos: npt.ArrayLike) -> Mapping:
    """The straight line of least squares from scores to opinion scores. Needs two different scores, else ValueError.

    >>> line = first_order([10, 20, 30], [1, 2, 3])
    >>> line([15, 40]).round(6).tolist()
    [1.5, 4.0]
    """
    return _fit(score, mos, 1)


def monotone_third_order(score: npt.ArrayLike, mos: npt.ArrayLike) -> Mapping:
    """The cubic of least squares whose slope keeps one sign, that of the straight line, over the range of the scores.

    Needs four different scores, else ValueError.

    >>> x = np.linspace(0, 1, 20)
    >>> wave = monotone_third_order(x, np.sin(3 * np.pi * x))
    >>> bool((np.diff(wave(np.linspace(0, 1, 200))) * np.sign(np.diff(wave([0, 1]))) >= -1e-9).all())
    True
    """
    free = _fit(score, mos, 3)
    sign = np.sign(_fit(score, mos, 1).coefficients[1]) or 1.0
    places = np.linspace(-1, 1, _PLACES)
    slopes = np.stack([np.zeros(_PLACES), np.ones(_PLACES), 2 * places, 3 * places**2], axis=1) * sign
    if _least_slope(sign * np.array(free.coefficients)) >= 0:
        return free
    x, y = np.asarray(score, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    powers = np.vander(_moved(x, free.low, free.high), 4, increasing=True)
    start = np.array([y.mean(), sign * max(np.ptp(y), 1e-6) / 4, 0.0, 0.0])
    found: Any = scipy.optimize.minimize(
        lambda c: ((powers @ c - y) ** 2).mean(),
        start,
        jac=lambda c: 2 * powers.T @ (powers @ c - y) / len(y),
        constraints={"type": "ineq", "fun": lambda c: slopes @ c, "jac": lambda c: slopes},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    coefficients = np.array(found.x)
    # the slope was held at places; what it turns between them, and the solver's rounding, is taken back
    coefficients[1] += sign * max(0.0, -_least_slope(sign * coefficients))
    return Mapping(tuple(float(c) for c in coefficients), free.low, free.high)


def errors(mos: npt.ArrayLike, mapped: npt.ArrayLike, half_width: npt.ArrayLike, parameters: int) -> Errors:
    """Errors e = MOS - mapped score over n pairs, ``half_width`` being that of the 95 % interval of each MOS (NaN: not known).

    rmse = sqrt(sum e^2 / (n - parameters)); rmse_star the same with max(0, |e| - half_width); outlier_ratio = share of |e| > half_width.
    The last two are over the pairs whose half-width is known. NaN with no more pairs than parameters.

    >>> found = errors([1.0, 2.0, 3.0, 4.0], [1.5, 2.0, 3.0, 4.1], [0.2, 0.2, 0.2, 0.2], 2)
    >>> round(found.rmse, 4), round(found.rmse_star, 4), found.outlier_ratio
    (0.3606, 0.2121, 0.25)
    """
    e = np.abs(np.asarray(mos, dtype=np.float64) - np.asarray(mapped, dtype=np.float64))
    half = np.asarray(half_width, dtype=np.float64)
    known = np.isfinite(half)
    beyond = np.maximum(e[known] - half[known], 0.0)
    ratio = float((e[known] > half[known]).mean()) if known.any() else float("nan")
    return Errors(_root_mean(e, parameters), _root_mean(beyond, parameters), ratio)


def _least_slope(coefficients: FloatArray) -> float:
    """The smallest slope of a cubic on -1..1: at an end, or at the vertex of the slope."""
    _, linear, square, cube = coefficients
    places = [-1.0, 1.0]
    if cube != 0 and abs(square / (3 * cube)) < 1:
        places.append(float(-square / (3 * cube)))
    return min(float(linear + 2 * square * t + 3 * cube * t**2) for t in places)


def _root_mean(e: FloatArray, parameters: int) -> float:
    left = len(e) - parameters
    return float(np.sqrt((e**2).sum() / left)) if left > 0 else float("nan")


def _fit(score: npt.ArrayLike, mos: npt.ArrayLike, degree: int) -> Mapping:
    x, y = np.asarray(score, dtype=np.float64), np.asarray(mos, dtype=np.float64)
    if len(np.unique(x)) <= degree:
        raise ValueError(f"A mapping of order {degree} takes more than {degree} different scores.")
    low, high = float(x.min()), float(x.max())
    powers = np.vander(_moved(x, low, high), degree + 1, increasing=True)
    coefficients, *_ = np.linalg.lstsq(powers, y, rcond=None)
    return Mapping(tuple(float(c) for c in coefficients), low, high)


def _moved(score: FloatArray, low: float, high: float) -> FloatArray:
    moved: FloatArray = (2 * score - low - high) / (high - low)
    return moved
