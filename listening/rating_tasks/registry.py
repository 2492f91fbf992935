"""The rating tasks, by key."""

from django.utils.module_loading import import_string

from listening.rating_tasks.base import RatingTask

RATING_TASKS = {
    "acr": "listening.rating_tasks.category.Acr",
    "dcr": "listening.rating_tasks.category.Dcr",
    "ccr": "listening.rating_tasks.category.Ccr",
    "p835": "listening.rating_tasks.p835.P835",
    "p835-each": "listening.rating_tasks.p835.P835Each",
    "emo-codec-quality": "listening.rating_tasks.p835.EmoCodecQuality",
    "emotion": "listening.rating_tasks.emotion.Emotion",
    "emotion-or-other": "listening.rating_tasks.emotion.EmotionOrOther",
    "intensity": "listening.rating_tasks.emotion.Intensity",
    "dimensions": "listening.rating_tasks.emotion.Dimensions",
}


def get_rating_task(key: str) -> RatingTask:
    """The rating task of a key. Raises KeyError with the keys there are."""
    if key not in RATING_TASKS:
        raise KeyError(f"There is no rating task {key!r}; there are {', '.join(RATING_TASKS)}.")
    task: RatingTask = import_string(RATING_TASKS[key])()
    return task
