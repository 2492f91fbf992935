"""Reader of BIIC-PODCAST (Upadhyay et al., ACII 2023): segments of Mandarin podcasts in the manner of MSP-PODCAST.

The corpus comes by e-mail under a licence, and its tables were never seen by us: ``columns.toml`` says which column holds what
(`analysis.corpora.columns`).
"""

from __future__ import annotations

from pathlib import Path

from analysis.corpora.base import PRIMARY, SECONDARY, Corpus, Reader
from analysis.corpora.columns import is_mapped, read_mapped, read_mapping

#: Options of each annotation, in the order of EMO-SUPERB.
EMOTIONS = {
    PRIMARY: ("anger", "sadness", "disgust", "contempt", "fear", "neutral", "surprise", "happiness"),
    SECONDARY: (
        *("anger", "sadness", "disgust", "contempt", "fear", "neutral", "surprise", "happiness"),
        *("frustration", "annoyance", "disappointment", "depression", "confusion", "concern", "amusement", "excitement"),
    ),
}
LICENCE = "Licence agreement with BIIC Lab, National Tsing Hua University; cite Upadhyay et al. (2023)."


def read(path: Path, annotation: str = PRIMARY) -> Corpus:
    """BIIC-PODCAST as its ``columns.toml`` describes it, whose annotation must be the one asked for. Raises CorpusError."""
    return read_mapped("BIIC-PODCAST", read_mapping(path, "BIIC-PODCAST", (annotation,)), EMOTIONS[annotation], "zh", LICENCE)


READER = Reader(
    title="BIIC-PODCAST",
    layout="Expected is its folder with audio such as BIIC-PODCAST_1000_0321_0003.wav and a columns.toml that explains its table.",
    recognise=lambda path: is_mapped(path, "BIIC-PODCAST"),
    read=read,
    annotations=(PRIMARY, SECONDARY),
)
