"""Every scale a rater can be asked: its wording, its labels and its range, in one place.

A scale is one axis of judgement and becomes one number (or one set of labels) per trial. The wording follows the source named
in each entry; a wording that departs from its standard says so in ``source``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

ScaleKind = Literal["category", "labels", "text"]
MeanName = Literal["MOS", "DMOS", "CMOS", "mean"]


@dataclass(frozen=True)
class Scale:
    """One axis of judgement.

    ``kind`` is ``category`` (one of the integer ``labels``), ``labels`` (a set of names from the options of the study) or
    ``text`` (words of the rater's own, kept as one name and never analysed as a label).
    ``labels`` maps each value of a category scale to its printed label, best first; it is empty for the other kinds.
    ``mean_name`` is what the mean of its values is called in tables and figures.
    """

    key: str
    kind: ScaleKind
    title: str
    prompt: str
    source: str
    labels: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    mean_name: MeanName = "MOS"

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
_DEGRADATION = MappingProxyType(
    {
        5: "Degradation is inaudible",
        4: "Degradation is audible but not annoying",
        3: "Degradation is slightly annoying",
        2: "Degradation is annoying",
        1: "Degradation is very annoying",
    }
)
_COMPARISON = MappingProxyType(
    {
        3: "Much better",
        2: "Better",
        1: "Slightly better",
        0: "About the same",
        -1: "Slightly worse",
        -2: "Worse",
        -3: "Much worse",
    }
)
_BACKGROUND = MappingProxyType(
    {
        5: "Not noticeable",
        4: "Slightly noticeable",
        3: "Noticeable but not intrusive",
        2: "Somewhat intrusive",
        1: "Very intrusive",
    }
)
_SAM = (
    "Five steps of the Self-Assessment Manikin (Bradley & Lang 1994), as IEMOCAP used it (Busso et al. 2008); the words, which "
    "stand for its pictures so that a screen reader can say them, are ours"
)

#: What the mean of a scale is called in full.
MEAN_TITLES: Mapping[MeanName, str] = MappingProxyType(
    {
        "MOS": "mean opinion score",
        "DMOS": "degradation mean opinion score",
        "CMOS": "comparison mean opinion score",
        "mean": "mean rating",
    }
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
        "emotion_other": Scale(
            key="emotion_other",
            kind="text",
            title="Other emotion",
            prompt="Which other emotion?",
            source="what raters wrote who chose “other”",
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
        "dcr": Scale(
            key="dcr",
            kind="category",
            title="Degradation",
            prompt="How do you rate the degradation of the second clip compared to the first, which is the reference?",
            source="ITU-T P.800/P.808 DCR",
            labels=_DEGRADATION,
            mean_name="DMOS",
        ),
        "ccr": Scale(
            key="ccr",
            kind="category",
            title="Comparison",
            prompt="The quality of the second clip compared to the quality of the first clip is:",
            source="ITU-T P.800/P.808 CCR; stored as processed clip compared to reference, whichever was heard first",
            labels=_COMPARISON,
            mean_name="CMOS",
        ),
        "p835_sig": Scale(
            key="p835_sig",
            kind="category",
            title="Speech signal",
            prompt="Attending ONLY to the SPEECH SIGNAL, select the category which best describes the sample you just heard. "
            "The SPEECH SIGNAL in this sample was:",
            source="ITU-T P.835 SIG, as the P.808 toolkit words it",
            labels=_DISTORTION,
        ),
        "p835_bak": Scale(
            key="p835_bak",
            kind="category",
            title="Background",
            prompt="Attending ONLY to the BACKGROUND, select the category which best describes the sample you just heard. "
            "The BACKGROUND in this sample was:",
            source="ITU-T P.835 BAK, as the P.808 toolkit words it",
            labels=_BACKGROUND,
        ),
        "p835_ovrl": Scale(
            key="p835_ovrl",
            kind="category",
            title="Overall speech sample",
            prompt="Select the category which best describes the sample you just heard for purposes of everyday speech "
            "communication. The OVERALL SPEECH SAMPLE was:",
            source="ITU-T P.835 OVRL, as the P.808 toolkit words it",
            labels=_ACR,
        ),
        "intensity": Scale(
            key="intensity",
            kind="category",
            title="Intensity",
            prompt="How strong is the emotion in this voice?",
            source="ours: five labelled steps",
            labels=MappingProxyType({5: "Very strong", 4: "Strong", 3: "Moderate", 2: "Weak", 1: "Very weak"}),
            mean_name="mean",
        ),
        "valence": Scale(
            key="valence",
            kind="category",
            title="Valence",
            prompt="How positive or negative does the speaker sound?",
            source=_SAM,
            labels=MappingProxyType({5: "Very positive", 4: "Positive", 3: "In between", 2: "Negative", 1: "Very negative"}),
            mean_name="mean",
        ),
        "arousal": Scale(
            key="arousal",
            kind="category",
            title="Arousal",
            prompt="How calm or excited does the speaker sound?",
            source=_SAM,
            labels=MappingProxyType({5: "Very excited", 4: "Excited", 3: "In between", 2: "Calm", 1: "Very calm"}),
            mean_name="mean",
        ),
        "dominance": Scale(
            key="dominance",
            kind="category",
            title="Dominance",
            prompt="How weak or strong does the speaker sound: submissive, or in control?",
            source=_SAM,
            labels=MappingProxyType(
                {5: "Very dominant", 4: "Dominant", 3: "In between", 2: "Submissive", 1: "Very submissive"}
            ),
            mean_name="mean",
        ),
    }
)
