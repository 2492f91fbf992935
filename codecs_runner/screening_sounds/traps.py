"""A clip that breaks off into an instruction."""

import numpy as np

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import Samples, ramp, silence

CLIP_S = 2.0


def interrupted(clip: Samples, instruction: Samples) -> Samples:
    """The first two seconds of a clip (half of a shorter one), and then the instruction in its stead.

    Until it speaks, nothing tells it from any other trial. As the trapping clips of ITU-T P.808's toolkit, after Naderi et al.
    (Interspeech 2015), where raters who met one judged closer to the laboratory. Both shape [n_samples] at 48 kHz.
    """
    length = min(round(CLIP_S * STIMULUS_RATE), len(clip) // 2)
    return np.concatenate([ramp(clip[:length], 0.05), silence(0.3), instruction, silence(0.2)])
