"""Prolific without its API: files in, files out."""

from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from listening.models import Bonus, Recruitment, Session, Submission
from listening.services.by_hand import begin_by_hand, bonus_list, read_export
from listening.services.errors import ServiceError
from listening.services.payment import approve
from tests.unit.listening.raters import Rater

HEADER = (
    "Submission id,Participant id,Status,Custom study tncs accepted at,Started at,Completed at,Time taken,Completion code\n"
)


def export(*rows):
    lines = [
        f"{rater.submission_id},{rater.participant_id},{status},,2026-11-20T09:00:00Z,2026-11-20T09:10:00Z,{time},{code}\n"
        for rater, status, time, code in rows
    ]
    return (HEADER + "".join(lines)).encode()


@pytest.fixture
def recruitment(study):
    return begin_by_hand(study, 150, 10, "GBP", "researcher")


def test_an_export_links_submissions_to_sessions_and_frees_the_plans_of_those_who_left(study, recruitment):
    finished, gone = Rater(study).arrive().finish(), Rater(study).arrive("male")
    rows = ((finished, "AWAITING REVIEW", 600, study.completion_code), (gone, "RETURNED", "", ""))
    assert read_export(recruitment, export(*rows), "researcher") == 2
    row = Submission.objects.get(status="AWAITING REVIEW")
    assert (row.session, row.time_taken_s, row.decision) == (finished.session, 600, "pending")
    assert gone.session.state == Session.State.RELEASED
    assert read_export(recruitment, export(*rows), "researcher") == 2
    assert Submission.objects.count() == 2


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"a,b\n1,2\n", "no column 'submission id'"),
        ("é".encode("latin-1"), "not text in UTF-8"),
        ((HEADER + ",p,APPROVED,,,,,\n").encode(), "Line 2 of the file names no submission"),
        ((HEADER + "s1,p,APPROVED,,yesterday,,,\n").encode(), "“yesterday” is no time"),
        ((HEADER + "s1,p,APPROVED,,,,long,\n").encode(), "“long” is no time in seconds"),
    ],
)
def test_a_file_that_is_no_export_is_refused_whole(recruitment, data, sentence):
    with pytest.raises(ServiceError, match=sentence):
        read_export(recruitment, data, "researcher")
    assert not Submission.objects.exists()


def test_approvals_and_bonuses_leave_as_prolifics_lists(admin_client, study, recruitment):
    rater = Rater(study).arrive().finish()
    upload = SimpleUploadedFile("export.csv", export((rater, "AWAITING REVIEW", 600, study.completion_code)))
    admin_client.post(reverse("admin:listening_recruitment_export", args=[study.pk]), {"export": upload})
    row = Submission.objects.get()
    review = reverse("admin:listening_recruitment_review", args=[study.pk])
    body = {"submission": [row.pk], "key": str(uuid4())}
    admin_client.post(review, {**body, "action": "approve"})
    admin_client.post(review, {**body, "action": "bonus", "amount": "0.75", "bonus_reason": "Extra"})
    files = [
        admin_client.get(reverse("admin:listening_recruitment_file", args=[study.pk, kind])).content.decode()
        for kind in ("approvals", "bonuses")
    ]
    assert files == [f"{row.prolific_id}\n", f"{rater.participant_id},0.75\n"]
    admin_client.post(reverse("admin:listening_recruitment_export", args=[study.pk]), {"paid": "1"})
    assert Bonus.objects.get().state == Bonus.State.PAID
    paid = export((rater, "APPROVED", 600, study.completion_code))
    read_export(Recruitment.objects.get(), paid, "researcher")
    assert Submission.objects.get().decision_sent


def test_an_erased_participant_cannot_be_listed_for_a_bonus(study, recruitment):
    rater = Rater(study).arrive().finish()
    read_export(recruitment, export((rater, "AWAITING REVIEW", 600, "")), "researcher")
    row = Submission.objects.get()
    approve([row], "researcher")
    bonus = Bonus.objects.create(submission=row, amount_minor=10, reason="x", key=uuid4(), ordered_by="researcher")
    rater.session.participant.forget()
    with pytest.raises(ServiceError, match="submission id"):
        bonus_list([Bonus.objects.get(pk=bonus.pk)])
