"""The rating task: scales, a template, and what the server accepts as an answer."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
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


@dataclass(frozen=True)
class Screen:
    """What of a study, a session and a trial bears on how a task is asked, and on what an answer means."""

    #: Options of the emotion question, in the study's order.
    emotions: tuple[str, ...] = ()
    #: Names the session; orders that differ between sessions are drawn from it. Empty keeps every order as it is written.
    seed: str = ""
    #: Whether the reference of the trial is heard before the stimulus.
    reference_first: bool = True

    def shuffled(self, what: str, items: Sequence[Any]) -> list[Any]:
        """The items in the session's order, which ``what`` tells apart from its other orders."""
        if not self.seed:
            return list(items)
        digest = hashlib.sha256(f"{self.seed}/{what}".encode()).digest()
        return [items[i] for i in np.random.default_rng(list(digest)).permutation(len(items))]


class RatingTask(ABC):
    """One task of a trial. Subclasses name their scales and template, and clean what the page sends.

    ``reference`` says whether the stimulus is heard with the original of its clip: ``none``, ``first`` (the original, known as
    such, then the stimulus) or ``drawn`` (either may come first, and nobody is told which).
    ``listens_for_each``: each scale is answered after a listening of its own.
    """

    key: str
    title: str
    template: str
    scale_keys: tuple[str, ...]
    reference: Literal["none", "first", "drawn"] = "none"
    listens_for_each: bool = False

    @property
    def scales(self) -> tuple[Scale, ...]:
        return tuple(SCALES[key] for key in self.scale_keys)

    @property
    def n_listenings(self) -> int:
        """How often the clip must be heard."""
        return len(self.scale_keys) if self.listens_for_each else 1

    def asked(self, screen: Screen) -> list[Scale]:
        """The scales in the order in which they are asked."""
        return list(self.scales)

    @abstractmethod
    def options(self, scale: Scale, screen: Screen) -> list[dict[str, Any]]:
        """What the page offers on a scale, in the order shown: dicts with ``value``, ``label`` and ``key``, its shortcut."""

    @abstractmethod
    def clean(self, scale: Scale, answer: Any, screen: Screen) -> list[Answer]:
        """The answer as it is stored. Raises AnswerError."""

    def clean_all(self, answers: Mapping[str, Any], screen: Screen) -> list[Answer]:
        """The answers to every scale of the task. Raises AnswerError for a missing or impossible one."""
        cleaned = []
        for scale in self.scales:
            if answers.get(scale.key) in (None, "", []):
                raise AnswerError(
                    scale.key, _("“{title}” has no answer; every question needs one.").format(title=_(scale.title))
                )
            cleaned += self.clean(scale, answers[scale.key], screen)
        return cleaned

    def questions(self, screen: Screen) -> list[dict[str, Any]]:
        """What the page's script needs to know of each scale, in the order asked."""
        return [
            {"key": s.key, "kind": s.kind, "title": _(s.title), "required": True, "own_listening": self.listens_for_each}
            for s in self.asked(screen)
        ]

    def context(self, screen: Screen) -> dict[str, Any]:
        """What the task's template needs."""
        return {
            "key": self.key,
            "title": self.title,
            "template": self.template,
            "scales": [
                {**question, "prompt": _(s.prompt), "options": self.options(s, screen)}
                for question, s in zip(self.questions(screen), self.asked(screen), strict=True)
            ],
        }


class CategoryTask(RatingTask):
    """A task whose scales are category scales."""

    template = "rating_tasks/category.html"

    def options(self, scale: Scale, screen: Screen) -> list[dict[str, Any]]:
        """Best first; the shortcut is the value, or counts from the lowest where values are not digits."""
        first = min(scale.minimum, 1)
        return [
            {"value": value, "label": _(label), "key": value - first + 1}
            for value, label in sorted(scale.labels.items(), reverse=True)
        ]

    def clean(self, scale: Scale, answer: Any, screen: Screen) -> list[Answer]:
        # A boolean is an int in Python; "true" is nobody's rating.
        if isinstance(answer, bool) or not isinstance(answer, int) or answer not in scale.labels:
            sentence = _("“{title}” takes a whole number from {minimum} to {maximum}; {answer} is none.")
            values = {"minimum": scale.minimum, "maximum": scale.maximum, "answer": repr(answer)}
            raise AnswerError(scale.key, sentence.format(title=_(scale.title), **values))
        return [Answer(scale.key, value=float(self.stored(answer, screen)))]

    def stored(self, answer: int, screen: Screen) -> int:
        """The value that is stored for what was chosen."""
        return answer
