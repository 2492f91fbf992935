"""Category ratings: one of a few labelled integers."""

from listening.rating_tasks.base import CategoryTask


class Acr(CategoryTask):
    """Absolute category rating of overall quality (ITU-T P.800, P.808)."""

    key = "acr"
    title = "Overall quality (ACR)"
    scale_keys = ("quality",)
