"""The rating task: scales, a template, and what the server accepts as an answer."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from analysis.scales import SCALES, Scale


class AnswerError(ValueError):
    """An answer that cannot be stored, with the scale it belongs to."""

    def __init__(self, scale: str, sentence: str) -> None:
        super().__init__(sentence)
        self.scale = scale


@dataclass(frozen=True)
class Answer:
    """A clean answer: exactly one of ``value`` and ``labels`` is given."""

    scale: str
    value: float | None = None
    labels: tuple[str, ...] | None = None


class RatingTask(ABC):
    """One task of a trial. Subclasses name their scales and template, and clean what the page sends."""

    key: str
    title: str
    template: str
    scale_keys: tuple[str, ...]

    @property
    def scales(self) -> tuple[Scale, ...]:
        return tuple(SCALES[key] for key in self.scale_keys)

    @abstractmethod
    def options(self, scale: Scale, emotions: Sequence[str]) -> list[dict[str, Any]]:
        """What the page offers on a scale: dicts with ``value`` and ``label``, in the order they are shown."""

    @abstractmethod
    def clean(self, scale: Scale, answer: Any, emotions: Sequence[str]) -> Answer:
        """The answer as it is stored. Raises AnswerError."""

    def clean_all(self, answers: Mapping[str, Any], emotions: Sequence[str]) -> list[Answer]:
        """One answer for each scale of the task. Raises AnswerError for a missing or impossible one."""
        cleaned = []
        for scale in self.scales:
            if answers.get(scale.key) in (None, "", []):
                raise AnswerError(
                    scale.key, _("“{title}” has no answer; every question needs one.").format(title=_(scale.title))
                )
            cleaned.append(self.clean(scale, answers[scale.key], emotions))
        return cleaned

    def context(self, emotions: Sequence[str]) -> dict[str, Any]:
        """What the task's template needs."""
        return {
            "key": self.key,
            "title": self.title,
            "template": self.template,
            "scales": [
                {"key": s.key, "kind": s.kind, "title": _(s.title), "prompt": _(s.prompt), "options": self.options(s, emotions)}
                for s in self.scales
            ],
        }


class CategoryTask(RatingTask):
    """A task whose scales are category scales."""

    template = "rating_tasks/category.html"

    def options(self, scale: Scale, emotions: Sequence[str]) -> list[dict[str, Any]]:
        return [{"value": value, "label": _(label)} for value, label in sorted(scale.labels.items(), reverse=True)]

    def clean(self, scale: Scale, answer: Any, emotions: Sequence[str]) -> Answer:
        # A boolean is an int in Python; "true" is nobody's rating.
        if isinstance(answer, bool) or not isinstance(answer, int) or answer not in scale.labels:
            sentence = _("“{title}” takes a whole number from {minimum} to {maximum}; {answer} is none.")
            values = {"minimum": scale.minimum, "maximum": scale.maximum, "answer": repr(answer)}
            raise AnswerError(scale.key, sentence.format(title=_(scale.title), **values))
        return Answer(scale.key, value=float(answer))
