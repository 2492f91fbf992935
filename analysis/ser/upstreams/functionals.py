"""Functionals: what a clip's spectrum, pitch and energy do on the whole, in one vector. The features of the classical baseline."""

from __future__ import annotations

from collections.abc import Sequence

import kaldi_native_fbank as knf
import numpy as np
import numpy.typing as npt
from scipy.fft import dct

from analysis.ser.speech import RATE, Speech
from analysis.ser.upstreams.base import Layers, UpstreamSpec, Weights
from analysis.ser.upstreams.fbank import SCALE, Frames, log_mel

N_MELS, N_CEPSTRA = 40, 14
#: Natural logarithm of energy below the loudest frame, at which a frame no longer counts as speech (26 dB).
ACTIVE_RANGE = 6.0
#: Kaldi's probability-of-voicing feature falls below this where the normalised cross-correlation is above about 0.75.
VOICED_BELOW = -0.4
MAX_F0_HZ = 600.0
_FEW_VOICED = 5


class Functionals:
    """Mean, standard deviation, 10th and 90th percentile over the active frames of 14 mel cepstra, 40 log-mel bands, log pitch over the
    voiced ones and the slope of energy; how much cepstra and pitch move; shares of voiced and active frames; length.

    Pitch is Kaldi's tracker (Ghahremani et al., ICASSP 2014).
    """

    fingerprint = f"functionals-{N_MELS}-{N_CEPSTRA}-1"
    batch = 1

    def extract(self, clips: Sequence[Speech]) -> list[Layers]:
        return [_functionals(clip)[None, None] for clip in clips]


def _functionals(speech: Speech) -> npt.NDArray[np.float32]:
    bands, pitch = log_mel(speech, N_MELS), _pitch(speech)
    n_frames = min(len(bands), len(pitch))
    bands, pitch = bands[:n_frames], pitch[:n_frames]
    energy = np.logaddexp.reduce(bands, axis=1)
    cepstra = dct(bands, norm="ortho", axis=1)[:, :N_CEPSTRA]
    active = energy > energy.max() - ACTIVE_RANGE
    voiced = active & (pitch[:, 0] < VOICED_BELOW)
    log_f0 = pitch[voiced if voiced.sum() >= _FEW_VOICED else active, 1]
    parts = [
        _statistics(cepstra[active]),
        _statistics(bands[active]),
        _slopes(cepstra)[active].std(axis=0),
        _statistics(log_f0[:, None]),
        _statistics(_slopes(energy[:, None])[active]),
        [np.abs(np.diff(log_f0)).mean() if len(log_f0) > 1 else 0.0, energy[active].std()],
        [voiced.mean(), active.mean(), np.log(n_frames)],
    ]
    return np.concatenate(parts).astype(np.float32)


def _pitch(speech: Speech) -> Frames:
    """Kaldi's voicing feature and the logarithm of F0 in Hz, shape [n_frames, 2]; F0 runs on through unvoiced frames."""
    tracking = knf.PitchExtractionOptions(samp_freq=RATE, max_f0=MAX_F0_HZ, snip_edges=False)
    shown = knf.ProcessPitchOptions(add_normalized_log_pitch=False, add_delta_pitch=False, add_raw_log_pitch=True)
    return np.asarray(knf.compute_and_process_kaldi_pitch(tracking, shown, (speech * SCALE).tolist()), dtype=np.float32)


def _slopes(values: Frames) -> Frames:
    """Change from frame to frame, shape as ``values``; one frame has none."""
    return np.gradient(values, axis=0) if len(values) > 1 else np.zeros_like(values)


def _statistics(values: Frames) -> Frames:
    """Mean, standard deviation, 10th and 90th percentile of each column, one after another."""
    return np.concatenate([values.mean(axis=0), values.std(axis=0), *np.percentile(values, [10, 90], axis=0)])


def _open(_weights: Weights) -> Functionals:
    return Functionals()


FUNCTIONALS = UpstreamSpec(
    "functionals",
    "Functionals of spectrum, pitch and energy",
    _open,
    standardise=True,
    light=True,
    usual_downstream="logistic",
)
