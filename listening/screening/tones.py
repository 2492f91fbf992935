"""Counting tones: is there sound, and loud enough?"""

from collections.abc import Mapping

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.tones import counted_tones
from listening.screening.base import Item, Material, Setting, Settings, Step, answers

FEWEST, MOST = 3, 6


class Tones(Step):
    """3 to 6 tones at the level of the clips. A guess is right once in four; it proves sound, not headphones."""

    key = "tones"
    title = "Sound check (counting tones)"
    heading = _("Check your sound")
    lead = _(
        "Put on headphones if you can, and sit somewhere quiet. Play the tones and set the volume so that you hear them clearly "
        "and comfortably. Then leave the volume as it is for the whole test."
    )
    again = _("That was not the number of tones we played. Turn the volume up a little and try once more.")
    failure = _("The number of tones was not right. Perhaps the volume is too low or the sound goes to another device.")
    settings: Mapping[str, Setting] = {}

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        count = int(rng.integers(FEWEST, MOST + 1))
        options = tuple((str(n), str(n)) for n in range(1, 10))
        return [Item(_("How many tones did you hear?"), answers(count), options, lambda _: counted_tones(count))]

    def chance(self, settings: Settings, material: Material) -> float:
        return 1 / (MOST - FEWEST + 1)
