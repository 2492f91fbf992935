"""Every scale a rater can be asked: its wording, its labels and its range, in one place.

A scale is one axis of judgement and becomes one number (or one set of labels) per trial. The wording follows the source named
in each entry; a wording that departs from its standard says so in ``source``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ScaleKind = Literal["category", "labels"]


@dataclass(frozen=True)
class Scale:
    """One axis of judgement.

    ``kind`` is ``category`` (one of the integer ``labels``) or ``labels`` (a set of names from the options of the study).
    ``labels`` maps each value of a category scale to its printed label, best first; it is empty for ``labels`` scales.
    """

    key: str
    kind: ScaleKind
    title: str
    prompt: str
    source: str
    labels: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def minimum(self) -> int:
        """Lowest value of a category scale; a ``labels`` scale has none and raises ValueError."""
        return min(self.labels)

    @property
    def maximum(self) -> int:
        """Highest value of a category scale; a ``labels`` scale has none and raises ValueError."""
        return max(self.labels)


_ACR = MappingProxyType({5: "Excellent", 4: "Good", 3: "Fair", 2: "Poor", 1: "Bad"})
_DISTORTION = MappingProxyType(
    {5: "Not distorted", 4: "Slightly distorted", 3: "Somewhat distorted", 2: "Fairly distorted", 1: "Very distorted"}
)

#: key -> scale. Keys are the names stored with every rating and printed in every table.
SCALES: Mapping[str, Scale] = MappingProxyType(
    {
        "emotion": Scale(
            key="emotion",
            kind="labels",
            title="Emotion",
            prompt="Which emotion or emotions do you hear in this voice? Choose one or more.",
            source="Emo-Codec listening test: one or more of the corpus's own emotions",
        ),
        "ovrl": Scale(
            key="ovrl",
            kind="category",
            title="Overall quality",
            prompt="How would you rate the quality of the speech for the purposes of everyday speech communication?",
            source="Emo-Codec listening test, after ITU-T P.835 OVRL",
            labels=_ACR,
        ),
        "sig": Scale(
            key="sig",
            kind="category",
            title="Distortion",
            prompt="How would you rate the quality of the speech based on the level of distortion of the speech?",
            source="Emo-Codec listening test, derived from ITU-T P.835 SIG (without its 'attend only to the speech signal')",
            labels=_DISTORTION,
        ),
        "quality": Scale(
            key="quality",
            kind="category",
            title="Overall quality",
            prompt="How do you rate the overall quality of the following speech sample?",
            source="ITU-T P.800/P.808 ACR",
            labels=_ACR,
        ),
    }
)
