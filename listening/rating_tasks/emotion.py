"""What emotion is heard, how strong it is, and where it lies in valence, arousal and dominance."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from analysis.labels import SEPARATOR
from analysis.scales import Scale
from listening.rating_tasks.base import Answer, AnswerError, CategoryTask, RatingTask, Screen

#: Names of emotions that have translations. A study may offer others, which are shown as they are written.
EMOTION_NAMES = (
    *("amusement", "anger", "anxiety", "boredom", "calm", "confusion", "contempt", "disgust", "embarrassment", "excitement"),
    *("fear", "frustration", "happiness", "interest", "joy", "love", "neutral", "other", "pain", "pride", "relief", "sadness"),
    *("shame", "surprise", "sympathy"),
)
OTHER = "other"
_LONGEST_OTHER = 60


class Emotion(RatingTask):
    """One or more emotions from the study's options, in the session's order."""

    key = "emotion"
    title = "Emotion (one or more)"
    template = "rating_tasks/emotion.html"
    scale_keys = ("emotion",)

    def options(self, scale: Scale, screen: Screen) -> list[dict[str, Any]]:
        return [
            {"value": emotion, "label": _(emotion).capitalize(), "key": ""}
            for emotion in screen.shuffled("emotions", screen.emotions)
        ]

    def clean(self, scale: Scale, answer: Any, screen: Screen) -> list[Answer]:
        if not isinstance(answer, list) or not all(isinstance(label, str) for label in answer):
            raise AnswerError(scale.key, _("Emotions come as a list of names."))
        return [Answer(scale.key, labels=_known(scale, answer, screen.emotions))]


class EmotionOrOther(Emotion):
    """The same with "other" at the end, which asks for the rater's own word."""

    key = "emotion-or-other"
    title = "Emotion (one or more, or the rater's own word)"

    def options(self, scale: Scale, screen: Screen) -> list[dict[str, Any]]:
        other = {"value": OTHER, "label": _("Other"), "key": "", "text": _("Which other emotion?"), "longest": _LONGEST_OTHER}
        return [option for option in super().options(scale, screen) if option["value"] != OTHER] + [other]

    def clean(self, scale: Scale, answer: Any, screen: Screen) -> list[Answer]:
        """``other`` comes as "other:" and the word, which is stored as an answer of its own."""
        names = answer if isinstance(answer, list) else []
        words = [name.partition(":")[2] for name in names if isinstance(name, str) and name.partition(":")[0] == OTHER]
        if not words:
            return super().clean(scale, answer, screen)
        word = " ".join(words[0].replace(SEPARATOR, "/").split())
        if not word or len(word) > _LONGEST_OTHER or len(words) > 1:
            sentence = _("“Other” takes one emotion in your own words, of at most {longest} letters.")
            raise AnswerError(scale.key, sentence.format(longest=_LONGEST_OTHER))
        named = [name for name in names if not (isinstance(name, str) and name.partition(":")[0] == OTHER)]
        labels = _known(scale, [*named, OTHER], [*(e for e in screen.emotions if e != OTHER), OTHER])
        return [Answer(scale.key, labels=labels), Answer("emotion_other", labels=(word,))]


def _known(scale: Scale, names: Sequence[Any], options: Sequence[str]) -> tuple[str, ...]:
    """The named options, in the options' order. Raises AnswerError for a name that is none."""
    if unknown := [name for name in names if name not in options]:
        sentence = _("“{label}” is not an option here; choose from {options}.")
        raise AnswerError(scale.key, sentence.format(label=unknown[0], options=", ".join(options)))
    return tuple(option for option in options if option in names)


class Intensity(CategoryTask):
    """How strong the emotion is."""

    key = "intensity"
    title = "Emotion intensity"
    scale_keys = ("intensity",)


class Dimensions(CategoryTask):
    """Valence, arousal and dominance."""

    key = "dimensions"
    title = "Valence, arousal and dominance"
    scale_keys = ("valence", "arousal", "dominance")
