"""Upstreams by key: filter banks and functionals that run everywhere, and self-supervised speech models that need their weights.

Adding one is a module with an `UpstreamSpec` and a line in `UPSTREAMS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from analysis.ser.errors import SerError
from analysis.ser.upstreams.base import FROM_HUB, Layers, Upstream, UpstreamSpec, Weights

__all__ = ["FROM_HUB", "UPSTREAMS", "Layers", "Upstream", "UpstreamSpec", "Weights", "get_upstream", "open_upstream"]

#: upstream key -> dotted path of its `UpstreamSpec`, loaded when asked for.
UPSTREAMS: Mapping[str, str] = {
    "fbank": "analysis.ser.upstreams.fbank:FBANK",
    "functionals": "analysis.ser.upstreams.functionals:FUNCTIONALS",
    "xls-r-1b": "analysis.ser.upstreams.speech_models:XLS_R_1B",
    "wavlm-large": "analysis.ser.upstreams.speech_models:WAVLM_LARGE",
    "wav2vec2-large-robust": "analysis.ser.upstreams.speech_models:WAV2VEC2_LARGE_ROBUST",
    "wav2vec2-large-960h": "analysis.ser.upstreams.speech_models:WAV2VEC2_LARGE_960H",
    "hubert-large": "analysis.ser.upstreams.speech_models:HUBERT_LARGE",
    "data2vec-large": "analysis.ser.upstreams.speech_models:DATA2VEC_LARGE",
    "emotion2vec-plus": "analysis.ser.upstreams.emotion2vec:EMOTION2VEC_PLUS",
}


def get_upstream(key: str) -> UpstreamSpec:
    """The entry of a key. Raises SerError for another.

    >>> get_upstream("mfcc")
    Traceback (most recent call last):
        ...
    analysis.ser.errors.SerError: There is no upstream 'mfcc'; there are fbank, functionals, xls-r-1b, ...
    """
    if key not in UPSTREAMS:
        raise SerError(f"There is no upstream '{key}'; there are {', '.join(UPSTREAMS)}.")
    module, name = UPSTREAMS[key].split(":")
    return cast(UpstreamSpec, getattr(import_module(module), name))


def open_upstream(key: str, weights: Weights = FROM_HUB) -> Upstream:
    """An upstream ready to extract; raises SerError with what is missing."""
    spec = get_upstream(key)
    problem = spec.problem(weights)
    if problem:
        raise SerError(f"The upstream '{key}' cannot be used here. {problem}")
    return spec.open(weights)
