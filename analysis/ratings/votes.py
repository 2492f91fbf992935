"""Label votes as sparse tables, counted anew under any weights of the raters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.labels import BoolArray, label_matrix, threshold_votes
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded, FloatArray, count_matrix
from analysis.ratings.resampled import ResampledTable
from analysis.schema import SchemaError


@dataclass(frozen=True)
class Votes:
    """Votes of one condition: row emotion * n_clips + clip; a column per rater, and a last one for votes without a rater."""

    table: ResampledTable
    n_emotions: int

    def counts(self, raters: FloatArray) -> npt.NDArray[Any]:
        """Votes per emotion and clip under rater weights (n_raters + 1, b): array (emotions, clips, b)."""
        counts: npt.NDArray[Any] = (self.table @ raters).reshape(self.n_emotions, -1, raters.shape[1])
        return counts

    def sets(self, raters: FloatArray) -> tuple[BoolArray, BoolArray]:
        """Label sets (emotions, clips, b) and whether a clip has votes (clips, b) under rater weights (n_raters + 1, b)."""
        counts = self.counts(raters)
        return threshold_votes(counts, axis=0), counts.sum(axis=0) > 0

    def totals(self) -> FloatArray:
        """Votes per emotion and clip as they were cast: array (emotions, clips)."""
        return self.table.totals().reshape(self.n_emotions, -1)


def label_votes(coded: Coded, emotions: Sequence[str], n_raters: int) -> dict[int, Votes]:
    """Condition code -> its votes. Raises SchemaError for a label that is not among ``emotions``."""
    cells, names = pd.factorize(coded.labels)
    try:
        chosen = label_matrix(list(names), emotions)
    except ValueError as error:
        raise SchemaError(str(error)) from error
    row, emotion = np.nonzero(chosen[cells])
    rater = np.where(coded.rater < 0, n_raters, coded.rater)[row]
    shape = (len(emotions) * len(coded.clips), n_raters + 1)
    cell = emotion * len(coded.clips) + coded.clip[row]
    votes = {}
    for code in coded.present():
        mine = coded.rows(code)[row]
        votes[code] = Votes(ResampledTable(count_matrix(cell[mine], rater[mine], shape)), len(emotions))
    return votes


def with_unknown(bootstrap: CrossedBootstrap) -> Iterator[tuple[FloatArray, FloatArray]]:
    """The draws of a bootstrap with a last rater, drawn once each time, for the votes that name no rater."""
    for raters, clips in bootstrap.blocks():
        yield np.vstack([raters, np.ones((1, raters.shape[1]))]), clips
