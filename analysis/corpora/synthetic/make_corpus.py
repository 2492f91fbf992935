"""Makes the demo corpus that lies beside this script: synthetic voices with emotion-like prosody, and their manifest.

    python analysis/corpora/synthetic/make_corpus.py [OUT]

eSpeak NG (`apt-get install espeak-ng`) speaks each sentence with the pitch, pitch range and rate of an emotion; numpy and scipy
add what it cannot do: a glide and a tremor of the pitch, breath, spectral tilt, an overdriven voice, level. The directions are
those commonly reported of acted speech: anger and joy higher, wider, faster, louder and brighter than neutral; sadness lower,
flatter, slower, softer and darker; fear high, fast and trembling. The same eSpeak NG version gives the same bytes.
"""

import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import butter, resample_poly, sosfiltfilt

Signal = NDArray[np.float64]

RATE = 16_000
ESPEAK_RATE = 22_050
MAX_PEAK = 0.89
COLUMNS = ("path", "speaker", "sex", "language", "transcript", "labels", "licence")
LICENCE = "CC0-1.0; synthetic voice"


@dataclass(frozen=True)
class Speaker:
    """A voice: an eSpeak NG language and variant, with its own pitch and rate (1 = as eSpeak has it)."""

    name: str
    sex: str
    voice: str
    language: str
    pitch: float = 1.0
    rate: float = 1.0


@dataclass(frozen=True)
class Manner:
    """How an emotion is spoken. `pitch`, `pitch_range` and `rate` are factors; the rest is done after eSpeak."""

    pitch: float = 1.0
    pitch_range: float = 1.0
    rate: float = 1.0
    glide_st: float = 0.0  # semitones that the pitch moves from the first sample to the last
    tremor_st: float = 0.0  # depth of a pitch and loudness tremor, in semitones
    breath_db: float = -120.0  # breath noise under the voice, relative to it
    tilt_db: float = 0.0  # spectral tilt per octave around 1 kHz
    drive: float = 0.0  # overdrive; 0 is none
    level_dbfs: float = -27.0


SPEAKERS = (
    Speaker("f1", "female", "gmw/en-US+f2", "en-US"),
    Speaker("f2", "female", "gmw/en+Annie", "en-GB", rate=0.96),
    Speaker("f3", "female", "gmw/en-GB-scotland+f3", "en-GB", pitch=1.08, rate=1.04),
    Speaker("f4", "female", "gmw/en-US+Alicia", "en-US", pitch=0.92),
    Speaker("m1", "male", "gmw/en-US+m3", "en-US"),
    Speaker("m2", "male", "gmw/en+Michael", "en-GB", pitch=1.06),
    Speaker("m3", "male", "gmw/en-GB-scotland+m7", "en-GB", rate=0.95),
    Speaker("m4", "male", "gmw/en-US+m4", "en-US", pitch=1.12, rate=1.04),
)
EMOTIONS = {
    "anger": Manner(pitch=1.2, pitch_range=1.9, rate=1.18, glide_st=-1.0, tilt_db=1.8, drive=2.0, level_dbfs=-22.0),
    "fear": Manner(pitch=1.6, pitch_range=0.8, rate=1.22, tremor_st=0.7, breath_db=-24.0, tilt_db=-0.5, level_dbfs=-26.0),
    "happiness": Manner(pitch=1.4, pitch_range=2.2, rate=1.06, glide_st=1.5, tilt_db=1.0, level_dbfs=-24.0),
    "neutral": Manner(),
    "sadness": Manner(pitch=0.9, pitch_range=0.4, rate=0.78, glide_st=-2.5, breath_db=-27.0, tilt_db=-2.5, level_dbfs=-32.0),
}
# Sentences that fit any emotion. Each speaker has one for take a; take b, which half the speakers give, has four more.
SENTENCES = (
    "The parcel came while you were out.",
    "I left the keys on the table by the window.",
    "They moved the meeting to next week.",
    "The last bus goes from the station at nine.",
    "She asked me to bring the photographs tomorrow.",
    "There are two more boxes in the car.",
    "We could hear the music from across the street.",
    "He said the kitchen would be painted on Monday.",
    "My sister is going to call you after dinner.",
    "The other train leaves in ten minutes.",
    "You can read the letter when everybody has gone.",
    "It was raining when we walked over the bridge.",
)


