"""What a signal measure is, and what it is given: two recordings that keep whatever several measures need of them."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from importlib.metadata import PackageNotFoundError, version
from math import isfinite, nan
from typing import Literal, TypeVar

import numpy as np

from analysis.active_level import Activity
from analysis.align import Aligner
from analysis.audio import Samples, resample

LEAST_OVERLAP = 0.9  # share of the reference that the degraded recording must cover
COMPARED_AT_DBOV = -26.0  # active level at which two levels are read, so that P.56 reads both at the same place

Kept = TypeVar("Kept")


class Undefined(Exception):
    """A measure has no value here; the message is a sentence that says why."""


@dataclass(frozen=True)
class Score:
    """What a measure says: a finite value and no reason, or NaN and the reason."""

    value: float
    reason: str = ""


class Memory:
    """Something that keeps what was once computed of it."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, object] = {}

    def once(self, key: Hashable, compute: Callable[[], Kept]) -> Kept:
        """What ``compute`` gives, computed the first time that ``key`` is asked for."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]  # type: ignore[return-value]


Holder = TypeVar("Holder", bound=Memory)


def once(compute: Callable[[Holder], Kept]) -> Callable[[Holder], Kept]:
    """What ``compute`` makes of a clip or a pair, computed once however many measures ask for it."""

    @wraps(compute)
    def kept(of: Holder) -> Kept:
        return of.once(compute, lambda: compute(of))

    return kept


class Clip(Memory):
    """One recording, with its other rates, spectra and levels as measures asked for them.

    Args:
        samples: one channel, shape [n], full scale ±1.
        rate: Hz.
    """

    def __init__(self, samples: Samples, rate: int) -> None:
        super().__init__()
        self.samples, self.rate = samples, rate

    def at(self, rate: int) -> Samples:
        """The samples at another rate, by `analysis.audio.resample`."""
        return self.once(("at", rate), lambda: resample(self.samples, self.rate, rate))

    def part(self, start: int, stop: int) -> Clip:
        """A stretch of the recording; the whole of it is the recording itself, with all that it keeps."""
        if start == 0 and stop == len(self.samples):
            return self
        return self.once(("part", start, stop), lambda: Clip(self.samples[start:stop], self.rate))

    @cached_property
    def is_silent(self) -> bool:
        return not np.any(self.samples)

    @cached_property
    def aligner(self) -> Aligner:
        return Aligner(self.samples, self.rate)

    @cached_property
    def activity(self) -> Activity:
        return Activity(self.samples, self.rate)

    @cached_property
    def gain_to_target(self) -> float:
        """Gain in dB to the active level at which levels are compared; NaN where there is no level to be read."""
        return self.activity.gain_to(COMPARED_AT_DBOV)


class Pair(Memory):
    """A reference and what became of it, at the reference's rate. Nothing is computed before a measure asks for it."""

    def __init__(self, *, reference: Clip, degraded: Clip) -> None:
        super().__init__()
        self.reference, self.degraded = reference, degraded

    @cached_property
    def at_one_rate(self) -> Clip:
        """The degraded recording at the reference's rate."""
        rate = self.reference.rate
        return self.degraded if self.degraded.rate == rate else Clip(self.degraded.at(rate), rate)

    @cached_property
    def delay(self) -> int:
        """Samples that the degraded recording lags, within ±60 ms and as far as the signals prove it (`analysis.align`)."""
        if self.reference.is_silent or self.at_one_rate.is_silent:
            return 0
        return self.reference.aligner.find(self.at_one_rate.samples).delay_samples

    @cached_property
    def in_time(self) -> tuple[Clip, Clip]:
        """Both without the delay between them, cut to what they share. Raises Undefined where that is too little."""
        reference, degraded, delay = self.reference, self.at_one_rate, self.delay
        first, skipped = max(0, -delay), max(0, delay)
        n = min(len(reference.samples) - first, len(degraded.samples) - skipped)
        share = max(0, n) / len(reference.samples)
        if share < LEAST_OVERLAP:
            raise Undefined(f"The degraded recording covers only {share:.0%} of its reference.")
        return reference.part(first, first + n), degraded.part(skipped, skipped + n)

    @cached_property
    def gain_db(self) -> float:
        """Active speech level (P.56) of the degraded recording over its reference's; NaN where one has none."""
        reference, degraded = self.in_time
        return reference.gain_to_target - degraded.gain_to_target

    @cached_property
    def aligned(self) -> tuple[Clip, Clip]:
        """Both in time and at the reference's active level; a level that cannot be read is left as it is."""
        reference, degraded = self.in_time
        if not isfinite(self.gain_db) or self.gain_db == 0:
            return reference, degraded
        return reference, Clip(degraded.samples * 10 ** (-self.gain_db / 20), degraded.rate)


@dataclass(frozen=True)
class Measure:
    """A measure and what is known about it.

    ``minimum`` and ``maximum`` are the ends of its range (infinite where there is none); ``best`` says which end is good, or that it
    only describes. ``rate`` is the rate in Hz at which it listens, None for the reference's own. ``ignores_gain`` and
    ``ignores_delay`` say that a gain, or a delay of up to 60 ms, leaves it (nearly) alone. ``packages`` are the distributions that
    decide its value. ``revision`` rises whenever our code changes it.
    """

    label: str
    compute: Callable[[Pair], float]
    source: str
    best: Literal["higher", "lower", "neither"]
    minimum: float
    maximum: float
    unit: str = ""
    rate: int | None = None
    needs_reference: bool = True
    ignores_gain: bool = True
    ignores_delay: bool = True
    packages: tuple[str, ...] = ()
    revision: int = 1

    @property
    def version(self) -> str:
        """What decides the value beside the audio, for instance ``1, pesq 0.0.4``."""
        return ", ".join([str(self.revision), *(f"{name} {_version(name)}" for name in self.packages)])

    @property
    def missing(self) -> str:
        """What has to be installed before it can be computed here, as a sentence; empty where nothing is."""
        absent = [name for name in self.packages if not _version(name)]
        return f"{self.label} needs {' and '.join(absent)}, which is not installed here." if absent else ""

    def score(self, pair: Pair) -> Score:
        """Its value for a pair, or NaN with a reason."""
        if self.missing:
            return Score(nan, self.missing)
        try:
            value = float(self.compute(pair))
        except Undefined as reason:
            return Score(nan, str(reason))
        return Score(value) if isfinite(value) else Score(nan, f"{self.label} has no value for these signals.")


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
