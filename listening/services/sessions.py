"""Bring raters in, give each a plan, lead them from step to step, and free the plans of those who left."""

from datetime import timedelta

import numpy as np
from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from listening.models import Event, Exclusion, Participant, PlanTrial, Session, Stimulus, Study, StudyStimulus, Trial
from listening.prolific import Link
from listening.services.asking import REFERENCE, needs_reference
from listening.services.balance import free_plans, without_sessions
from listening.services.checks import first_state
from listening.services.errors import ServiceError

PREVIEW_TRIALS = 5

_SIMULATION = signing.Signer(salt="listening.simulated")


class JoinRefused(ServiceError):
    """Somebody may not take part now; ``hint`` says what they can do about it."""

    def __init__(self, title: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.title = title
        self.hint = hint


def simulation_mark(participant_id: str) -> str:
    """What a simulated rater adds to its link. Only this installation can make it, so nobody is marked simulated by accident."""
    return _SIMULATION.signature(participant_id)


def plain_link(study: Study, visitor: str) -> Link:
    """The link of somebody who comes without Prolific: a visitor is known within one study only."""
    return Link(f"{study.slug}/{visitor}", "", "")


def join(study: Study, link: Link, user_agent: str = "", mark: str = "") -> Session:
    """The session of whoever comes by this link: a new one, or theirs from before. Raises JoinRefused."""
    simulated = bool(mark) and constant_time_compare(mark, simulation_mark(link.participant_id))
    participant = Participant.objects.get_or_add(link.participant_id, simulated)
    session = Session.objects.filter(study=study, participant=participant).first()
    if session is None:
        # Nobody's time is spent on a sandbox.
        if study.status != Study.Status.OPEN or (not participant.simulated and study.is_sandbox):
            raise _not_open(study)
        session = _begin(study, participant, link, user_agent)
    elif session.prolific_session_id != link.submission_id:
        _rejoin_with_new_submission(session, link)
    if session.state == Session.State.EXPIRED:
        revive(session)
    return session


def _begin(study: Study, participant: Participant, link: Link, user_agent: str) -> Session:
    # Nobody is asked to read and agree only to hear that there is no place.
    is_place = free_plans(study).exists() or (expire_sessions(study) > 0 and free_plans(study).exists())
    state = Session.State.CONSENT if is_place else Session.State.SCREENED_OUT
    try:
        with transaction.atomic():
            return Session.objects.create(
                study=study,
                participant=participant,
                state=state,
                prolific_study_id=link.study_id,
                prolific_session_id=link.submission_id,
                user_agent=user_agent[:300],
                lease_expires_at=_lease(study),
            )
    except IntegrityError:
        # The same person opened the link twice at once; the other request made the session.
        return Session.objects.get(study=study, participant=participant)


def _rejoin_with_new_submission(session: Session, link: Link) -> None:
    if not session.is_active and session.state != Session.State.EXPIRED:
        raise JoinRefused(
            _("You have taken part already"),
            _(
                "Our records show that you have finished this study under another submission, and each person can take part once."
            ),
            _("Please return this submission on Prolific. If you believe this is a mistake, message us there."),
        )
    Event.objects.create(
        study=session.study,
        session=session,
        kind="new_submission",
        data={"old": session.prolific_session_id, "new": link.submission_id},
    )
    session.prolific_study_id, session.prolific_session_id = link.study_id, link.submission_id
    session.save(update_fields=["prolific_study_id", "prolific_session_id"])


def _not_open(study: Study) -> JoinRefused:
    if study.status == Study.Status.CLOSED:
        return JoinRefused(
            _("This study is closed"),
            _("The study has all the answers it needs."),
            _("Please return your submission on Prolific."),
        )
    return JoinRefused(
        _("This study is not open yet"), _("The researchers are still preparing it."), _("Please try the link again later.")
    )


def _lease(study: Study):
    return timezone.now() + timedelta(minutes=study.lease_minutes)


def give_consent(session: Session, stratum: str) -> None:
    """Note the consent and give the session a plan of the rater's stratum; without a free one it is screened out."""
    if session.state != Session.State.CONSENT:
        return
    expire_sessions(session.study)
    session.stratum = stratum
    session.consented_at, session.consent_version = timezone.now(), session.study.consent_version
    if not _claim_plan(session):
        session.state = Session.State.SCREENED_OUT
        session.save(update_fields=["stratum", "consented_at", "consent_version", "state"])


def _claim_plan(session: Session) -> bool:
    """Give the session the first free plan of its stratum. The database's constraint decides races; losers try the next.

    Plans that somebody fell silent on are given last: they may come back, and after a leap of the clock all of them do.
    A session whose ratings will not be used hears what the plan holds, but does not keep it from others.
    """
    while True:
        free = free_plans(session.study).filter(stratum=session.stratum)
        try:
            with transaction.atomic():
                now = Session.objects.select_for_update(of=("self",)).get(pk=session.pk)
                if now.state != Session.State.CONSENT:
                    # The form came twice, and the other request was faster.
                    session.refresh_from_db()
                    return True
                if connection.features.has_select_for_update_skip_locked:
                    free = free.select_for_update(skip_locked=True, of=("self",))
                free = free.order_by("number")
                plan = without_sessions(free, session.study, [Session.State.EXPIRED]).first() or free.first()
                if plan is None:
                    return False
                session.plan = None if Exclusion.objects.filter(session=session).exists() else plan
                session.state = first_state(session.study)
                session.lease_expires_at = _lease(session.study)
                session.save(update_fields=["plan", "state", "stratum", "consented_at", "consent_version", "lease_expires_at"])
                Trial.objects.bulk_create(
                    [
                        Trial(session=session, position=t.position, stimulus_id=t.stimulus_id, role=t.role, expected=t.expected)
                        for t in plan.trials.order_by("position")
                    ]
                )
                return True
        except IntegrityError:
            session.plan, session.state = None, Session.State.CONSENT


def decline(session: Session) -> None:
    """The rater does not consent."""
    Session.objects.filter(pk=session.pk, state=Session.State.CONSENT).update(state=Session.State.DECLINED)


def cannot_play(session: Session) -> None:
    """The rater's device plays no sound: the session ends and frees its plan."""
    Session.objects.filter(pk=session.pk, state=Session.State.CHECK).update(state=Session.State.INCOMPATIBLE)


def expire_sessions(study: Study | None = None) -> int:
    """Free the plans of raters who have been silent for longer than their lease. Their answers are kept."""
    silent = Session.objects.filter(state__in=Session.ACTIVE, lease_expires_at__lt=timezone.now(), preview=False)
    if study is not None:
        silent = silent.filter(study=study)
    return silent.update(state=Session.State.EXPIRED)


def revive(session: Session) -> None:
    """Let somebody whose lease ran out go on, if their plan is still free. Raises JoinRefused if it went to somebody else."""
    if session.checked_at or (session.consented_at and not session.study.screening):
        state = Session.State.RATING
    else:
        state = Session.State.CHECK if session.consented_at else Session.State.CONSENT
    try:
        with transaction.atomic():
            session.state, session.lease_expires_at = state, _lease(session.study)
            session.save(update_fields=["state", "lease_expires_at"])
    except IntegrityError as error:
        session.state = Session.State.EXPIRED
        raise JoinRefused(
            _("Your place was given to somebody else"),
            _(
                "You were away for more than {minutes} minutes, so another person has taken your place. "
                "The answers you gave are kept."
            ).format(minutes=session.study.lease_minutes),
            _("Please return your submission on Prolific, or message us there if you had nearly finished."),
        ) from error


def preview(study: Study) -> Session:
    """A session for a researcher's look: the real pages with a few of the study's stimuli; its answers are not stored.

    Raises ServiceError while the study has no stimulus that is ready.
    """
    made = Stimulus.objects.filter(source_clip__in=study.clips.all(), status=Stimulus.Status.READY)
    ready = list(made.filter(condition__in=study.conditions).order_by("source_clip", "condition"))
    if needs_reference(study):
        originals = set(made.filter(condition=REFERENCE).values_list("source_clip", flat=True))
        ready = [s for s in ready if s.source_clip_id in originals]
    if not ready:
        raise ServiceError("The study has no stimulus that is ready; prepare its stimuli first.")
    rng = np.random.default_rng()
    chosen: dict[int, Stimulus] = {}
    for i in rng.permutation(len(ready)):
        chosen.setdefault(ready[i].source_clip_id, ready[i])
    with transaction.atomic():
        session = Session.objects.create(study=study, preview=True, lease_expires_at=_lease(study))
        trials = [Trial(stimulus=stimulus) for stimulus in list(chosen.values())[:PREVIEW_TRIALS]]
        # Practice comes first, and a gold clip and a trap after the first clip, as a frozen study's first plan has them.
        checks = PlanTrial.objects.filter(plan__study=study, plan__number=1).exclude(role="").order_by("position")
        extra = [Trial(stimulus_id=check.stimulus_id, role=check.role, expected=check.expected) for check in checks]
        practice = [trial for trial in extra if trial.role == StudyStimulus.Role.TRAINING]
        trials = [*practice, *trials[:1], *(trial for trial in extra if trial not in practice), *trials[1:]]
        for position, trial in enumerate(trials, start=1):
            trial.session, trial.position = session, position
        Trial.objects.bulk_create(trials)
    return session


def consent_to_preview(session: Session, stratum: str) -> None:
    """A preview's consent claims no plan."""
    session.stratum = stratum
    session.consented_at = timezone.now()
    session.state = first_state(session.study)
    session.save(update_fields=["stratum", "consented_at", "state"])
