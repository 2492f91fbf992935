"""Numbers to be added up, some in one ear and some in the other."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from codecs_runner.screening_sounds.pieces import Samples, dual, join
from codecs_runner.screening_sounds.speech import Speaker

Ear = Literal["left", "right"]
GAP_S = 0.5


def addition(prompt: str, numbers: Sequence[int], ears: Sequence[Ear], speaker: Speaker) -> Samples:
    """The prompt in both ears, then each number in one ear alone, half a second apart; speech at −26 dBov in the ear that hears it.

    Who hears one ear only misses a number and can but guess it. After the two-ear check of ITU-T P.808's toolkit.
    Shape [n_samples, 2].
    """
    words = speaker.say(prompt, "add-up")
    parts = [dual(words, words)]
    for number, ear in zip(numbers, ears, strict=True):
        word = speaker.say(str(number), str(number))
        nothing = np.zeros_like(word)
        parts.append(dual(word, nothing) if ear == "left" else dual(nothing, word))
    return join(parts, GAP_S)
