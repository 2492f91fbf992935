"""The one gain policy of stimuli.

Every stimulus, the original included, ends at the same active level (`analysis.active_level`). Original and decoded signal are
measured alike; what they differ by is the codec's own gain, undone with the same multiplication.
"""

from dataclasses import dataclass
from math import isfinite

TARGET_DBOV = -26.0  # active level of every stimulus

POLICY = {"method": "ITU-T P.56", "target_dbov": TARGET_DBOV, "measured_at_hz": 48_000, "bits": 16, "over_range": "hard limit"}


@dataclass(frozen=True)
class Gain:
    """``codec_db``: what the codec had added and what is taken back; ``level_db``: what the clip gets in every condition."""

    codec_db: float
    level_db: float

    @property
    def db(self) -> float:
        """Both in one."""
        return self.level_db - self.codec_db

    @property
    def factor(self) -> float:
        """The one multiplication that does both."""
        return float(10 ** (self.db / 20))


def match_levels(original_db: float, decoded_db: float) -> Gain:
    """Split the gains to the target of an original and of its decoded signal; one that could not be read asks for no change.

    >>> match_levels(4.0, 7.0)
    Gain(codec_db=-3.0, level_db=4.0)
    """
    if not isfinite(original_db):
        return Gain(0.0, 0.0)
    return Gain(original_db - decoded_db if isfinite(decoded_db) else 0.0, original_db)
