"""How large a study is: what a researcher wants to know before anything is rendered."""

import math
from dataclasses import dataclass

from django.db.models import Avg

from listening.models import Corpus, Study
from listening.rating_tasks.registry import get_rating_task

# Rough shares of a rater's time, told beside the estimate. People answer a scale in four to eight seconds once they know it.
INTRODUCTION_S = 180
ANSWER_S = 6


@dataclass(frozen=True)
class StudySize:
    """The arithmetic of a study. ``minutes`` is for one session; it is 0 while the corpus has no clips."""

    clips: int
    conditions: int
    stimuli: int
    sessions_per_stratum: int
    sessions: int
    trials_per_session: int
    votes_per_stimulus: int
    trials: int
    minutes: int


def study_size(study: Study) -> StudySize:
    """The size of a study, saved or not. Sessions are counted as ``analysis.design.draw_plans`` draws them."""
    stimuli = study.n_clips * len(study.conditions)
    drawn = len(study.conditions) + study.second_panel
    trials_per_stratum = study.n_clips * drawn * study.votes_per_stratum
    longest = max(1, min(study.trials_per_session, study.n_clips))
    # Nobody hears a clip twice, so each of a clip's votes needs a session of its own.
    sessions = max(math.ceil(trials_per_stratum / longest), drawn * study.votes_per_stratum) if stimuli else 0
    duration = Corpus.objects.filter(pk=study.corpus_id).aggregate(mean=Avg("clips__duration_s"))["mean"]
    n_scales = sum(len(get_rating_task(key).scales) for key in study.rating_tasks)
    seconds = INTRODUCTION_S + longest * ((duration or 0) + ANSWER_S * n_scales)
    return StudySize(
        clips=study.n_clips,
        conditions=len(study.conditions),
        stimuli=stimuli,
        sessions_per_stratum=sessions,
        sessions=sessions * len(study.strata),
        trials_per_session=longest,
        votes_per_stimulus=study.votes_per_stratum * len(study.strata),
        trials=trials_per_stratum * len(study.strata),
        minutes=math.ceil(seconds / 60) if duration else 0,
    )
