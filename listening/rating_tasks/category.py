"""Category ratings: one of a few labelled integers."""

from collections.abc import Sequence
from typing import Any

from analysis.scales import Scale
from listening.rating_tasks.base import Answer, AnswerError, RatingTask


class CategoryTask(RatingTask):
    """A task whose scales are category scales."""

    template = "rating_tasks/category.html"

    def options(self, scale: Scale, emotions: Sequence[str]) -> list[dict[str, Any]]:
        return [{"value": value, "label": label} for value, label in sorted(scale.labels.items(), reverse=True)]

    def clean(self, scale: Scale, answer: Any, emotions: Sequence[str]) -> Answer:
        # A boolean is an int in Python; "true" is nobody's rating.
        if isinstance(answer, bool) or not isinstance(answer, int) or answer not in scale.labels:
            raise AnswerError(scale.key, f"“{scale.title}” takes a whole number from {scale.minimum} to {scale.maximum}; {answer!r} is none.")
        return Answer(scale.key, value=float(answer))


class Acr(CategoryTask):
    """Absolute category rating of overall quality (ITU-T P.800, P.808)."""

    key = "acr"
    title = "Overall quality (ACR)"
    scale_keys = ("quality",)
