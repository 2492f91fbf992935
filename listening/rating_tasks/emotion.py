"""Multi-label emotion."""

from collections.abc import Sequence
from typing import Any

from analysis.scales import Scale
from listening.rating_tasks.base import Answer, AnswerError, RatingTask


class Emotion(RatingTask):
    """One or more emotions from the study's options."""

    key = "emotion"
    title = "Emotion (one or more)"
    template = "rating_tasks/emotion.html"
    scale_keys = ("emotion",)

    def options(self, scale: Scale, emotions: Sequence[str]) -> list[dict[str, Any]]:
        return [{"value": emotion, "label": emotion.capitalize()} for emotion in emotions]

    def clean(self, scale: Scale, answer: Any, emotions: Sequence[str]) -> Answer:
        if not isinstance(answer, list) or not all(isinstance(label, str) for label in answer):
            raise AnswerError(scale.key, "Emotions come as a list of names.")
        if unknown := [label for label in answer if label not in emotions]:
            raise AnswerError(scale.key, f"{unknown[0]!r} is not an option here; choose from {', '.join(emotions)}.")
        return Answer(scale.key, labels=tuple(emotion for emotion in emotions if emotion in answer))
