"""Category ratings of one clip, or of a clip against its original (ITU-T P.800, P.808)."""

from listening.rating_tasks.base import CategoryTask, Screen


class Acr(CategoryTask):
    """Absolute category rating of overall quality."""

    key = "acr"
    title = "Overall quality (ACR)"
    scale_keys = ("quality",)


class Dcr(CategoryTask):
    """Degradation category rating: the original, known as such, then the stimulus."""

    key = "dcr"
    title = "Degradation against the original (DCR)"
    scale_keys = ("dcr",)
    reference = "first"


class Ccr(CategoryTask):
    """Comparison category rating: original and stimulus in either order, and the second is compared to the first.

    The stored value is that of the stimulus against the original: -3 much worse to 3 much better.
    """

    key = "ccr"
    title = "Comparison with the original, order hidden (CCR)"
    template = "rating_tasks/comparison.html"
    scale_keys = ("ccr",)
    reference = "drawn"

    def stored(self, answer: int, screen: Screen) -> int:
        return answer if screen.reference_first else -answer
