"""Where a session may go on."""

from django.test import Client

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
