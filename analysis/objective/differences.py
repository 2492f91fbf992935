"""How late and how loud: what the other measures undo before they look."""

from math import inf, isfinite

from analysis.objective.base import Measure, Pair, Undefined


def _delay_ms(pair: Pair) -> float:
    return 1000 * pair.delay / pair.reference.rate


def _gain_db(pair: Pair) -> float:
    if not isfinite(pair.gain_db):
        raise Undefined("One of the recordings has no active speech level.")
    return pair.gain_db


DELAY = Measure(
    "Delay", _delay_ms, "cross-correlation within ±60 ms", "neither", -60, 60, unit="ms", ignores_gain=True, ignores_delay=False
)
GAIN = Measure("Gain", _gain_db, "ITU-T P.56, degraded over reference", "neither", -inf, inf, unit="dB", ignores_gain=False)
