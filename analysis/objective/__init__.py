"""Signal measures: what a machine says of a degraded recording, beside its reference or alone."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from analysis.audio import Samples
from analysis.objective.base import Clip, Measure, Pair, Score, Undefined

__all__ = ["MEASURES", "Clip", "Measure", "Pair", "Score", "Undefined", "get_measure", "parse_measures", "score"]

#: Key -> the `Measure`. ``codec_superb_…`` are that benchmark's numbers, its faults included; the others undo delay and gain first.
MEASURES = {
    "pesq_wb": "analysis.objective.perceptual:PESQ_WB",
    "pesq_nb": "analysis.objective.perceptual:PESQ_NB",
    "stoi": "analysis.objective.intelligibility:STOI",
    "estoi": "analysis.objective.intelligibility:ESTOI",
    "stft_distance": "analysis.objective.distances:STFT_DISTANCE",
    "mel_distance": "analysis.objective.distances:MEL_DISTANCE",
    "si_sdr": "analysis.objective.distances:SI_SDR",
    "f0_correlation": "analysis.objective.pitch:F0_CORRELATION",
    "codec_superb_pesq": "analysis.objective.codec_superb:PESQ",
    "codec_superb_stoi": "analysis.objective.codec_superb:STOI",
    "codec_superb_stft": "analysis.objective.codec_superb:STFT",
    "codec_superb_mel": "analysis.objective.codec_superb:MEL",
    "codec_superb_f0corr": "analysis.objective.codec_superb:F0CORR",
    "codec_superb_waveform": "analysis.objective.codec_superb:WAVEFORM",
    "codec_superb_overall": "analysis.objective.codec_superb:OVERALL",
    "dnsmos_sig": "analysis.objective.nonintrusive:DNSMOS_SIG",
    "dnsmos_bak": "analysis.objective.nonintrusive:DNSMOS_BAK",
    "dnsmos_ovrl": "analysis.objective.nonintrusive:DNSMOS_OVRL",
    "dnsmos_p808": "analysis.objective.nonintrusive:DNSMOS_P808",
    "loudness_lufs": "analysis.objective.nonintrusive:LOUDNESS",
    "active_level_dbov": "analysis.objective.nonintrusive:ACTIVE_LEVEL",
    "delay_ms": "analysis.objective.differences:DELAY",
    "gain_db": "analysis.objective.differences:GAIN",
}


def get_measure(key: str) -> Measure:
    """The measure of a key; raises KeyError with a sentence that lists the keys."""
    if key not in MEASURES:
        raise KeyError(f"There is no measure '{key}'; there are {', '.join(MEASURES)}.")
    module, _, name = MEASURES[key].partition(":")
    measure: Measure = getattr(importlib.import_module(module), name)
    return measure


def parse_measures(text: str) -> tuple[str, ...]:
    """Keys from ``a,b``; ``all``, and beginnings such as ``codec_superb`` or ``dnsmos``, stand for all that begin so.

    >>> parse_measures("dnsmos,stoi")
    ('dnsmos_sig', 'dnsmos_bak', 'dnsmos_ovrl', 'dnsmos_p808', 'stoi')
    """
    keys: list[str] = []
    for name in filter(None, (part.strip() for part in text.split(","))):
        meant = [name] if name in MEASURES else [key for key in MEASURES if name == "all" or key.startswith(f"{name}_")]
        if not meant:
            get_measure(name)
        keys += [key for key in meant if key not in keys]
    return tuple(keys)


def score(keys: Sequence[str], *, reference: Samples, degraded: Samples, sample_rate: int) -> dict[str, Score]:
    """Each measure of a pair of signals of one rate (Hz), one channel each, shapes [n] and [m], full scale ±1.

    Files, several rates and many pairs are the business of `analysis.objective.pairs`.

    >>> import numpy as np
    >>> speech = np.random.default_rng(0).standard_normal(16_000) / 10
    >>> score(["si_sdr"], reference=speech, degraded=0.5 * speech, sample_rate=16_000)
    {'si_sdr': Score(value=100.0, reason='')}
    """
    pair = Pair(reference=Clip(reference, sample_rate), degraded=Clip(degraded, sample_rate))
    return {key: get_measure(key).score(pair) for key in keys}
