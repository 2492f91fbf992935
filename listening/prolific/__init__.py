"""Prolific, as plain values: its links, its signed tokens, its REST API and its webhooks. No ORM, no Django."""

from listening.prolific.client import ProlificClient
from listening.prolific.errors import ProlificError, ProlificUncertain
from listening.prolific.link import PLACEHOLDERS, Link, LinkError, PreviewLinkError, completion_url
from listening.prolific.tokens import StudyKeys, verify_study_token
from listening.prolific.types import (
    Account,
    Balance,
    BonusBatch,
    Cost,
    Filter,
    Hook,
    ParticipantGroup,
    Project,
    RemoteStudy,
    RewardRecommendation,
    StudyDraft,
    Submission,
    Workspace,
)
from listening.prolific.webhooks import Event, WebhookError

__all__ = [
    "PLACEHOLDERS",
    "Account",
    "Balance",
    "BonusBatch",
    "Cost",
    "Event",
    "Filter",
    "Hook",
    "Link",
    "LinkError",
    "ParticipantGroup",
    "PreviewLinkError",
    "Project",
    "ProlificClient",
    "ProlificError",
    "ProlificUncertain",
    "RemoteStudy",
    "RewardRecommendation",
    "StudyDraft",
    "StudyKeys",
    "Submission",
    "WebhookError",
    "Workspace",
    "completion_url",
    "verify_study_token",
]
