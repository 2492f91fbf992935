"""Two versions of one recording to be compared: by bandwidth, and by a little noise."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import butter, sosfiltfilt

from codecs_runner.audio import STIMULUS_RATE
from codecs_runner.screening_sounds.pieces import Samples, at_rms, join, ramp, rms_dbov, silence

DITHER_DBOV = -75.0
GAP_S = 0.3


@dataclass(frozen=True)
class Band:
    """Noise that is added to one of a pair: from ``low_hz`` to ``high_hz``, ``db`` above the recording's RMS."""

    low_hz: float
    high_hz: float
    db: float


#: What is audible over any line, over super-wideband, and over full band only. Higher bands are louder, for ears are less keen there.
OBVIOUS, SUPER_WIDE, FULL = Band(3_500, 22_000, 0.0), Band(8_500, 22_000, 6.0), Band(15_000, 22_000, 13.0)


def bandwidth_pair(recording: Samples, band: Band | None, rng: np.random.Generator) -> Samples:
    """The recording, a beep, and the recording again, with noise of ``band`` in it or without.

    Each version has a noise of its own at −75 dBov under it, so that equal pairs are not equal in bytes. As the bandwidth check of
    ITU-T P.808's toolkit, with noise of our own levels. ``recording``: shape [n_samples] at 48 kHz. Same shape but longer.
    """
    first, second = (recording + at_rms(rng.standard_normal(len(recording)), DITHER_DBOV) for _ in range(2))
    if band is not None:
        edges = butter(5, [band.low_hz, band.high_hz], btype="bandpass", fs=STIMULUS_RATE, output="sos")
        noise = sosfiltfilt(edges, rng.standard_normal(len(recording)))
        second = second + at_rms(noise, rms_dbov(recording) + band.db)
    time = np.arange(round(0.4 * STIMULUS_RATE)) / STIMULUS_RATE
    beep = ramp(at_rms(np.sin(2 * np.pi * 440 * time)), 0.02)
    return join([ramp(first, 0.02), beep, ramp(second, 0.02)], GAP_S)


def noise_pair(recording: Samples, snrs_db: tuple[float, float], rng: np.random.Generator) -> Samples:
    """The recording twice, 0.8 s apart, each with a white noise of its own at these SNRs (RMS over RMS of the whole).

    The just noticeable difference of quality of Naderi & Moeller (QoMEX 2020) as ITU-T P.808's toolkit uses it: who cannot tell 40
    from 50 dB sits in noise, or listens too softly. ``recording``: shape [n_samples] at 48 kHz. Same shape but longer.
    """
    versions = []
    for snr_db in snrs_db:
        noise = at_rms(rng.standard_normal(len(recording)), rms_dbov(recording) - snr_db)
        versions.append(ramp(recording + noise, 0.02))
    return np.concatenate([silence(0.2), join(versions, 0.8), silence(0.2)])
