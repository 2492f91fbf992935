"""Which clips of a corpus a study may draw from."""

import pandas as pd

from analysis.corpora import CorpusError
from analysis.corpora.selection import parse_selection, select_clips
from listening.models import SourceClip, Study
from listening.services.errors import ServiceError

COLUMNS = ("pk", "speaker", "sex", "emotion", "votes", "duration_s")


def eligible_clips(study: Study) -> list[SourceClip]:
    """The corpus's clips that the study's selection lets in, by clip id. Raises ServiceError for a selection that makes no sense."""
    clips = list(study.corpus.clips.order_by("clip_id"))
    if not study.clip_selection:
        return clips
    frame = pd.DataFrame([[getattr(clip, name) for name in COLUMNS] for clip in clips], columns=list(COLUMNS))
    try:
        chosen = select_clips(frame, parse_selection(study.clip_selection))
    except CorpusError as error:
        raise ServiceError(f"Clips taken: {error}") from error
    return [clip for clip, taken in zip(clips, chosen, strict=True) if taken]
