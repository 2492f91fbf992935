"""What staff did stays written down, for superusers to read."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from listening.models import AuditEntry
from listening.services.by_hand import begin_by_hand


def test_taking_data_out_is_noted_with_who_and_what(study, admin_user, admin_client):
    key = Token.objects.create(user=admin_user).key
    url = f"/api/v1/studies/{study.slug}/ratings/"
    assert Client().get(url, {"as": "nonsense"}, headers={"Authorization": f"Token {key}"}).status_code == 400
    assert not LogEntry.objects.exists()
    assert Client().get(url, headers={"Authorization": f"Token {key}"}).status_code == 200
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (admin_user, str(study.pk), "Exported the ratings as tidy.")
    assert "Exported the ratings as tidy." in admin_client.get(f"/admin/listening/study/{study.pk}/history/").text
    begin_by_hand(study, 150, 10, "GBP", "researcher")
    admin_client.get(f"/admin/listening/recruitment/study/{study.pk}/files/bonuses.csv")
    noted = AuditEntry.objects.filter(what="list written").get()
    assert (noted.who, noted.data) == ("admin", {"kind": "bonuses"})


def test_what_is_done_to_accounts_is_noted(admin_client, admin_user):
    form = {"username": "eve", "usable_password": "true", "password1": "seven grey geese", "password2": "seven grey geese"}
    admin_client.post("/admin/auth/user/add/", form)
    eve = User.objects.get(username="eve")
    admin_client.post("/admin/authtoken/tokenproxy/add/", {"user": eve.pk})
    admin_client.post(f"/admin/auth/user/{eve.pk}/delete/", {"post": "yes"})
    done = LogEntry.objects.filter(user=admin_user).order_by("pk")
    assert [entry.action_flag for entry in done][:2] == [1, 1] and done.last().action_flag == 3
    page = admin_client.get("/admin/admin/logentry/").text
    assert page.count("eve") >= 2


@pytest.mark.parametrize("change", ["change", "delete"])
def test_the_log_is_read_by_superusers_and_changed_by_nobody(admin_client, admin_user, client, change):
    entry = LogEntry.objects.log_actions(admin_user.pk, [admin_user], 2, "Did something.", single_object=True)
    eve = User.objects.create_user("eve", password="seven grey geese", is_staff=True)
    client.force_login(eve)
    assert client.get("/admin/admin/logentry/").status_code == 403
    answer = admin_client.post(f"/admin/admin/logentry/{entry.pk}/{change}/", {"post": "yes", "change_message": "Nothing."})
    assert answer.status_code == 403
    assert LogEntry.objects.get(pk=entry.pk).change_message == "Did something."
