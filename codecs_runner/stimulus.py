"""One clip through one opened codec: the chain that every condition, the original included, passes alike."""

import io
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import soundfile as sf

from analysis.active_level import Activity
from analysis.align import Aligner, Alignment, remove_delay
from codecs_runner.audio import STIMULUS_RATE, Samples, fit, resample
from codecs_runner.codecs.base import Codec, CodecError, Coded, Condition, Signal
from codecs_runner.errors import AudioError
from codecs_runner.level import TARGET_DBOV, Gain, match_levels

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


class Recording:
    """One channel as it was recorded, and what all its conditions share: each part is worked out once, when first asked for.

    Args:
        samples: shape [n_samples] at ``sample_rate`` Hz; raises AudioError ``empty`` where there are none.
    """

    def __init__(self, samples: Samples, sample_rate: int) -> None:
        if len(samples) == 0:
            raise AudioError("empty", "The recording holds no samples.")
        self.samples, self.sample_rate = samples, sample_rate
        self._resampled = {sample_rate: samples}

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    def at(self, sample_rate: int) -> Samples:
        """The samples at another rate."""
        if sample_rate not in self._resampled:
            self._resampled[sample_rate] = resample(self.samples, self.sample_rate, sample_rate)
        return self._resampled[sample_rate]

    def input_for(self, condition: Condition) -> Signal:
        """What a condition's codec gets."""
        return self.at(condition.sample_rate).astype(np.float32)

    @property
    def original(self) -> Samples:
        """At the rate of stimuli."""
        return self.at(STIMULUS_RATE)

    @cached_property
    def aligner(self) -> Aligner:
        return Aligner(self.original, STIMULUS_RATE)

    @cached_property
    def gain_db(self) -> float:
        """To the target level; NaN where there is no level."""
        return Activity(self.original, STIMULUS_RATE).gain_to(TARGET_DBOV)


def make_stimulus(samples: Samples, sample_rate: int, condition: Condition, codec: Codec) -> StimulusAudio:
    """One clip through one codec, and `finish_stimulus`.

    Args:
        samples: one channel at ``sample_rate`` Hz, shape [n].
    """
    recording = Recording(samples, sample_rate)
    return finish_stimulus(recording, condition, codec.code(recording.input_for(condition)))


def finish_stimulus(recording: Recording, condition: Condition, coded: Coded) -> StimulusAudio:
    """What is done to a decoded clip: resample to 48 kHz, remove delay, fit the length, undo the codec's gain, set the level.

    Returns:
        Audio whose length is that of the recording at 48 kHz, to the sample.

    Raises:
        CodecError: ``not_finite`` or ``silent_output`` where the decoded signal cannot be listened to.
    """
    original = recording.original
    if not np.isfinite(coded.samples).all():
        raise CodecError("not_finite", f"{condition.label} decoded to samples that are not numbers.")
    decoded = resample(coded.samples.astype(np.float64), coded.sample_rate, STIMULUS_RATE)
    declared = round(coded.delay_samples * STIMULUS_RATE / coded.sample_rate)
    decoded = remove_delay(decoded, declared)
    alignment = recording.aligner.find(decoded, declared != 0)
    decoded = fit(remove_delay(decoded, alignment.delay_samples), len(original))
    if original.any() and not decoded.any():
        raise CodecError("silent_output", f"{condition.label} decoded to silence.")

    activity = Activity(decoded, STIMULUS_RATE)
    gain = match_levels(recording.gain_db, activity.gain_to(TARGET_DBOV))
    heard = decoded * gain.factor
    scaled = np.rint(heard * FULL_SCALE)
    return StimulusAudio(
        pcm=np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16),
        payload_bps=None if coded.payload_bits is None else coded.payload_bits / recording.duration_s,
        delay_samples=declared + alignment.delay_samples,
        alignment=alignment,
        gain=gain,
        level_dbov=activity.level(gain.db),
        peak=float(np.abs(heard).max()),
        limited_samples=int(np.sum((scaled < -FULL_SCALE) | (scaled >= FULL_SCALE))),
    )
