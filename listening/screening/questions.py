"""Questions in the researcher's own words: about the rater, and about the instructions."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from math import prod
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from listening.screening.base import Item, Material, Question, Settings, Step, answers


def read_questions(values: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Questions as a study keeps them: dicts with ``text``, ``accepted`` and, where answers are chosen, ``options``."""
    return tuple(Question(str(value["text"]), tuple(value["accepted"]), tuple(value.get("options") or ())) for value in values)


class _Asked(Step):
    listens = False

    @abstractmethod
    def asked(self, material: Material) -> tuple[Question, ...]:
        """The questions of the study that this step puts."""

    def problem(self, material: Material) -> str:
        return "" if self.asked(material) else "it has no questions; write some, or leave the step out"

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        return [
            Item(q.text, answers(*q.accepted), tuple((option, option) for option in q.options)) for q in self.asked(material)
        ]

    def chance(self, settings: Settings, material: Material) -> float:
        """Each choice is guessed with accepted/options; a typed answer is not guessed."""
        return prod(len(set(q.accepted) & set(q.options)) / len(q.options) if q.options else 0.0 for q in self.asked(material))


class Questions(_Asked):
    """Language and self-report: all answers must be accepted ones, in one try, because a second one would tell which are.

    A guess passes with the product of accepted by offered options; a liar passes always.
    """

    key = "questions"
    title = "Questions about the rater"
    heading = _("About you")
    lead = _("Please answer truthfully; the test is made for a certain group of listeners.")
    failure = _("By your answers this test is not made for you. Thank you for your time.")
    tries = 1
    code = "screened_out_code"

    def asked(self, material: Material) -> tuple[Question, ...]:
        return material.questions


class Comprehension(_Asked):
    """Were the instructions read? All answers right within two tries, with the instructions at hand, as Prolific's rules ask.

    A guess passes a try with the product of accepted by offered options.
    """

    key = "comprehension"
    title = "Comprehension of the instructions"
    heading = _("Have you read what to do?")
    lead = _("Please answer by what the instructions say. You may read them here again.")
    again = _("Not every answer was right. Please read the instructions once more and try again; this is the last try.")
    failure = _("The answers about the instructions were not right twice, so the test cannot go on.")
    template = "screening/comprehension.html"

    def asked(self, material: Material) -> tuple[Question, ...]:
        return material.comprehension
