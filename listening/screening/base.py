"""A step of the screening: what it plays and asks, what counts as passed, and what a blind guess would score."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.speech import Speaker

Samples = npt.NDArray[np.float64]
Text = str | Promise
Settings = Mapping[str, float]
QUALIFIED_MINUTES = 30 * 24 * 60


@dataclass(frozen=True)
class Question:
    """What a researcher asks in their own words; without ``options`` the answer is typed."""

    text: str
    accepted: tuple[str, ...]
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """What steps are made of: a voice, clean recordings of the corpus (48 kHz, −26 dBov), and the study's own questions."""

    speaker: Speaker
    recording: Callable[[np.random.Generator], Samples]
    questions: tuple[Question, ...] = ()
    comprehension: tuple[Question, ...] = ()


@dataclass(frozen=True)
class Setting:
    """A number that the researcher may set."""

    label: str
    default: float
    minimum: float
    maximum: float


@dataclass(frozen=True)
class Item:
    """One thing asked. ``answers`` and ``sound`` stay on the server; ``options`` are value and label, none for a typed answer."""

    prompt: Text
    answers: frozenset[str]
    options: tuple[tuple[str, Text], ...] = ()
    sound: Callable[[np.random.Generator], Samples] | None = None
    digits: bool = False
    kind: str = ""

    def is_right(self, given: str) -> bool:
        return clean(given) in self.answers


@dataclass(frozen=True)
class Chosen:
    """A step as a study has it: how many tries, what failing them means, and after how many minutes it is done again (0: never)."""

    step: str
    tries: int
    on_failure: str
    expires_minutes: int
    settings: Settings = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**vars(self), "settings": dict(self.settings)}


END, MARK = "end", "mark"


class Step(ABC):
    """One step. Subclasses draw their items from a generator and say what passes."""

    key: str
    title: str
    heading: Text
    lead: Text
    #: After a try that may be repeated, and at the end of a session that failed.
    again: Text = _("That was not right. Please try once more.")
    failure: Text
    template = "screening/items.html"
    tries = 2
    on_failure = END
    expires_minutes = 0
    #: What the session becomes, and which of the study's codes it gets, when failing ends it.
    ends_as = "failed_check"
    code = "failed_check_code"
    #: A pass in another study counts here too until it expires: it is about ears, not about today.
    about_the_person = False
    listens = True
    settings: Mapping[str, Setting] = {}

    def chosen(self, value: Mapping[str, Any]) -> Chosen:
        """A study's choice, with our defaults for what it leaves out."""
        given = value.get("settings") or {}
        return Chosen(
            step=self.key,
            tries=int(value.get("tries") or self.tries),
            on_failure=str(value.get("on_failure") or self.on_failure),
            expires_minutes=int(value.get("expires_minutes", self.expires_minutes)),
            settings={name: float(given.get(name, setting.default)) for name, setting in self.settings.items()},
        )

    def problem(self, material: Material) -> str:
        """Why the step cannot be given with this material; empty if it can."""
        return ""

    @abstractmethod
    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        """The items of one try."""

    def passes(self, right: Sequence[bool], items: Sequence[Item], settings: Settings) -> bool:
        """Whether these answers are enough: all of them, unless a step says otherwise."""
        return all(right)

    @abstractmethod
    def chance(self, settings: Settings, material: Material) -> float | None:
        """Probability that the best blind guess passes one try; None for a self-report, which anybody can give."""

    def right_answer(self, item: Item) -> str:
        """What somebody who hears everything would answer."""
        return next((value for value, _label in item.options if item.is_right(value)), min(item.answers, default=""))


def clean(given: Any) -> str:
    """An answer as it is compared: without case, spaces at the ends, and spaces between digits."""
    text = " ".join(str(given).split()).casefold()
    return text.replace(" ", "") if text.replace(" ", "").isdigit() else text


def answers(*texts: object) -> frozenset[str]:
    return frozenset(clean(text) for text in texts)


def at_least(needed: float, n: float, p: float) -> float:
    """Probability of ``needed`` or more hits in ``n`` independent tries that each hit with probability ``p``.

    >>> round(at_least(5, 6, 1 / 3) * 729)
    13
    """
    return sum(comb(int(n), k) * p**k * (1 - p) ** (int(n) - k) for k in range(int(needed), int(n) + 1))


def chance_in(tries: int, chance: float) -> float:
    """Probability that at least one of several tries passes by guessing."""
    return 1 - (1 - chance) ** tries
