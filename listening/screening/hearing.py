"""Digit triplets in noise."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.triplets import DIGITS, triplet
from listening.screening.base import QUALIFIED_MINUTES, Item, Material, Setting, Settings, Step, answers, at_least


class Hearing(Step):
    """Five triplets of spoken digits in noise; three right pass, as in P.808's toolkit. The first is an easy one.

    A guess is right once in a thousand, and three of five with 1e-8. The SNR that normal hearing just manages depends on the voice;
    ours (−6 dB, the first at +3 dB) is a choice for eSpeak NG's voice and no norm: a screening of the listening situation, no audiogram.
    """

    key = "hearing"
    title = "Hearing test (digits in noise)"
    heading = _("Numbers in noise")
    lead = _(
        "A voice says three digits in noise. Type the digits that you hear, and guess where you are not sure. You may listen again."
    )
    again = _("Too few of the digits were right. Find a quieter place or turn the volume up a little, and try once more.")
    failure = _("Too few of the digits in noise were right for this test. That may be the place, the headphones or the volume.")
    expires_minutes = QUALIFIED_MINUTES
    about_the_person = True
    settings = {
        "triplets": Setting("triplets", 5, 3, 12),
        "needed": Setting("right to pass", 3, 1, 12),
        "snr_db": Setting("SNR in dB", -6, -20, 20),
        "first_snr_db": Setting("SNR of the first in dB", 3, -20, 40),
    }

    def problem(self, material: Material) -> str:
        return material.speaker.problem(*DIGITS)

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        items = []
        for number in range(int(settings["triplets"])):
            digits = "".join(str(int(d)) for d in rng.permutation(10)[:3])
            snr_db = settings["snr_db" if number else "first_snr_db"]
            items.append(
                Item(
                    _("Which three digits did you hear?"),
                    answers(digits),
                    sound=partial(triplet, digits, snr_db, material.speaker),
                    digits=True,
                )
            )
        return items

    def passes(self, right: Sequence[bool], items: Sequence[Item], settings: Settings) -> bool:
        return sum(right) >= settings["needed"]

    def chance(self, settings: Settings, material: Material) -> float:
        # Three different digits in order.
        return at_least(settings["needed"], settings["triplets"], 1 / 720)
