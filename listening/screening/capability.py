"""What browser and audio device can do."""

import json
from typing import Any

import numpy as np
from django.utils.translation import gettext_lazy as _

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import dual, silence
from listening.screening.base import Item, Material, Setting, Settings, Step

TOLERANCE_S = 0.02


class _Report(Item):
    """Right is a report of the page that names the true length of a sound it had to decode, two channels, and a proper rate."""

    def is_right(self, given: str) -> bool:
        try:
            report: dict[str, Any] = json.loads(given)
            seconds, least_rate = (float(part) for part in self.kind.split())
            return (
                abs(float(report["decoded_s"]) - seconds) < TOLERANCE_S
                and int(report["decoded_channels"]) == 2
                and int(report["output_channels"]) >= 2
                and float(report["output_rate"]) >= least_rate
            )
        except (ValueError, TypeError, KeyError, json.JSONDecodeError):
            return False


class Capability(Step):
    """Web Audio, lossless decoding, two channels out, and a device that runs at 44.1 kHz or more.

    A headset in telephone mode (8 or 16 kHz) or a browser that cannot decode FLAC ends here with the code for incompatible devices.
    The page proves decoding by the length of a sound; the rest is what the browser says of itself. Nobody guesses here.
    """

    key = "capability"
    title = "Browser and audio device"
    heading = _("Check your browser")
    lead = _("This page looks whether your browser and your audio device can play what we send.")
    again = _(
        "Something is missing. If you use a wireless headset, close programs that use its microphone, or use wired headphones; "
        "then try once more."
    )
    failure = _(
        "Your browser or audio device cannot play the clips as they are. That is nobody's fault and does not count against you."
    )
    template = "screening/capability.html"
    listens = False
    ends_as = "incompatible"
    code = "incompatible_device_code"
    settings = {"output_rate": Setting("least sample rate of the device in Hz", 44_100, 8_000, 96_000)}

    def draw(self, rng: np.random.Generator, settings: Settings, material: Material) -> list[Item]:
        seconds = round(float(rng.uniform(0.3, 1.5)), 3)
        quiet = dual(silence(seconds), silence(seconds))
        return [
            _Report(
                _("What your browser says of itself"),
                frozenset(),
                sound=lambda _: quiet,
                kind=f"{len(quiet) / STIMULUS_RATE} {settings['output_rate']}",
            )
        ]

    def right_answer(self, item: Item) -> str:
        seconds, least_rate = item.kind.split()
        report = {"decoded_s": seconds, "decoded_channels": 2, "output_channels": 2, "output_rate": least_rate}
        return json.dumps(report)

    def chance(self, settings: Settings, material: Material) -> None:
        return None
