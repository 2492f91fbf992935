"""How late a decoded signal is, and only as far as the signals themselves prove it."""

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded where they are first used

from analysis.audio import Samples

WINDOW_S = 0.06  # delays searched on either side of the declared one
NEAR_S = 0.002  # the same where the codec declares a delay, which then only a nearly perfect match may correct
MIN_NEAR_CORRELATION = 0.95
MIN_CORRELATION = 0.7  # of the waveforms, to be believed
MIN_GAIN = 0.02  # by which the best lag must beat the declared one
ENVELOPE_STEP_S = 0.001
ENVELOPE_BLOCKS = 20  # steps over which the RMS is taken
MIN_ENVELOPE_CORRELATION = 0.9
MIN_ENVELOPE_GAIN = 0.05


@dataclass(frozen=True)
class Alignment:
    """``delay_samples``: how many samples the decoded signal lags (negative: leads). ``method``: what the figure rests on:
    ``waveform`` (exact to the sample), ``envelope`` (to a millisecond) or ``declared`` (the codec's own word).
    ``correlation``: of the waveforms at that delay, −1 to 1."""

    delay_samples: int
    method: str
    correlation: float


class Aligner:
    """An original, prepared for comparison with what several codecs made of it.

    Args:
        reference: one channel at ``sample_rate`` Hz, shape [n].
    """

    def __init__(self, reference: Samples, sample_rate: int) -> None:
        self.width, self.step = round(WINDOW_S * sample_rate), round(ENVELOPE_STEP_S * sample_rate)
        self.waveform = _Correlator(reference, self.width)
        self.envelope = _Correlator(_envelope(reference, self.step), self.width // self.step)

    def find(self, decoded: Samples, declared: bool = False) -> Alignment:
        """As `find_delay` says; what of ``decoded`` lies more than 60 ms beyond the original's end is not looked at.

        Where a delay was ``declared`` (and taken off), it was measured with care, while a codec that turns phases, as speech codecs
        with a high-pass do, may have its best correlation elsewhere: then only ±2 ms are searched, and 0.95 is asked for.
        """
        width, step = self.width, self.step
        waveform = self.waveform.lags(decoded)
        if declared:
            best = _peak(waveform, round(NEAR_S / WINDOW_S * width))
            if waveform[best] < max(MIN_NEAR_CORRELATION, waveform[width] + MIN_GAIN):
                return Alignment(0, "declared", float(waveform[width]))
            return Alignment(best - width, "waveform", float(waveform[best]))
        best = int(np.argmax(waveform))
        if waveform[best] >= MIN_CORRELATION:
            if waveform[best] < waveform[width] + MIN_GAIN:
                best = width
            return Alignment(best - width, "waveform", float(waveform[best]))
        envelope = self.envelope.lags(_envelope(decoded, step))
        best = int(np.argmax(envelope))
        if envelope[best] >= MIN_ENVELOPE_CORRELATION and envelope[best] >= envelope[width // step] + MIN_ENVELOPE_GAIN:
            delay = (best - width // step) * step
            return Alignment(delay, "envelope", float(waveform[width + delay]))
        return Alignment(0, "declared", float(waveform[width]))


def find_delay(reference: Samples, decoded: Samples, sample_rate: int) -> Alignment:
    """Delay of ``decoded`` against ``reference`` within ±60 ms, 0 being what the codec declares.

    The normalised cross-correlation of the waveforms decides where its peak is at least 0.7 and better than that of no delay.
    Neural codecs may rebuild speech that sounds right and correlates poorly; then the envelopes (RMS over 20 ms, in steps of
    1 ms) are compared, and a delay is believed only if they agree at 0.9 and clearly better than without it. Otherwise the
    delay is 0: a wrong shift does more harm than a small true one.

    Args:
        reference: shape [n], decoded: shape [m], both one channel at ``sample_rate`` Hz.

    >>> noise = np.random.default_rng(0).standard_normal(4800)
    >>> find_delay(noise, np.concatenate([np.zeros(37), noise]), 48_000).delay_samples
    37
    """
    return Aligner(reference, sample_rate).find(decoded)


def remove_delay(samples: Samples, delay_samples: int) -> Samples:
    """Advance by ``delay_samples`` (or, if negative, postpone with zeros).

    >>> remove_delay(np.array([0.0, 1.0, 2.0]), 1).tolist(), remove_delay(np.array([1.0]), -1).tolist()
    ([1.0, 2.0], [0.0, 1.0])
    """
    return samples[delay_samples:] if delay_samples >= 0 else np.pad(samples, (-delay_samples, 0))


def _peak(correlations: Samples, within: int) -> int:
    """Index of the highest value at most ``within`` lags from the middle."""
    middle = len(correlations) // 2
    return middle - within + int(np.argmax(correlations[middle - within : middle + within + 1]))


class _Correlator:
    """Normalised cross-correlation with one signal; its spectrum is computed once."""

    def __init__(self, reference: Samples, width: int) -> None:
        self.width, self.n_samples = width, len(reference) + width
        self.size = scipy.fft.next_fast_len(self.n_samples + width, real=True)
        # in single precision: an error of 1e-6 moves no peak, and half the time is saved
        self.spectrum, self.energy = (
            np.conj(scipy.fft.rfft(reference.astype(np.float32), self.size)),
            float(np.sum(reference**2)),
        )

    def lags(self, decoded: Samples) -> Samples:
        """Correlation at lags −width … width, shape [2·width + 1]; 0 where a signal has no energy."""
        decoded, width = decoded[: self.n_samples], self.width
        scale = float(np.sqrt(self.energy * np.sum(decoded**2)))
        if scale == 0:
            return np.zeros(2 * width + 1)
        circular = scipy.fft.irfft(self.spectrum * scipy.fft.rfft(decoded.astype(np.float32), self.size), self.size)
        return np.concatenate([circular[self.size - width :], circular[: width + 1]]).astype(np.float64) / scale


def _envelope(samples: Samples, step: int) -> Samples:
    """RMS over 20 blocks of ``step`` samples, one value for each block, mean removed, shape [n // step]."""
    blocks = samples[: len(samples) // step * step].reshape(-1, step)
    power = scipy.ndimage.uniform_filter1d(np.mean(blocks**2, axis=1), ENVELOPE_BLOCKS, mode="constant")
    rms = np.sqrt(np.maximum(power, 0.0))  # the filter's running sum may end a hair below zero after a loud passage
    return np.asarray(rms - rms.mean()) if len(rms) else rms
