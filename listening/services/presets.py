"""Studies that can be set up by name."""

from types import MappingProxyType
from typing import Any

_INSTRUCTIONS = """You will hear short recordings of speech. Some have been sent through a speech codec, as in a phone call, \
and may sound changed.

For each recording, listen to the end and then answer three questions: which emotion or emotions you hear in the voice, how good the \
speech is for everyday communication, and how distorted it sounds. There are no right answers; we want your own impression.

Please use headphones, sit in a quiet room, and leave your volume as it is once you have set it."""

_CONSENT = """Taking part is voluntary. You may stop at any time by closing the page.

We store your answers, the time you took, and technical details of your browser and audio output. We store the id you came with, \
encrypted, only to keep your answers together and to pay you; it is never published. You may withdraw at any time, and your \
answers are erased. The anonymous answers may be published for research.

By going on you confirm that you are 18 or older, that you hear normally on both ears, and that you agree to take part."""

#: name -> fields of a study. Each keeps what the paper says; where the paper is silent, the value is ours.
PRESETS: MappingProxyType[str, dict[str, Any]] = MappingProxyType(
    {
        "emo-codec": {
            "title": "How does this voice sound?",
            "conditions": [
                "original",
                "opus-6kbps",
                "opus-24kbps",
                "encodec-24k-6kbps",
                "encodec-24k-24kbps",
                "dac-16k-6kbps",
                "dac-24k-24kbps",
            ],
            "rating_tasks": ["emotion", "emo-codec-quality"],
            "n_clips": 45,
            "strata": ["female", "male"],
            "votes_per_stratum": 5,
            "trials_per_session": 45,
            "instructions": _INSTRUCTIONS,
            "consent_text": _CONSENT,
        },
    }
)
