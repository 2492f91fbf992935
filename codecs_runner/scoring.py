"""Score jobs: signal measures of stimuli in the store, as plain values like render jobs."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import isnan
from typing import Any, Self

from analysis.objective import get_measure
from analysis.objective.pairs import Group, measure_groups
from codecs_runner.store import Store


@dataclass(frozen=True)
class ScoreJob:
    """Measures of one stimulus against the original of its clip; both are named by their keys in the store.

    ``sample_rate`` (Hz) is that of the recording: stimuli are 48 kHz files, whatever is in them, and are measured at the rate that the
    recording had.
    """

    reference_key: str
    degraded_key: str
    sample_rate: int
    measures: tuple[str, ...]

    @cached_property
    def key(self) -> str:
        """SHA-256 over all that is asked."""
        versions = [(measure, get_measure(measure).version) for measure in self.measures]
        asked = [self.reference_key, self.degraded_key, self.sample_rate, versions]
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """For a queue; the key goes along, because a worker may have other versions of packages."""
        return {**asdict(self), "key": self.key}


@dataclass(frozen=True)
class ScoreResult:
    """What was measured: measure -> (value or None, reason, version). ``key`` is that of the job as it was ordered."""

    key: str
    scores: Mapping[str, tuple[float | None, str, str]] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return any(value is not None for value, _, _ in self.scores.values())

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(values["key"], {measure: (row[0], row[1], row[2]) for measure, row in values["scores"].items()})


def score_many(jobs: Sequence[ScoreJob], store: Store, workers: int | None = None) -> Iterator[ScoreResult]:
    """Measure stimuli over the machine's cores, those of one clip together, and yield each result as it is ready."""
    together: dict[tuple[str, int], list[ScoreJob]] = {}
    for job in {job.key: job for job in jobs}.values():
        together.setdefault((job.reference_key, job.sample_rate), []).append(job)
    waiting: dict[Group, list[ScoreJob]] = {}
    for (reference_key, rate), same in together.items():
        wanted = tuple((str(store.flac_path(job.degraded_key)), job.measures) for job in same)
        waiting[Group(str(store.flac_path(reference_key)), wanted, rate)] = same
    for group, found in measure_groups(list(waiting), workers):
        for job, scores in zip(waiting[group], found, strict=True):
            rows = {
                measure: (None if isnan(score.value) else score.value, score.reason, get_measure(measure).version)
                for measure, score in scores.items()
            }
            yield ScoreResult(job.key, rows)
