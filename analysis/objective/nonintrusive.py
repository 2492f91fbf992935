"""Measures that need no reference: DNSMOS, loudness, active speech level."""

from functools import lru_cache, partial
from math import inf, isfinite
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm

from analysis.objective.base import Clip, Measure, Pair, Undefined

RATE = 16_000
DNSMOS_KEYS = ("sig_mos", "bak_mos", "ovrl_mos", "p808_mos")
LEAST_LOUDNESS_S = 0.4  # one block of BS.1770


@lru_cache(maxsize=1)
def _dnsmos_model() -> Any:
    """The models of the package, each on one thread: pairs are spread over processes already."""
    import onnxruntime
    from speechmos import dnsmos

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    folder = Path(dnsmos.__file__).parent / "dnsmos_models"
    paths = [str(folder / name) for name in ("sig_bak_ovr.onnx", "model_v8.onnx")]
    model = dnsmos.DNSMOS(*paths)
    model.onnx_sess, model.p808_onnx_sess = (onnxruntime.InferenceSession(path, options) for path in paths)
    return model


def dnsmos(clip: Clip) -> dict[str, float]:
    """P.835 ``sig_mos``, ``bak_mos``, ``ovrl_mos`` and ``p808_mos`` at 16 kHz; clips below 9 s are repeated, as its authors do."""
    if clip.is_silent:
        raise Undefined("The recording is silent, and DNSMOS needs speech.")
    found = _dnsmos_model()(np.clip(clip.at(RATE), -1, 1), RATE, False)
    return {key: float(found[key]) for key in DNSMOS_KEYS}


def _dnsmos(key: str, pair: Pair) -> float:
    return pair.degraded.once("dnsmos", lambda: dnsmos(pair.degraded))[key]


def _loudness(pair: Pair) -> float:
    clip = pair.degraded
    if len(clip.samples) < LEAST_LOUDNESS_S * clip.rate:
        raise Undefined("The recording is shorter than the 0.4 s over which loudness is taken.")
    lufs = float(pyloudnorm.Meter(clip.rate).integrated_loudness(clip.samples)) if not clip.is_silent else -inf
    if not isfinite(lufs):
        raise Undefined("The recording is too quiet to have a loudness.")
    return lufs


def _active_level(pair: Pair) -> float:
    level = pair.degraded.activity.level()
    if not isfinite(level):
        raise Undefined("The recording has no active speech level.")
    return level


_DNSMOS_P835 = "Reddy et al. 2022, ICASSP (DNSMOS P.835)"


def _dnsmos_measure(label: str, key: str, source: str = _DNSMOS_P835) -> Measure:
    return Measure(
        label,
        partial(_dnsmos, key),
        source,
        "higher",
        1,
        5,
        rate=RATE,
        needs_reference=False,
        ignores_gain=False,
        packages=("speechmos", "onnxruntime", "librosa"),
    )


DNSMOS_SIG = _dnsmos_measure("DNSMOS SIG", "sig_mos")
DNSMOS_BAK = _dnsmos_measure("DNSMOS BAK", "bak_mos")
DNSMOS_OVRL = _dnsmos_measure("DNSMOS OVRL", "ovrl_mos")
DNSMOS_P808 = _dnsmos_measure("DNSMOS P.808", "p808_mos", "Reddy et al. 2021, ICASSP (DNSMOS)")
LOUDNESS = Measure(
    "Loudness",
    _loudness,
    "ITU-R BS.1770-4, integrated",
    "neither",
    -70,
    inf,
    unit="LUFS",
    needs_reference=False,
    ignores_gain=False,
)
ACTIVE_LEVEL = Measure(
    "Active speech level",
    _active_level,
    "ITU-T P.56, method B",
    "neither",
    -inf,
    0,
    unit="dBov",
    needs_reference=False,
    ignores_gain=False,
)
