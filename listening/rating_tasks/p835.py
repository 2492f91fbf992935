"""Tasks after ITU-T P.835."""

from analysis.scales import Scale
from listening.rating_tasks.base import CategoryTask, Screen


class P835(CategoryTask):
    """Speech signal and background, which of them first being the session's draw, then the whole; heard once for all."""

    key = "p835"
    title = "P.835 (SIG, BAK, OVRL), one listening"
    scale_keys = ("p835_sig", "p835_bak", "p835_ovrl")

    def asked(self, screen: Screen) -> list[Scale]:
        *parts, overall = self.scales
        return [*screen.shuffled("p835", parts), overall]


class P835Each(P835):
    """The same with a listening of its own before each of the three."""

    key = "p835-each"
    title = "P.835 (SIG, BAK, OVRL), a listening for each"
    listens_for_each = True


class EmoCodecQuality(CategoryTask):
    """The two quality questions of the Emo-Codec test: OVRL and SIG derived from P.835, in one listening, without BAK."""

    key = "emo-codec-quality"
    title = "Quality and distortion (P.835-derived OVRL and SIG)"
    scale_keys = ("ovrl", "sig")