def takes() -> Iterator[tuple[Speaker, str, str, str]]:
    """Speaker, emotion, take and sentence of every clip: eight first and four second takes for each emotion, sexes balanced."""
    for e, emotion in enumerate(EMOTIONS):
        for s, speaker in enumerate(SPEAKERS):
            yield speaker, emotion, "a", SENTENCES[s]
            if (s + e) % 2 == 0:
                yield speaker, emotion, "b", SENTENCES[len(SPEAKERS) + s // 2]


def speak(speaker: Speaker, manner: Manner, sentence: str) -> Signal:
    """The sentence from eSpeak NG at its own rate, below full scale."""
    prosody = {"pitch": speaker.pitch * manner.pitch, "range": manner.pitch_range, "rate": speaker.rate * manner.rate}
    attributes = " ".join(f'{name}="{factor:.0%}"' for name, factor in prosody.items())
    text = f"<speak><prosody {attributes}>{sentence}</prosody></speak>"
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        subprocess.run(["espeak-ng", "-m", "-a", "50", "-v", speaker.voice, "-w", wav.name, text], check=True)
        signal, rate = sf.read(wav.name)
    if rate != ESPEAK_RATE:
        raise SystemExit(f"eSpeak NG gave {rate} Hz; this script expects {ESPEAK_RATE} Hz.")
    return np.asarray(signal, dtype=np.float64)


def bend(signal: Signal, manner: Manner, rng: np.random.Generator) -> Signal:
    """Glide and tremor: the signal is read at a speed that follows the wanted pitch, and its loudness trembles along."""
    n = len(signal)
    progress = np.arange(n) / n
    tremor = manner.tremor_st * np.sin(2 * np.pi * (rng.uniform(6, 7) * np.arange(n) / ESPEAK_RATE + rng.uniform()))
    position = np.cumsum(2 ** ((manner.glide_st * (progress - 0.5) + tremor) / 12))
    trembling = signal * (1 + 0.4 * tremor)
    return np.asarray(CubicSpline(np.arange(n), trembling)(position[position < n - 1]))


def colour(signal: Signal, manner: Manner, rng: np.random.Generator) -> Signal:
    """Breath, tilt and overdrive, at RATE. Breath noise (1-6 kHz) follows the loudness of the voice."""
    band = butter(2, [1000, 6000], btype="bandpass", fs=RATE, output="sos")
    noise = sosfiltfilt(band, rng.normal(size=len(signal)))
    breathy = signal + 10 ** (manner.breath_db / 20) * envelope(signal) * noise / noise.std()
    octaves = np.log2(np.clip(np.fft.rfftfreq(len(signal), 1 / RATE), 125, 8000) / 1000)
    tilted = np.fft.irfft(np.fft.rfft(breathy) * 10 ** (manner.tilt_db * octaves / 20), len(signal))
    peak = np.abs(tilted).max()
    return np.asarray(np.tanh(manner.drive * tilted / peak) if manner.drive else tilted)


def envelope(signal: Signal) -> Signal:
    """Loudness over time: the RMS of 20 ms around each sample."""
    width = RATE // 50
    return np.sqrt(np.convolve(signal**2, np.full(width, 1 / width), mode="same"))


def finish(signal: Signal, level_dbfs: float) -> Signal:
    """0.1 s of silence before the speech and 0.2 s after it, ends faded, its RMS at `level_dbfs`, the peak kept safe."""
    clean = sosfiltfilt(butter(2, 50, btype="highpass", fs=RATE, output="sos"), signal)
    loud = np.flatnonzero(envelope(clean) > 0.01 * envelope(clean).max())
    padded = np.pad(clean, (RATE // 10, RATE // 5))
    speech = padded[loud[0] : loud[-1] + RATE * 3 // 10]
    fade = np.linspace(0, 1, RATE // 50)
    speech[: len(fade)] *= fade
    speech[-len(fade) :] *= fade[::-1]
    rms = np.sqrt(np.mean(clean[loud] ** 2))
    return np.asarray(speech * min(10 ** (level_dbfs / 20) / rms, MAX_PEAK / np.abs(speech).max()))


def make(folder: Path) -> None:
    """Writes every clip as 16-bit FLAC under `folder`/audio, and `folder`/manifest.csv."""
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, (speaker, emotion, take, sentence) in enumerate(takes()):
        rng = np.random.default_rng(number)
        manner = EMOTIONS[emotion]
        voice = bend(speak(speaker, manner, sentence), manner, rng)
        clip = finish(colour(resample_poly(voice, 320, 441), manner, rng), manner.level_dbfs)
        path = f"audio/{speaker.name}_{emotion}_{take}.flac"
        sf.write(folder / path, clip, RATE, subtype="PCM_16", compression_level=1.0)
        values = (path, speaker.name, speaker.sex, speaker.language, sentence, emotion, LICENCE)
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
