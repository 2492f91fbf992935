"""Where a session may go on."""

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from listening.models import Session
from tests.unit.listening.raters import Rater


def test_a_session_goes_on_on_another_device_unless_the_study_ties_it_to_one(study):
    free, tied = Rater(study).arrive(), Rater(study)
    assert Client().get(f"{free.base}trial/").status_code == 200
    assert not free.client.cookies

    study.resume_elsewhere = False
    study.save()
    tied.arrive()
    assert tied.client.get(f"{tied.base}trial/").status_code == 200
    elsewhere = Client().get(f"{tied.base}trial/")
    assert elsewhere.status_code == 403
    assert "go on where you began" in elsewhere.content.decode()
    tied.hear(1)
    assert tied.rate(1).status_code == 201


def test_the_place_of_somebody_who_fell_silent_is_the_last_to_be_given_away(study):
    silent = Rater(study).arrive("male")
    plan, places = silent.session.plan, study.plans.filter(stratum="male").count()
    assert places > 2
    Session.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    others = [Rater(study).arrive("male") for _ in range(places - 1)]
    assert plan not in [other.session.plan for other in others]
    silent.hear(1)
    assert silent.rate(1).status_code == 201
    assert silent.open_link().redirect_chain[-1][0].endswith("/trial/"), "it was kept"
    Session.objects.filter(pk=silent.session.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    assert Rater(study).arrive("male").session.plan == plan
