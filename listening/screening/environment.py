"""Is it quiet enough?"""

from collections.abc import Sequence
from functools import partial

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.screening_sounds.pairs import noise_pair
from listening.screening.base import MARK, Item, Material, Samples, Setting, Settings, Step, answers, at_least


class Environment(Step):
    """Pairs of one recording with noise at 40 and at 50 dB SNR: which one is cleaner? Three of four pass.

    P.808's toolkit takes two of four, which "A" every time passes with 68.8 %; three of four it passes with 5/16 = 31 %. Weak for one
    try, so failing marks the session and does not end it; repeated every 30 minutes, as the toolkit does.
    """

    key = "environment"
    title = "Environment (40 against 50 dB SNR)"
    heading = _("Is it quiet around you?")
    lead = _(
        "Each sound is one sentence twice, with a very soft noise in one of them. Say which one sounds better. You may listen again."
    )
    again = _("Some answers were not right. Find a quieter place or turn the volume up a little, and try once more.")
    failure = _("The answers show that it is not quiet enough around you for this test, or the volume is too low.")
    on_failure = MARK
    expires_minutes = 30
    settings = {
        "pairs": Setting("pairs", 4, 2, 12),
        "needed": Setting("right to pass", 3, 1, 12),
        "noisy_db": Setting("SNR of the worse one in dB", 40, 20, 60),
        "quiet_db": Setting("SNR of the better one in dB", 50, 20, 80),
    }

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        options = (("a", _("The first is better")), ("0", _("I hear no difference")), ("b", _("The second is better")))
        snrs = (settings["quiet_db"], settings["noisy_db"])
        better = ["a" if heads else "b" for heads in rng.integers(0, 2, int(settings["pairs"]))]
        return [
            Item(
                _("Which one sounds better?"),
                answers(best),
                options,
                partial(_pair, material, snrs if best == "a" else snrs[::-1]),
            )
            for best in better
        ]

    def passes(self, right: Sequence[bool], items: Sequence[Item], settings: Settings) -> bool:
        return sum(right) >= settings["needed"]

    def chance(self, settings: Settings, material: Material) -> float:
        return at_least(settings["needed"], settings["pairs"], 1 / 2)


def _pair(material: Material, snrs_db: tuple[float, float], rng: np.random.Generator) -> Samples:
    return noise_pair(material.recording(rng), snrs_db, rng)
