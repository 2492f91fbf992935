"""PESQ (ITU-T P.862), through the package that carries the ITU's reference code."""

from functools import partial
from typing import Literal

from analysis.audio import Samples
from analysis.objective.base import Measure, Pair, Undefined

RATE = 16_000
BANDS = {"wb": "wide-band", "nb": "narrow-band"}


def pesq(band: Literal["wb", "nb"], *, reference: Samples, degraded: Samples) -> float:
    """MOS-LQO of P.862.2 (``wb``) or P.862.1 (``nb``) for two signals at 16 kHz; raises Undefined where it finds no speech."""
    import pesq as package

    if not reference.any() or not degraded.any():
        raise Undefined("One of the recordings is silent, and PESQ needs speech in both.")
    try:
        return float(package.pesq(RATE, reference, degraded, band))
    except package.NoUtterancesError:
        raise Undefined("PESQ found no speech in the reference.") from None
    except package.BufferTooShortError:
        raise Undefined("The recording is shorter than the quarter of a second that PESQ needs.") from None


def pesq_of(pair: Pair, band: Literal["wb", "nb"], *, reference: Samples, degraded: Samples) -> float:
    """`pesq`, computed once where several measures of a pair give it the very same arrays."""
    # The arrays are kept too, so that no other ones can get their identities.
    value, *_ = pair.once(
        ("pesq", band, id(reference), id(degraded)),
        lambda: (pesq(band, reference=reference, degraded=degraded), reference, degraded),
    )
    return value


def _pesq(band: Literal["wb", "nb"], pair: Pair) -> float:
    reference, degraded = pair.in_time
    return pesq_of(pair, band, reference=reference.at(RATE), degraded=degraded.at(RATE))


PESQ_WB = Measure(
    "PESQ wide-band", partial(_pesq, "wb"), "ITU-T P.862.2", "higher", 1.04, 4.65, rate=RATE, packages=("pesq",)
)  # the ends are those of the mapping: 0.999 + 4 / (1 + exp(−1.3669·x + 3.8224)) for x from −0.5 to 4.5
PESQ_NB = Measure(
    "PESQ narrow-band", partial(_pesq, "nb"), "ITU-T P.862 and P.862.1", "higher", 1.01, 4.55, rate=RATE, packages=("pesq",)
)
