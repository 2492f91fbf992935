"""Conditions without a codec: the original as it was recorded."""

from collections.abc import Mapping

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.codecs.base import Coded, Condition, Signal


class Identity:
    """Gives back what it gets."""

    device = "cpu"
    versions: Mapping[str, str] = {}

    def __init__(self, condition: Condition) -> None:
        self.sample_rate = condition.sample_rate

    def code(self, samples: Signal) -> Coded:
        return Coded(samples, self.sample_rate, payload_bits=None)


ORIGINAL = Condition(
    slug="original",
    family="Reference",
    label="Original",
    open=Identity,
    sample_rate=STIMULUS_RATE,
    note="No codec; the same level, rate and length as every other condition.",
)
