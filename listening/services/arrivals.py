"""Somebody comes by a Prolific link: is the link signed as it should be, and is the submission theirs?"""

from collections.abc import Mapping
from functools import cache

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from listening.models import Recruitment, Session, Study
from listening.prolific import ProlificError, StudyKeys, verify_study_token
from listening.services.errors import ServiceError
from listening.services.recruitment import connect
from listening.services.submissions import note_submission


@cache
def _keys(base_url: str) -> StudyKeys:
    return StudyKeys(f"{base_url}/.well-known/study/jwks.json")


def check_signed_link(study: Study, query: Mapping[str, str]) -> None:
    """Where the study is recruited with signed links, the link's token must be Prolific's and fit the link. Raises LinkError."""
    if Recruitment.objects.filter(study=study, secure=True).exists():
        verify_study_token(
            query.get("prolific_token", ""),
            _keys(settings.PROLIFIC_BASE_URL),
            audience=settings.PUBLIC_URL,
            query=query,
            now=timezone.now(),
        )


def note_arrival(session: Session) -> None:
    """Read the rater's submission back and see that it is theirs. Raises ServiceError when it is not.

    While Prolific does not answer, the rater goes on: the submission is read with the next poll, and compared then.
    """
    recruitment = Recruitment.objects.filter(study=session.study_id).select_related("study").first()
    if recruitment is None or recruitment.by_hand or not settings.PROLIFIC_TOKEN:
        return
    if (
        session.participant is None
        or session.participant.simulated
        or session.prolific_study_id != recruitment.prolific_study_id
    ):
        return
    try:
        with connect(attempts=1, timeout_s=4) as client:
            row = note_submission(recruitment, client.submission(session.prolific_session_id))
    except ProlificError:
        return
    if row.mismatch:
        raise ServiceError(_("Prolific says that this submission belongs to somebody else."))
