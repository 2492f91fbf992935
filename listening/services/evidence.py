"""What speaks for and against a submission, gathered for the person who decides about pay. Use of the answers is another matter."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Q

from analysis.ratings.rest import rest_correlation
from listening.frames import ratings_frame
from listening.models import Event, Recruitment, Session, Submission
from listening.services.check_items import FAILED_ATTENTION_CHECK
from listening.services.checks import failed_steps

#: Prolific counts as exceptionally fast what lies this many standard deviations below the mean.
FAST_SD = 3.0
LEAST_AGREEMENT = 0.0
ENOUGH_TIMES = 5


@dataclass(frozen=True)
class Evidence:
    """One submission as the review table shows it. minutes is None until it was handed in; agreement is NaN-free: None if undefined."""

    submission: Submission
    rater: str
    state: str
    minutes: float | None
    usual_minutes: float | None
    too_fast: bool
    answered: int
    n_trials: int
    failed_screening: tuple[str, ...]
    failed_checks: int
    agreement: float | None
    excluded: tuple[str, ...]
    code: str
    notes: tuple[str, ...] = field(default=())
    advice: str = ""

    @property
    def complete(self) -> bool:
        return self.n_trials > 0 and self.answered == self.n_trials


def gather_evidence(recruitment: Recruitment) -> list[Evidence]:
    """Evidence for every submission of a recruitment, oldest first."""
    rows = list(
        recruitment.submissions.select_related("session__participant").annotate(
            n_trials=Count("session__trials"),
            n_answered=Count("session__trials", filter=Q(session__trials__answered_at__isnull=False)),
        )
    )
    times = [row.time_taken_s / 60 for row in rows if row.time_taken_s and row.n_trials and row.n_answered == row.n_trials]
    usual = statistics.median(times) if len(times) >= ENOUGH_TIMES else None
    fast = statistics.mean(times) - FAST_SD * statistics.stdev(times) if len(times) >= ENOUGH_TIMES else 0.0
    failed = dict(
        Event.objects.filter(study=recruitment.study, kind=FAILED_ATTENTION_CHECK)
        .order_by()
        .values_list("session")
        .annotate(Count("pk"))
    )
    screened = failed_steps(recruitment.study)
    ratings = ratings_frame(recruitment.study)
    agreement = rest_correlation(ratings[ratings["excluded"] == ""]) if len(ratings) else {}
    excluded = {str(rater): tuple(sorted(set(reasons) - {""})) for rater, reasons in ratings.groupby("rater_id")["excluded"]}
    return [_evidence(row, recruitment, usual, fast, failed, screened, agreement, excluded) for row in rows]


def _evidence(
    row: Submission,
    recruitment: Recruitment,
    usual: float | None,
    fast: float,
    failed: dict[int, int],
    screened: dict[int, tuple[str, ...]],
    agreement: dict[str, float],
    excluded: dict[str, tuple[str, ...]],
) -> Evidence:
    session = row.session
    rater = session.participant.rater_id if session and session.participant else ""
    minutes = row.time_taken_s / 60 if row.time_taken_s is not None else None
    facts = Evidence(
        submission=row,
        rater=rater,
        state=session.get_state_display() if session else "never arrived",
        minutes=minutes,
        usual_minutes=usual,
        too_fast=minutes is not None and minutes < fast,
        answered=row.n_answered,  # type: ignore[attr-defined]
        n_trials=row.n_trials,  # type: ignore[attr-defined]
        failed_screening=screened.get(session.pk, ()) if session else (),
        failed_checks=failed.get(session.pk, 0) if session else 0,
        agreement=agreement.get(rater),
        excluded=excluded.get(rater, ()),
        code=code_name(row, recruitment),
    )
    notes = tuple(_notes(facts))
    return Evidence(**{**vars(facts), "notes": notes, "advice": _advice(facts, recruitment)})


def code_name(row: Submission, recruitment: Recruitment) -> str:
    """Which of the study's codes was handed in, in words."""
    study = recruitment.study
    names = {
        "": "",
        study.completion_code: "completed",
        study.no_consent_code: "no consent",
        study.failed_check_code: "failed the screening",
        study.screened_out_code: "no place left, or not the group asked for",
        study.incompatible_device_code: "incompatible device",
        "NOCODE": "no code",
    }
    return names.get(row.study_code, "unknown code")


def _notes(facts: Evidence) -> list[str]:
    found = [facts.submission.mismatch] if facts.submission.mismatch else []
    if facts.too_fast:
        found.append("exceptionally fast: more than 3 SD below the mean")
    if facts.failed_checks:
        found.append(f"{facts.failed_checks} attention check{'s' if facts.failed_checks > 1 else ''} failed")
    if facts.agreement is not None and facts.agreement < LEAST_AGREEMENT:
        found.append("judges against the others")
    if facts.complete and facts.code not in ("completed", ""):
        found.append(f"every answer is here, though the code says “{facts.code}”")
    if not facts.complete and facts.code == "completed":
        found.append("the completion code was handed in, but answers are missing")
    if facts.submission.return_requested:
        found.append("was asked to return")
    return found


def failed_enough(failed: int, recruitment: Recruitment) -> bool:
    """Prolific's rule: one failed check is a ground in a study of less than five minutes, two in a longer one."""
    return failed >= (1 if recruitment.estimated_minutes < 5 else 2)


def _advice(facts: Evidence, recruitment: Recruitment) -> str:
    row = facts.submission
    if row.status == "TIMED-OUT" and facts.complete:
        return "pay as a bonus"
    if row.status != "AWAITING REVIEW" or row.decision != Submission.Decision.PENDING:
        return ""
    if row.mismatch or facts.too_fast or failed_enough(facts.failed_checks, recruitment):
        return "look closer"
    return "approve" if facts.complete else "ask to return"


def by_submission(evidence: Sequence[Evidence]) -> dict[int, Evidence]:
    """The evidence by the submission's key."""
    return {facts.submission.pk: facts for facts in evidence}


def is_complete(submission: Submission) -> bool:
    """Whether every answer of the submission is here."""
    return submission.session is not None and submission.session.state == Session.State.COMPLETED
