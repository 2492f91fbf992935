"""Setting the volume."""

import numpy as np
from django.utils.translation import gettext_lazy as _

from listening.screening.base import MARK, Item, Material, Settings, Step, answers


class Volume(Step):
    """Speech at the level of the clips, until it is said to be comfortable. A self-report: no guess can fail it, and it proves nothing."""

    key = "volume"
    title = "Volume"
    heading = _("Set your volume")
    lead = _(
        "Play the voice and set the volume of your device so that it is clear and comfortable, as in a quiet conversation. Then leave "
        "the volume as it is for the whole test."
    )
    again = _("Please change the volume of your device and play the voice again, until it is comfortable.")
    failure = _("The volume of your device could not be set so that the voice is comfortable.")
    tries = 6
    on_failure = MARK

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        options = (("soft", _("Too soft")), ("comfortable", _("Comfortable")), ("loud", _("Too loud")))
        return [Item(_("How loud is the voice now?"), answers("comfortable"), options, material.recording)]

    def chance(self, settings: Settings, material: Material) -> None:
        return None
