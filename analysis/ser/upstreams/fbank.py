"""Log-mel filter bank with its first and second differences: the upstream without weights, as Kaldi and S3PRL compute it."""

from __future__ import annotations

from collections.abc import Sequence

import kaldi_native_fbank as knf
import numpy as np
import numpy.typing as npt

from analysis.ser.speech import RATE, Speech
from analysis.ser.upstreams.base import Layers, UpstreamSpec, Weights

N_MELS = 80
#: Speech of unit variance becomes 16-bit numbers at -26 dB of full scale, which Kaldi's defaults are made for.
SCALE = 32768 * 10 ** (-26 / 20)

Frames = npt.NDArray[np.float32]  # shape [n_frames, n_dims]


def log_mel(speech: Speech, n_mels: int = N_MELS) -> Frames:
    """Natural logarithm of the energy in ``n_mels`` bands, shape [n_frames, n_mels]: windows of 25 ms every 10 ms, no dither.

    Raises nothing: the shortest recording that can be heard has a frame, since windows at the edges are filled by reflection.
    """
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = RATE
    options.frame_opts.dither = 0.0
    options.frame_opts.snip_edges = False
    options.mel_opts.num_bins = n_mels
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(RATE, (speech * SCALE).tolist())
    bank.input_finished()
    return np.stack([bank.get_frame(index) for index in range(bank.num_frames_ready)])


def with_differences(frames: Frames) -> Frames:
    """Frames with their first and second differences beside them, shape [n_frames, 3 n_dims] (regression over ±2 frames)."""
    return np.asarray(knf.compute_deltas(knf.DeltaOptions(order=2, window=2), frames), dtype=np.float32)


class FilterBank:
    """80 bands with both differences, 240 numbers every 10 ms; S3PRL's ``fbank`` without its normalisation per clip.

    The mean spectrum of a clip says much about emotion and about the codec's bandwidth, so it is kept, and each dimension is
    standardised by the training set instead.
    """

    fingerprint = f"fbank-kaldi-{N_MELS}-2"
    batch = 1

    def extract(self, clips: Sequence[Speech]) -> list[Layers]:
        return [with_differences(log_mel(clip))[None] for clip in clips]


def _open(_weights: Weights) -> FilterBank:
    return FilterBank()


FBANK = UpstreamSpec("fbank", "Log-mel filter bank", _open, standardise=True, light=True)
