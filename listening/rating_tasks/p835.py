"""Tasks after ITU-T P.835."""

from listening.rating_tasks.base import CategoryTask


class EmoCodecQuality(CategoryTask):
    """The two quality questions of the Emo-Codec test: OVRL and SIG derived from P.835, in one listening, without BAK."""

    key = "emo-codec-quality"
    title = "Quality and distortion (P.835-derived OVRL and SIG)"
    scale_keys = ("ovrl", "sig")
