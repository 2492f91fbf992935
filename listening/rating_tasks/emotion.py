"""Multi-label emotion."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from analysis.scales import Scale
from listening.rating_tasks.base import Answer, AnswerError, RatingTask

#: Names of emotions that have translations. A study may offer others, which are shown as they are written.
EMOTION_NAMES = (
    *("amusement", "anger", "anxiety", "boredom", "calm", "confusion", "contempt", "disgust", "embarrassment", "excitement"),
    *("fear", "frustration", "happiness", "interest", "joy", "love", "neutral", "other", "pain", "pride", "relief", "sadness"),
    *("shame", "surprise", "sympathy"),
)


class Emotion(RatingTask):
    """One or more emotions from the study's options."""

    key = "emotion"
    title = "Emotion (one or more)"
    template = "rating_tasks/emotion.html"
    scale_keys = ("emotion",)

    def options(self, scale: Scale, emotions: Sequence[str]) -> list[dict[str, Any]]:
        return [{"value": emotion, "label": _(emotion).capitalize()} for emotion in emotions]

    def clean(self, scale: Scale, answer: Any, emotions: Sequence[str]) -> Answer:
        if not isinstance(answer, list) or not all(isinstance(label, str) for label in answer):
            raise AnswerError(scale.key, _("Emotions come as a list of names."))
        if unknown := [label for label in answer if label not in emotions]:
            raise AnswerError(
                scale.key,
                _("“{label}” is not an option here; choose from {options}.").format(
                    label=unknown[0], options=", ".join(emotions)
                ),
            )
        return Answer(scale.key, labels=tuple(emotion for emotion in emotions if emotion in answer))
