"""The steps of the screening, by key."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.module_loading import import_string

from listening.screening.base import Chosen, Step

SCREENING_STEPS = {
    "capability": "listening.screening.capability.Capability",
    "questions": "listening.screening.questions.Questions",
    "hearing": "listening.screening.hearing.Hearing",
    "bandwidth": "listening.screening.bandwidth.Bandwidth",
    "volume": "listening.screening.volume.Volume",
    "tones": "listening.screening.tones.Tones",
    "huggins": "listening.screening.two_ears.Huggins",
    "antiphase": "listening.screening.two_ears.Antiphase",
    "arithmetic": "listening.screening.arithmetic.Arithmetic",
    "environment": "listening.screening.environment.Environment",
    "comprehension": "listening.screening.questions.Comprehension",
}


def get_step(key: str) -> Step:
    """The step of a key. Raises KeyError with the keys there are."""
    if key not in SCREENING_STEPS:
        raise KeyError(f"There is no screening step {key!r}; there are {', '.join(SCREENING_STEPS)}.")
    step: Step = import_string(SCREENING_STEPS[key])()
    return step


def chosen_steps(values: Iterable[Mapping[str, Any]]) -> list[Chosen]:
    """What a study keeps as a list of dicts, with defaults filled in. Raises KeyError for a step that there is not."""
    return [get_step(str(value.get("step", ""))).chosen(value) for value in values]
