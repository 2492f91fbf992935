"""Names of emotions: every corpus spells them its own way, and here they become one vocabulary of nouns."""

from __future__ import annotations

from collections.abc import Sequence

#: our name -> other spellings, lower case. Names of corpora that mean something else stay apart (joy is not happiness in NNIME).
NAMES: dict[str, tuple[str, ...]] = {
    "anger": ("angry", "ang", "生气"),
    "sadness": ("sad", "伤心"),
    "disgust": ("disgusted", "dis"),
    "contempt": ("contemptuous",),
    "fear": ("fearful", "fea", "afraid"),
    "neutral": ("neu", "neutral state", "neutrality", "中立"),
    "surprise": ("surprised", "sur", "惊喜"),
    "happiness": ("happy", "hap", "快乐"),
    "frustration": ("frustrated", "fru"),
    "excitement": ("excited", "exc"),
    "depression": ("depressed",),
    "disappointment": ("disappointed",),
    "annoyance": ("annoyed",),
    "confusion": ("confused",),
    "concern": ("concerned",),
    "amusement": ("amused",),
    "relaxation": ("relax", "relaxed"),
    "joy": ("joyful",),
    "calm": ("calmness",),
    "boredom": ("bored",),
    "sarcasm": ("sarcastic",),
    "anxiety": ("anxious",),
    "apology": ("apologetic",),
    "assertiveness": ("assertive",),
    "encouragement": ("encouraging",),
    "other": ("oth",),
}
_OURS = {spelling: name for name, spellings in NAMES.items() for spelling in (name, *spellings)}


def emotion_name(spelling: str) -> str:
    """Our name of an emotion, case and outer blanks aside. Raises ValueError for a spelling that nobody has explained to us.

    >>> emotion_name("Happy"), emotion_name("fru")
    ('happiness', 'frustration')
    >>> emotion_name("hunger")
    Traceback (most recent call last):
        ...
    ValueError: the emotion 'hunger' is not known
    """
    name = _OURS.get(spelling.strip().lower())
    if name is None:
        raise ValueError(f"the emotion '{spelling.strip()}' is not known")
    return name


def emotion_names(spellings: Sequence[str]) -> tuple[str, ...]:
    """Our names of several emotions, in their order."""
    return tuple(emotion_name(spelling) for spelling in spellings)
