"""Prolific without its API: read the submissions file that Prolific exports, write the lists that Prolific's pages take."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from listening import prolific
from listening.models import Bonus, Recruitment, Study, Submission
from listening.prolific.types import moment
from listening.services.balance import free_plans
from listening.services.errors import ServiceError
from listening.services.money import major
from listening.services.recruitment import note, refuse_sandbox
from listening.services.submissions import note_submission

#: Columns of Prolific's export that we read; it has more, and they are left alone.
SUBMISSION, PARTICIPANT, STATUS = "submission id", "participant id", "status"
LARGEST_FILE = 20_000_000
_LONGEST_S = 10 * 365 * 86_400
_LONGEST_STATUS, _LONGEST_CODE = 40, 64  # what the columns of a submission hold
_NEVER, _FIRST_YEAR, _LAST_YEAR = datetime.max, 2000, 2100


def begin_by_hand(study: Study, reward_minor: int, estimated_minutes: int, currency: str, who: str) -> Recruitment:
    """Note that a study is recruited on Prolific's own pages. Raises ServiceError."""
    refuse_sandbox(study)
    if study.status not in (Study.Status.FROZEN, Study.Status.OPEN, Study.Status.CLOSED):
        raise ServiceError(f"The study is {study.status}; freeze it first.")
    with transaction.atomic():
        fields = {
            "reward_minor": reward_minor,
            "estimated_minutes": estimated_minutes,
            "currency": currency,
            "places": free_plans(study).count(),
            "spending_cap_minor": 0,
        }
        recruitment, created = Recruitment.objects.get_or_create(study=study, defaults=fields)
        if not created:
            raise ServiceError("The study is being recruited already.")
        note(recruitment, who, "by hand", reward_minor=reward_minor)
    return recruitment


def read_export(recruitment: Recruitment, data: bytes, who: str) -> int:
    """Take in Prolific's submissions export (CSV) as if its rows had come by the API; return how many. All or nothing.

    Raises ServiceError naming the line that cannot be read.
    """
    if len(data) > LARGEST_FILE:
        raise ServiceError("The file is larger than 20 MB; that is no submissions export.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ServiceError(
            "The file is not text in UTF-8; export it from Prolific again and do not save it in between."
        ) from error
    if "\0" in text:
        raise ServiceError("The file holds zero bytes, which no text has; export it from Prolific again.")
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        return _read_rows(recruitment, reader, who)
    except csv.Error as error:
        raise ServiceError(f"Line {reader.line_num} of the file is no CSV ({error}).") from error


def _read_rows(recruitment: Recruitment, reader: "csv.DictReader[str]", who: str) -> int:
    columns = {(name or "").strip().casefold(): name for name in reader.fieldnames or ()}
    if missing := [name for name in (SUBMISSION, PARTICIPANT, STATUS) if name not in columns]:
        raise ServiceError(f"The file has no column {missing[0]!r}; is it Prolific's export of submissions?")
    with transaction.atomic():
        n = 0
        for row in reader:
            low = {name: (row.get(column) or "").strip() for name, column in columns.items()}
            note_submission(recruitment, _submission(recruitment, low, reader.line_num))
            n += 1
        note(recruitment, who, "export read", rows=n)
        recruitment.synced_at = timezone.now()
        recruitment.save(update_fields=["synced_at"])
    return n


def _submission(recruitment: Recruitment, row: dict[str, str], line: int) -> prolific.Submission:
    if not row[SUBMISSION] or len(row[SUBMISSION]) > 64:
        raise ServiceError(f"Line {line} of the file names no submission.")
    known = Submission.objects.filter(prolific_id=row[SUBMISSION]).exclude(recruitment=recruitment).first()
    if known:
        raise ServiceError(f"Line {line} of the file belongs to the study {known.recruitment.study}.")
    taken = row.get("time taken", "")
    try:
        time_taken_s = round(float(taken)) if taken else None
    except (ValueError, OverflowError):
        time_taken_s = -1
    if time_taken_s is not None and not 0 <= time_taken_s <= _LONGEST_S:
        raise ServiceError(f"Line {line} of the file: “{taken[:40]}” is no time in seconds.")
    status = row[STATUS].upper().replace("TIMED OUT", "TIMED-OUT")
    code = row.get("completion code", "")
    for value, longest in ((status, _LONGEST_STATUS), (code, _LONGEST_CODE)):
        if len(value) > longest:
            raise ServiceError(f"Line {line} of the file: “{value[:longest]}…” is too long.")
    return prolific.Submission(
        id=row[SUBMISSION],
        participant_id=row[PARTICIPANT],
        study_id=recruitment.prolific_study_id or "",
        status=status,
        started_at=_time(row.get("started at", ""), line),
        completed_at=_time(row.get("completed at", ""), line),
        study_code=code,
        time_taken_s=time_taken_s,
        return_requested=None,
        strata={},
        bonuses_minor=(),
        raw={},
    )


def _time(text: str, line: int) -> datetime | None:
    try:
        when = moment(text)
    except ValueError:
        when = _NEVER
    if when is not None and not _FIRST_YEAR <= when.year <= _LAST_YEAR:
        raise ServiceError(f"Line {line} of the file: “{text[:40]}” is no time.")
    return when


def approval_list(recruitment: Recruitment) -> str:
    """Ids of submissions that are approved here and not paid there, one per line, as Prolific's bulk approval takes them."""
    rows = recruitment.submissions.filter(decision=Submission.Decision.APPROVE, status="AWAITING REVIEW")
    return "".join(f"{row.prolific_id}\n" for row in rows)


def bonus_list(bonuses: Iterable[Bonus]) -> str:
    """Participant id and amount in whole units, one per line without a heading, as Prolific's bulk bonus payment takes it.

    Raises ServiceError where a participant's identity has been erased.
    """
    lines = []
    for bonus in bonuses:
        session = bonus.submission.session
        who = session.participant.recruiter_id if session and session.participant else ""
        if not who:
            raise ServiceError(f"We do not know any more whose {bonus.submission} is; pay it on Prolific by its submission id.")
        lines.append(f"{who},{major(bonus.amount_minor)}\n")
    return "".join(lines)


def mark_paid_by_hand(recruitment: Recruitment, who: str) -> int:
    """The researcher has paid every open bonus of a study without API on Prolific's pages; return how many."""
    if not recruitment.by_hand:
        raise ServiceError("This study's bonuses are paid through the API.")
    open_bonuses = Bonus.objects.filter(submission__recruitment=recruitment, state=Bonus.State.PLANNED)
    n = open_bonuses.update(state=Bonus.State.PAID, paid_at=timezone.now())
    note(recruitment, who, "bonuses paid by hand", n=n)
    return n
