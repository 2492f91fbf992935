"""emotion2vec+: known by name, and not run. The registry says why, so that nobody looks for a mistake of theirs."""

from __future__ import annotations

from analysis.ser.errors import SerError
from analysis.ser.upstreams.base import Upstream, UpstreamSpec, Weights

REASON = (
    "emotion2vec+ is a data2vec 2.0 model that neither transformers nor another well-kept library loads: its only code is FunASR's. "
    "A loader of our own could not be checked against the published weights, and unchecked it would give numbers that look right."
)


def _open(_weights: Weights) -> Upstream:
    raise SerError(REASON)


EMOTION2VEC_PLUS = UpstreamSpec("emotion2vec-plus", "emotion2vec+ base", _open, lambda weights: REASON)
