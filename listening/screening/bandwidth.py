"""Which bandwidth reaches the ear."""

from collections.abc import Sequence
from functools import partial
from math import comb

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.pairs import FULL, OBVIOUS, SUPER_WIDE, bandwidth_pair
from listening.screening.base import QUALIFIED_MINUTES, Item, Material, Samples, Setting, Settings, Step, answers

BANDS = {"same": None, "obvious": OBVIOUS, "super-wideband": SUPER_WIDE, "full band": FULL}
ASKED = ("same", "same", "obvious", "super-wideband", "full band")


class Bandwidth(Step):
    """Five pairs, same or different, after P.808's toolkit: two are alike, three differ above 3.5, 8.5 and 15 kHz.

    Super-wideband passes with all but the last right, full band with all. The best blind guess (which pairs are the ones) passes with
    1 of C(5, 2) = 10 ways. Few people over thirty hear 15 kHz well: full band is off unless the study asks for it.
    """

    key = "bandwidth"
    title = "Bandwidth"
    heading = _("Same or different?")
    lead = _(
        "Each sound is a sentence, a beep, and the sentence again. Say whether there is a hiss in the second one that the first has not."
    )
    again = _("Some answers were not right. Please use wired headphones if you have them, and try once more.")
    failure = _("The answers show that high frequencies do not reach you with this device, and this test needs them.")
    expires_minutes = QUALIFIED_MINUTES
    about_the_person = True
    settings = {"full_band": Setting("full band needed (1) or super-wideband (0)", 0, 0, 1)}

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        options = (("same", _("The same")), ("different", _("Different")))
        kinds = [ASKED[i] for i in rng.permutation(len(ASKED))]
        return [
            Item(
                _("Are the two the same?"),
                answers("same" if kind == "same" else "different"),
                options,
                partial(_pair, material, kind),
                kind=kind,
            )
            for kind in kinds
        ]

    def passes(self, right: Sequence[bool], items: Sequence[Item], settings: Settings) -> bool:
        needed = (r for r, item in zip(right, items, strict=True) if settings["full_band"] or item.kind != "full band")
        return all(needed)

    def chance(self, settings: Settings, material: Material) -> float:
        return 1 / comb(5, 2)


def _pair(material: Material, kind: str, rng: np.random.Generator) -> Samples:
    return bandwidth_pair(material.recording(rng), BANDS[kind], rng)
