"""The researcher's buttons around a sandbox."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from listening.models import Sandbox, Session, Study
from listening.services.sandboxes import make_sandbox, run_sandbox
from tests.unit.listening.test_admin_study import change_url, messages_of, text_of

pytestmark = pytest.mark.usefixtures("without_pdf")


def page_of(study: Study, page: str) -> str:
    return reverse(f"admin:listening_study_{page}", args=[study.pk])


def test_a_press_makes_a_sandbox_which_a_worker_fills_and_another_deletes(admin_client, study):
    assert "Simulate in a sandbox" in text_of(admin_client.get(change_url(study)))
    made = admin_client.post(page_of(study, "sandbox"), {"raters": "3"}, follow=True)
    copy = Study.objects.get(sandbox__original=study)
    assert made.redirect_chain[-1][0] == change_url(copy)
    page = text_of(made)
    assert "This is a sandbox." in page and "0 of at most 3 have come" in page
    assert "rater-link" not in page and "Recruit on Prolific" not in page and "Show to everybody" not in page
    assert not copy.sessions.exists(), "a request sends nobody"
    run_sandbox(copy)
    page = text_of(admin_client.get(change_url(copy)))
    assert "3 simulated raters came." in page and "95 % intervals" in page and "±" in page
    assert copy.slug in text_of(admin_client.get(change_url(study)))
    assert copy.slug not in text_of(admin_client.get("/admin/")).split('id="events"')[0]

    asked = text_of(admin_client.get(page_of(copy, "discard")))
    assert "Its 3 sessions" in asked and Sandbox.objects.exists()
    gone = admin_client.post(page_of(copy, "discard"), follow=True)
    assert gone.redirect_chain[-1][0] == change_url(study)
    assert "is deleted: 3 sessions" in messages_of(gone)
    assert not Sandbox.objects.exists() and not Session.objects.exists()
    assert [entry.change_message for entry in LogEntry.objects.order_by("pk")] == [
        f"Made the sandbox {copy}.",
        f"Deleted the sandbox {copy}.",
    ]
    line = study.events.filter(kind="sandbox deleted").get()
    assert line.data["by"] == "admin" and line.data["sessions"] == 3


@pytest.mark.parametrize(
    ("raters", "sentence"),
    [("", "is not a whole number"), ("many", "is not a whole number"), ("0", "1 to 1000"), ("5000", "1 to 1000")],
)
def test_a_wrong_number_of_raters_is_told_in_a_sentence(admin_client, study, raters, sentence):
    response = admin_client.post(page_of(study, "sandbox"), {"raters": raters}, follow=True)
    assert sentence in messages_of(response) and not Sandbox.objects.exists()


def test_who_may_only_look_makes_and_deletes_none(client, study, django_user_model):
    looker = django_user_model.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_study"))
    study.shared_with.add(looker)
    copy = make_sandbox(study, raters=1)
    client.force_login(looker)
    assert "not copy them" in messages_of(client.post(page_of(study, "sandbox"), {"raters": "3"}, follow=True))
    assert "not delete sandboxes" in messages_of(client.post(page_of(copy, "discard"), follow=True))
    assert Sandbox.objects.get().study == copy
    # A study that is no sandbox is never deleted, and one that is not theirs is not there.
    assert "is no sandbox" in messages_of(client.post(page_of(study, "discard"), follow=True))
    copy.shared_with.clear()
    assert client.post(page_of(copy, "discard")).status_code == 404
