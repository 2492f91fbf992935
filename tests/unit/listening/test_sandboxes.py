"""A sandbox: a copy that simulated raters take through the real pages, and that goes without a trace in its original but the log."""

from datetime import timedelta

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from listening.frames import ratings_frame
from listening.models import (
    ConditionResult,
    Event,
    Participant,
    Plan,
    PlanTrial,
    Rating,
    Sandbox,
    ScreeningResult,
    Session,
    Study,
    Trial,
)
from listening.services import sandboxes
from listening.services.balance import usable_votes
from listening.services.by_hand import begin_by_hand
from listening.services.errors import ServiceError
from listening.services.leaderboard import change_visibility, visible_studies
from listening.services.operations import problems
from listening.services.reports import report_directory
from listening.services.sandboxes import discard_sandbox, interval_widths, make_sandbox, run_sandbox, work_sandboxes
from listening.services.simulated_browsers import InProcess
from listening.services.simulation import Hearing, draw_rater, take
from listening.services.stimuli import work
from listening.services.studies import close_study, open_study, queue_stimuli
from tests.unit.listening.raters import Rater

pytestmark = pytest.mark.usefixtures("without_pdf")

STEPS = ("capability", "volume", "tones", "huggins", "antiphase", "environment")


@pytest.fixture
def checked(draft):
    """The small draft with screening, practice, a gold clip and a trap in each session, and breaks; open."""
    draft.screening = [{"step": step} for step in STEPS]
    draft.gold_trials = draft.trap_trials = 1
    draft.training_trials, draft.break_every = 2, 2
    draft.resume_elsewhere = False
    draft.save()
    queue_stimuli(draft)
    work()
    open_study(draft)
    return draft


def rows_of(study) -> dict[str, list]:
    """Everything that hangs on a study, to see that none of it changes."""
    return {
        "study": list(Study.objects.filter(pk=study.pk).values()),
        "plans": list(Plan.objects.filter(study=study).values()),
        "trials": list(PlanTrial.objects.filter(plan__study=study).values()),
        "sessions": list(Session.objects.filter(study=study).values()),
        "answers": list(Trial.objects.filter(session__study=study).values()),
        "ratings": list(Rating.objects.filter(trial__session__study=study).values()),
        "roles": list(study.study_stimuli.values()),
    }


def test_simulated_raters_take_the_copy_through_screening_practice_gold_and_traps(checked):
    Rater(checked).arrive()
    before = rows_of(checked)
    copy = make_sandbox(checked, raters=40)
    assert [(p.number, p.stratum) for p in copy.plans.all()] == [(p.number, p.stratum) for p in checked.plans.all()]
    places = ("plan__number", "position", "stimulus", "role", "expected", "panel")
    assert list(PlanTrial.objects.filter(plan__study=copy).values_list(*places)) == list(
        PlanTrial.objects.filter(plan__study=checked).values_list(*places)
    )
    run_sandbox(copy)
    copy.refresh_from_db()
    assert copy.status == Study.Status.CLOSED and copy.sandbox.state == Sandbox.State.DONE
    states = set(copy.sessions.values_list("state", flat=True))
    assert states <= {"completed", "failed_check", "expired"} and "completed" in states
    steps = set(ScreeningResult.objects.filter(session__study=copy).values_list("step", flat=True))
    assert steps == {*STEPS, "gold", "trap"}
    # Nobody came once the copy was full, and every vote that counts was asked for.
    assert copy.sandbox.arrived == copy.sessions.count() < 40
    assert set(usable_votes(copy).values()) == {1}
    assert ratings_frame(copy)["simulated"].all()
    assert (report_directory(copy) / "report.html").is_file()
    assert interval_widths(copy) and all(0 <= w.median <= w.widest for w in interval_widths(copy))
    assert rows_of(checked) == before


def test_a_draft_is_tried_before_it_is_frozen(draft):
    with pytest.raises(ServiceError, match="not made yet"):
        make_sandbox(draft)
    assert not Sandbox.objects.exists() and Study.objects.count() == 1
    queue_stimuli(draft)
    work()
    copy = make_sandbox(draft, raters=3)
    draft.refresh_from_db()
    assert draft.is_editable and not draft.plans.exists()
    run_sandbox(copy)
    assert copy.sessions.count() == 3


def test_who_guesses_fails_the_screening_and_who_leaves_frees_the_place(checked):
    hearing, rng = Hearing(checked), np.random.default_rng(1)
    take(checked, draw_rater(rng, "female", careless=1.0), hearing, InProcess())
    assert checked.sessions.get().state == Session.State.FAILED_CHECK
    leaver = draw_rater(rng, "female", leaving=1.0)
    take(checked, leaver, hearing, InProcess())
    gone = checked.sessions.first()
    assert gone.state == Session.State.EXPIRED
    assert gone.trials.exclude(answered_at=None).count() == int((leaver.leaves_after or 0) * gone.trials.count())


