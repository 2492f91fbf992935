"""Jobs and results are plain values: they cross queues as dictionaries and mean the same on every machine."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self

from codecs_runner import level, weights
from codecs_runner.errors import CodecError, RunnerError
from codecs_runner.registry import get_condition

RECIPE = "2"  # raise it whenever a change of code changes what a rater hears


@dataclass(frozen=True)
class RenderJob:
    """One recording through one condition.

    Args:
        source: path of the recording.
        source_sha256: its `codecs_runner.audio.AudioInfo.pcm_sha256`; rendering refuses a file that has changed.
        condition: slug or alias; kept as the slug. Raises KeyError where unknown.
        weights: file name to SHA-256; taken from the files found here unless given.
    """

    source: str
    source_sha256: str
    condition: str
    weights: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        condition = get_condition(self.condition)
        object.__setattr__(self, "condition", condition.slug)
        if self.weights is None:
            object.__setattr__(self, "weights", weights.checksums(condition.weights))

    @cached_property
    def key(self) -> str:
        """SHA-256 over all that decides the sound: recording, condition and its parameters, weights, level policy, recipe."""
        condition = get_condition(self.condition)
        recipe = {
            "source": self.source_sha256,
            "condition": condition.slug,
            "sample_rate": condition.sample_rate,
            "nominal_bps": condition.nominal_bps,
            "params": dict(condition.params),
            "weights": dict(self.weights or {}),
            "level": level.POLICY,
            "recipe": RECIPE,
        }
        return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """For a queue; the key goes along so that the other side can see that it means the same."""
        return {**asdict(self), "key": self.key}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Raises CodecError ``recipe_differs`` where this machine would make something else of the same job."""
        job = cls(**{name: value for name, value in values.items() if name != "key"})
        if values.get("key", job.key) != job.key:
            sentence = "This worker runs another version of codecs_runner than the machine that made the job; update it."
            raise CodecError("recipe_differs", sentence)
        return job


@dataclass(frozen=True)
class RenderResult:
    """How a job ended. Expected failures are results with ``ok`` False, a ``code`` and a ``message`` for people.

    ``sidecar`` describes the stimulus and is empty on failure; its keys are listed in the room's README.
    """

    key: str
    ok: bool
    code: str = ""
    message: str = ""
    sidecar: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def failure(cls, key: str, error: RunnerError) -> Self:
        return cls(key, ok=False, code=error.code, message=error.sentence)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        return cls(**values)
