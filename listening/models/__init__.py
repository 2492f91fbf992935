"""Data, constraints, and what one row decides."""

from listening.models.alert import Alert
from listening.models.corpus import Corpus, SourceClip
from listening.models.exclusion import Exclusion
from listening.models.job import Job
from listening.models.log import Event
from listening.models.login_session import LoginSession
from listening.models.participant import Participant
from listening.models.rating import AppendOnlyError, Rating
from listening.models.recruitment import AuditEntry, Bonus, Recruitment, Submission, WebhookEvent
from listening.models.sandbox import Sandbox
from listening.models.score import ConditionResult, StimulusScore
from listening.models.screening import ScreeningResult
from listening.models.session import Session, TicketOver, Trial
from listening.models.stimulus import Stimulus
from listening.models.study import Plan, PlanTrial, Study, StudyStimulus

__all__ = [
    "Alert",
    "AppendOnlyError",
    "AuditEntry",
    "Bonus",
    "ConditionResult",
    "Corpus",
    "Event",
    "Exclusion",
    "Job",
    "LoginSession",
    "Participant",
    "Plan",
    "PlanTrial",
    "Rating",
    "Recruitment",
    "Sandbox",
    "ScreeningResult",
    "Session",
    "SourceClip",
    "Stimulus",
    "StimulusScore",
    "Study",
    "StudyStimulus",
    "Submission",
    "TicketOver",
    "Trial",
    "WebhookEvent",
]
