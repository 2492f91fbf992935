"""Two-ear arithmetic."""

from functools import partial

import numpy as np
from django.utils.translation import gettext as translate
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.arithmetic import Ear, addition
from listening.screening.base import Item, Material, Samples, Setting, Settings, Step, answers

NUMBERS = 3


class Arithmetic(Step):
    """Three numbers from 1 to 9, at least one in each ear, are added up; two sums, both right (P.808's toolkit asks one).

    The best blind guess of a sum (15) is right with 73/729; of two with 1.0 %. Who hears one ear only knows all but one or two
    numbers, and guesses a sum with at most 1/9: both with 1.2 %.
    """

    key = "arithmetic"
    title = "Two-ear arithmetic"
    heading = _("Add up what you hear")
    lead = _(
        "Put on your headphones. A voice says three numbers, some in your left ear and some in your right. Type their sum. "
        "You may listen again."
    )
    again = _(
        "A sum was not right. Please wear your headphones with one side in each ear, turn the volume up if you need to, and try again."
    )
    failure = _("The sums were not right, which shows that one of your ears did not get its sound.")
    expires_minutes = 30
    settings = {"sums": Setting("sums, all to be right", 2, 1, 4)}

    def problem(self, material: Material) -> str:
        return material.speaker.problem("add-up", *"123456789")

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        items = []
        for _number in range(int(settings["sums"])):
            numbers = [int(n) for n in rng.integers(1, 10, NUMBERS)]
            # Six of the eight ways leave no ear empty.
            code = int(rng.integers(1, 2**NUMBERS - 1))
            ears: list[Ear] = ["left" if code >> place & 1 else "right" for place in range(NUMBERS)]
            question = _("What is the sum of the three numbers?")
            items.append(Item(question, answers(sum(numbers)), sound=partial(_spoken, material, numbers, ears), digits=True))
        return items

    def chance(self, settings: Settings, material: Material) -> float:
        return (73 / 729) ** int(settings["sums"])


def _spoken(material: Material, numbers: list[int], ears: list[Ear], rng: np.random.Generator) -> Samples:
    return addition(translate("Please add up the following numbers."), numbers, ears, material.speaker)
