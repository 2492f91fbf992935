"""Reader of NNIME (Chou et al., ACII 2017): 44 Mandarin speakers act in pairs; 49 raters.

The corpus comes by e-mail under a licence, and its raw tables were never seen by us: ``columns.toml`` says which column holds what
(`analysis.corpora.columns`). EMO-SUPERB's distributions of it are read by ``emo-superb``, which needs no such file.
"""

from __future__ import annotations

from pathlib import Path

from analysis.corpora.base import SECONDARY, Corpus, Reader
from analysis.corpora.columns import is_mapped, read_mapped, read_mapping

#: In the order of EMO-SUPERB. Happiness and joy are two options.
EMOTIONS = (
    *("anger", "frustration", "disappointment", "sadness", "fear", "neutral"),
    *("surprise", "excitement", "happiness", "relaxation", "joy"),
)
LICENCE = "Licence agreement with BIIC Lab, National Tsing Hua University; cite Chou et al. (2017)."


def read(path: Path, annotation: str = SECONDARY) -> Corpus:
    """NNIME as its ``columns.toml`` describes it. Raises CorpusError with a sentence."""
    return read_mapped("NNIME", read_mapping(path, "NNIME", (annotation,)), EMOTIONS, "zh", LICENCE)


READER = Reader(
    title="NNIME",
    layout="Expected is NNIME's folder with audio such as angry_01_A_002.wav and a columns.toml that explains its table.",
    recognise=lambda path: is_mapped(path, "NNIME"),
    read=read,
    annotations=(SECONDARY,),
)