def test_nobody_real_is_let_in_recruited_shown_or_missed(study, admin_user):
    copy = make_sandbox(study)
    assert copy.recruiter == Study.Recruiter.LINK and copy.title.startswith("Sandbox")
    person = Rater(copy, simulated=False)
    assert person.client.get(f"/s/{copy.slug}/?id=somebody").status_code == 403
    assert not copy.sessions.exists()
    with pytest.raises(ServiceError, match="is a sandbox"):
        begin_by_hand(copy, 100, 10, "GBP", "admin")
    with pytest.raises(ServiceError, match="never shown"):
        change_visibility(copy)
    assert copy not in visible_studies(staff=True)
    Study.objects.filter(pk=copy.pk).update(results_public=True, opened_at=timezone.now() - timedelta(days=1))
    assert copy not in visible_studies(staff=False, asked=copy.slug)
    assert copy in visible_studies(staff=True, asked=copy.slug)
    assert not [problem for problem in problems() if copy.slug in problem.key]
    with pytest.raises(ServiceError, match="is a sandbox already"):
        make_sandbox(copy)


def test_deleting_takes_everything_and_leaves_the_original_and_a_line_in_its_log(study):
    real = Rater(study).arrive().finish()
    before = rows_of(study)
    copy = make_sandbox(study, raters=3, who="anna")
    run_sandbox(copy)
    n_ratings = Rating.objects.filter(trial__session__study=copy).count()
    assert n_ratings and ConditionResult.objects.filter(study=copy).exists()
    directory = report_directory(copy)
    assert discard_sandbox(copy, who="anna") == {"sessions": 3, "ratings": n_ratings}
    assert not Study.objects.filter(slug=copy.slug).exists() and not Sandbox.objects.exists()
    assert list(Participant.objects.all()) == [real.session.participant]
    assert Session.objects.count() == 1 and set(Trial.objects.values_list("session", flat=True)) == {real.session.pk}
    assert not directory.exists()
    assert rows_of(study) == before
    line = Event.objects.filter(study=study, kind="sandbox deleted").get()
    assert line.data == {"sandbox": copy.slug, "by": "anna", "sessions": 3, "ratings": n_ratings}


def test_only_a_sandbox_is_ever_deleted(study):
    Rater(study).arrive().finish()
    before = rows_of(study)
    with pytest.raises(ServiceError, match="is no sandbox"):
        discard_sandbox(study)
    assert rows_of(study) == before


def test_a_worker_that_died_leaves_the_sandbox_to_the_next_which_goes_on(study):
    copy = make_sandbox(study, raters=3)
    assert work_sandboxes(budget_s=0.01) == 1
    # A worker that took it and fell silent: nobody else takes it before its lease ends.
    Sandbox.objects.update(lease_expires_at=timezone.now() + timedelta(minutes=1))
    assert work_sandboxes() == 0
    Sandbox.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    run_sandbox(copy)
    assert copy.sessions.count() == 3


def test_deleting_waits_for_a_worker_and_stops_its_raters(study, monkeypatch):
    copy = make_sandbox(study, raters=3)
    Sandbox.objects.update(state=Sandbox.State.RUNNING, lease_expires_at=timezone.now() + timedelta(minutes=1))
    monkeypatch.setattr(sandboxes, "WAIT_S", 0.2)
    with pytest.raises(ServiceError, match="still busy"):
        discard_sandbox(copy)
    Sandbox.objects.update(lease_expires_at=None)
    assert work_sandboxes() == 0 and not copy.sessions.exists()
    discard_sandbox(copy)
    assert not Study.objects.filter(pk=copy.pk).exists()


def test_what_goes_wrong_is_kept_in_a_sentence(study, settings):
    copy = make_sandbox(study, raters=1)
    settings.PUBLIC_URL = "http://not-one-of-the-allowed-hosts.example"
    with pytest.raises(ServiceError, match="GET /s/small-sandbox/ was answered with 400"):
        run_sandbox(copy)
    copy.sandbox.refresh_from_db()
    assert copy.sandbox.state == Sandbox.State.FAILED and "<" not in copy.sandbox.error


def test_what_nobody_foresaw_stops_the_sandbox_and_not_the_worker(study, monkeypatch):
    copy = make_sandbox(study, raters=1)
    monkeypatch.setattr(sandboxes, "write_study_report", lambda *_: 1 / 0)
    work_sandboxes()
    copy.sandbox.refresh_from_db()
    assert copy.sandbox.state == Sandbox.State.FAILED and "ZeroDivisionError" in copy.sandbox.error
    assert work_sandboxes() == 0


def test_a_sandbox_that_is_closed_by_hand_ends_with_what_there_is(study):
    copy = make_sandbox(study, raters=3)
    assert work_sandboxes(budget_s=0.01) == 1
    close_study(copy)
    run_sandbox(copy)
    copy.sandbox.refresh_from_db()
    assert copy.sandbox.state == Sandbox.State.DONE and copy.sessions.count() == 1


def test_the_command_makes_runs_and_deletes(study, capsys):
    call_command("sandbox", "small", raters=3)
    said = capsys.readouterr().out
    assert "small-sandbox: 3 simulated raters came." in said and "Completed" in said and "intervals of ±" in said
    call_command("sandbox", "small", "--queue")
    assert Sandbox.objects.get(study__slug="small-sandbox-2").state == Sandbox.State.QUEUED
    call_command("sandbox", "small-sandbox", "--delete")
    assert "small-sandbox is deleted: 3 sessions" in capsys.readouterr().out
    with pytest.raises(CommandError, match="1 to 1000"):
        call_command("sandbox", "small", raters=0)
