"""Headphone checks: what is heard only by two ears that get a channel each."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.two_ears import antiphase, huggins
from listening.screening.base import Item, Material, Samples, Setting, Settings, Step, answers, at_least

# P.808's toolkit does its two-ear check again after 30 minutes.
REPEAT_MINUTES = 30
_FAILURE = _(
    "The answers show that the two channels did not reach your two ears, as they do over headphones worn on both sides."
)
_AGAIN = _(
    "That was not right often enough. Please wear headphones with one side in each ear, switch off mono audio and any surround "
    "effect, and try once more."
)


class _ThreeIntervals(Step):
    again = _AGAIN
    failure = _FAILURE
    expires_minutes = REPEAT_MINUTES

    def passes(self, right: Sequence[bool], items: Sequence[Item], settings: Settings) -> bool:
        return sum(right) >= settings["needed"]

    def chance(self, settings: Settings, material: Material) -> float:
        return at_least(settings["needed"], settings["trials"], 1 / 3)


class Huggins(_ThreeIntervals):
    """Huggins pitch (Milne et al. 2021): which of three noises hides a tone? 6 of 6 in each of 2 tries, as published.

    A guess passes a try with (1/3)^6 = 0.14 %. The authors report that 80 % of headphone users pass and 20 % of loudspeaker users.
    """

    key = "huggins"
    title = "Headphones: Huggins pitch"
    heading = _("Check your headphones")
    lead = _(
        "Put on your headphones. Each sound is three bursts of noise; one of them hides a faint, steady tone. Say which one. "
        "You may listen again."
    )
    settings = {"trials": Setting("sounds", 6, 3, 12), "needed": Setting("right to pass", 6, 2, 12)}

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        options = (("1", _("The first")), ("2", _("The second")), ("3", _("The third")))
        targets = [int(target) for target in rng.integers(0, 3, int(settings["trials"]))]
        return [
            Item(_("Which noise has the tone in it?"), answers(target + 1), options, partial(huggins, target))
            for target in targets
        ]


class Antiphase(_ThreeIntervals):
    """Tones in opposite phase (Woods et al. 2017): which of three is the softest? 5 of 6.

    A guess passes a try with 13/729 = 1.8 %. One earbud is enough to pass; Huggins pitch needs both ears.
    """

    key = "antiphase"
    title = "Headphones: tones in opposite phase"
    heading = _("Check your headphones")
    lead = _("Put on your headphones. Each sound is three tones. Say which one is the softest. You may listen again.")
    settings = {"trials": Setting("sounds", 6, 3, 12), "needed": Setting("right to pass", 5, 2, 12)}

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        options = (("1", _("The first")), ("2", _("The second")), ("3", _("The third")))
        orders = [rng.permutation(3).tolist() for _ in range(int(settings["trials"]))]
        return [
            Item(_("Which tone is the softest?"), answers(order.index(2) + 1), options, partial(_antiphase, order))
            for order in orders
        ]


def _antiphase(order: list[int], rng: np.random.Generator) -> Samples:
    return antiphase((order[0], order[1], order[2]))
