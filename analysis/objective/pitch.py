"""How far the melody of the degraded speech is that of its reference."""

import numpy as np
import numpy.typing as npt

from analysis.audio import Samples
from analysis.objective.base import Clip, Measure, Pair, Undefined, once

STEP_S = 0.01
FLOOR_HZ, CEILING_HZ = 60.0, 800.0
LEAST_FRAMES = 10  # voiced in both, of 10 ms each


def track_pitch(
    samples: Samples, rate: float, *, step_s: float, floor_hz: float, ceiling_hz: float, voicing: float = 0.45
) -> npt.NDArray[np.float64]:
    """F0 in Hz for each step by Praat's autocorrelation method, 0 where unvoiced; raises Undefined for what is too short."""
    import parselmouth

    try:
        pitch = parselmouth.Sound(samples, rate).to_pitch_ac(
            time_step=step_s, pitch_floor=floor_hz, pitch_ceiling=ceiling_hz, voicing_threshold=voicing
        )
    except parselmouth.PraatError:
        raise Undefined("The recording is too short for its pitch to be found.") from None
    return np.asarray(pitch.selected_array["frequency"], dtype=np.float64)


def pearson(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Pearson's correlation; raises Undefined where one side does not vary."""
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    if scale < 1e-9:
        raise Undefined("The pitch of one of the recordings does not vary.")
    return float(np.clip(x @ y / scale, -1, 1))


@once
def _pitch(clip: Clip) -> npt.NDArray[np.float64]:
    return track_pitch(clip.samples, clip.rate, step_s=STEP_S, floor_hz=FLOOR_HZ, ceiling_hz=CEILING_HZ)


def _f0_correlation(pair: Pair) -> float:
    """Correlation of lg F0 over the frames that are voiced in both."""
    reference, degraded = (_pitch(clip) for clip in pair.in_time)
    both = (reference > 0) & (degraded > 0)
    if both.sum() < LEAST_FRAMES:
        raise Undefined(f"Fewer than {LEAST_FRAMES} frames (0.1 s) are voiced in both recordings.")
    return pearson(np.log2(reference[both]), np.log2(degraded[both]))


F0_CORRELATION = Measure(
    "F0 correlation",
    _f0_correlation,
    "lg F0 by Boersma 1993 (Praat), frame by frame where both are voiced",
    "higher",
    -1,
    1,
    packages=("praat-parselmouth",),
)
