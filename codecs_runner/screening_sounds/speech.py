"""Spoken words: the researcher's own recordings where there are any, else eSpeak NG."""

import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from codecs_runner.audio import STIMULUS_RATE, load_audio, resample
from codecs_runner.errors import AudioError
from codecs_runner.processes import ProcessFailed, find_program, run_limited
from codecs_runner.screening_sounds.pieces import Samples, at_speech_level

PROGRAM = "espeak-ng"
#: language of a study -> voice of eSpeak NG; what is not here is passed on as it is.
VOICES = {"en": "gmw/en-US", "zh-hans": "cmn"}
SUFFIXES = (".flac", ".wav")


class SpeechError(AudioError):
    """Words that cannot be spoken here; the sentence says what is missing."""


@dataclass(frozen=True)
class Speaker:
    """Says words in a language.

    ``folder`` may hold recordings by name, ``<folder>/<language>/<name>.flac`` or ``.wav`` (``3.flac``, ``add-up.flac``); what it
    lacks is spoken by eSpeak NG.
    """

    language: str = "en"
    folder: Path | None = None

    def say(self, words: str, name: str = "") -> Samples:
        """The words, shape [n_samples] at 48 kHz, −26 dBov active level, silence at the ends cut off. Raises SpeechError."""
        return _say(words, self.language, self._recording(name))

    def problem(self, *names: str) -> str:
        """Why these recordings, or eSpeak NG in their stead, are not to be had; empty if they are."""
        if find_program(PROGRAM) or (names and all(self._recording(name) for name in names)):
            return ""
        return (
            f"spoken words need {PROGRAM} (apt-get install {PROGRAM}), or recordings named "
            f"{', '.join(names) or 'after the words'} in SCREENING_SPEECH/{self.language}"
        )

    def _recording(self, name: str) -> Path | None:
        if not name or self.folder is None:
            return None
        paths = (self.folder / self.language / f"{name}{suffix}" for suffix in SUFFIXES)
        return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=512)
def _say(words: str, language: str, recording: Path | None) -> Samples:
    samples, rate = _read(recording) if recording else _speak(words, VOICES.get(language, language))
    spoken = at_speech_level(_trim(resample(samples, rate, STIMULUS_RATE)))
    spoken.flags.writeable = False  # shared with whoever asks for the same words
    return spoken


def _read(recording: Path) -> tuple[Samples, int]:
    samples, info = load_audio(recording)
    return samples, info.sample_rate


def _speak(words: str, voice: str) -> tuple[Samples, int]:
    if find_program(PROGRAM) is None:
        raise SpeechError("unavailable", f"“{words}” cannot be spoken: {PROGRAM} is not installed.")
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        spoken = Path(folder) / "spoken.wav"
        try:
            run_limited([PROGRAM, "-v", voice, "-s", "150", "-a", "60", "-w", str(spoken), words], timeout_s=20)
        except ProcessFailed as error:
            raise SpeechError("unavailable", f"{PROGRAM} could not say “{words}” ({error}).") from error
        return _read(spoken)


def _trim(samples: Samples) -> Samples:
    """Without what lies 40 dB below the peak at either end."""
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]
