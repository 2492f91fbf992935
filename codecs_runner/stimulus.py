"""One clip through one opened codec: the chain that every condition, the original included, passes alike."""

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import soundfile as sf

from codecs_runner.align import Alignment, find_delay, remove_delay
from codecs_runner.audio import STIMULUS_RATE, Samples, fit, resample
from codecs_runner.codecs.base import Codec, CodecError, Coded, Condition, Signal
from codecs_runner.level import Gain, active_speech_level, gain_to_target, match_levels

FULL_SCALE = 1 << 15


@dataclass(frozen=True)
class StimulusAudio:
    """What is heard, and what was measured on the way.

    ``pcm`` has shape [n_samples] at 48 kHz. ``delay_samples`` is all delay removed, at 48 kHz, the declared part included.
    ``peak`` is of the signal before samples over full scale were limited; ``limited_samples`` counts those.
    """

    pcm: npt.NDArray[np.int16]
    payload_bps: float | None
    delay_samples: int
    alignment: Alignment
    gain: Gain
    level_dbov: float
    peak: float
    limited_samples: int

    def flac(self) -> bytes:
        """The same audio gives the same bytes as long as libsndfile stays the same."""
        memory = io.BytesIO()
        sf.write(memory, self.pcm, STIMULUS_RATE, format="FLAC", subtype="PCM_16")
        return memory.getvalue()


def make_stimulus(samples: Samples, sample_rate: int, condition: Condition, codec: Codec) -> StimulusAudio:
    """Resample to the codec's rate, code, resample to 48 kHz, remove delay, fit the length, undo gain, set the level.

    Args:
        samples: one channel at ``sample_rate`` Hz, shape [n].

    Returns:
        Audio whose length is that of the recording at 48 kHz, to the sample.

    Raises:
        CodecError: ``codec_failed``; ``not_finite`` or ``silent_output`` where the decoded signal cannot be listened to.
    """
    return finish_stimulus(samples, sample_rate, condition, codec.code(codec_input(samples, sample_rate, condition)))


def codec_input(samples: Samples, sample_rate: int, condition: Condition) -> Signal:
    """What a codec is given: the recording at the condition's rate, shape [n] in 32 bit."""
    return resample(samples, sample_rate, condition.sample_rate).astype(np.float32)


def finish_stimulus(samples: Samples, sample_rate: int, condition: Condition, coded: Coded) -> StimulusAudio:
    """What `make_stimulus` does after coding; raises CodecError ``not_finite`` or ``silent_output``."""
    original = resample(samples, sample_rate, STIMULUS_RATE)
    if not np.isfinite(coded.samples).all():
        raise CodecError("not_finite", f"{condition.label} decoded to samples that are not numbers.")
    decoded = resample(coded.samples.astype(np.float64), coded.sample_rate, STIMULUS_RATE)
    declared = round(coded.delay_samples * STIMULUS_RATE / coded.sample_rate)
    decoded = remove_delay(decoded, declared)
    alignment = find_delay(original, decoded, STIMULUS_RATE)
    decoded = fit(remove_delay(decoded, alignment.delay_samples), len(original))
    if original.any() and not decoded.any():
        raise CodecError("silent_output", f"{condition.label} decoded to silence.")

    gain = match_levels(gain_to_target(original, STIMULUS_RATE), gain_to_target(decoded, STIMULUS_RATE))
    heard = decoded * gain.factor
    scaled = np.rint(heard * FULL_SCALE)
    duration_s = len(samples) / sample_rate
    return StimulusAudio(
        pcm=np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16),
        payload_bps=None if coded.payload_bits is None else coded.payload_bits / duration_s,
        delay_samples=declared + alignment.delay_samples,
        alignment=alignment,
        gain=gain,
        level_dbov=active_speech_level(heard, STIMULUS_RATE).level_dbov,
        peak=float(np.abs(heard).max()),
        limited_samples=int(np.sum((scaled < -FULL_SCALE) | (scaled >= FULL_SCALE))),
    )
