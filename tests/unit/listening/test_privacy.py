"""Who took part is known only as long and to whom it must be."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from listening.frames import ratings_frame
from listening.models import Participant, Rating, Session
from listening.models.identity import IdentityError
from listening.services.privacy import forget_participants
from listening.services.studies import close_study
from tests.unit.listening.raters import Rater


def everything_stored() -> str:
    """All text of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        tables = [name for (name,) in cursor.fetchall()]
        return " ".join(str(cursor.execute(f'SELECT * FROM "{table}"').fetchall()) for table in tables)


def test_a_copy_of_the_database_names_nobody(study):
    rater = Rater(study).arrive().finish()
    assert rater.participant_id not in everything_stored()
    assert rater.session.participant.recruiter_id == rater.participant_id


def test_exports_and_admin_names_are_random(study):
    first, second = Rater(study).arrive().finish(), Rater(study).arrive()
    names = {first.session.participant.rater_id, second.session.participant.rater_id}
    assert len(names) == 2
    assert all(name[0] == "r" and len(name) == 11 for name in names)
    assert set(ratings_frame(study).rater_id) == {first.session.participant.rater_id}


def test_a_new_key_in_front_loses_nobody(study, settings):
    rater = Rater(study).arrive()
    settings.PARTICIPANT_KEYS = ["another", *settings.PARTICIPANT_KEYS]
    assert rater.open_link().redirect_chain[-1][0].endswith("/trial/")
    assert Participant.objects.count() == 1
    assert rater.session.participant.recruiter_id == rater.participant_id
    settings.PARTICIPANT_KEYS = ["another"]
    with pytest.raises(IdentityError, match="PARTICIPANT_KEYS"):
        _ = Participant.objects.get().recruiter_id


def test_what_was_agreed_to_is_kept_with_the_consent(study):
    assert Rater(study).arrive().session.consent_version == study.consent_version
    before = study.consent_version
    study.consent_text += " And more."
    assert study.consent_version != before


def test_withdrawing_erases_the_answers_and_the_person_and_frees_the_place(study):
    stays, leaves = Rater(study).arrive("male").finish(), Rater(study).arrive("male").finish()
    plan = leaves.session.plan
    session = leaves.session.pk
    out = StringIO()
    call_command("withdraw", leaves.participant_id, stdout=out)
    assert "9 ratings" in out.getvalue()
    assert set(Rating.objects.values_list("trial__session", flat=True)) == {stays.session.pk}
    gone = Session.objects.get(pk=session)
    assert (gone.state, gone.plan, gone.prolific_session_id, gone.user_agent) == ("withdrawn", None, "", "")
    assert gone.participant.recruiter_id == ""
    assert plan in [Rater(study).arrive("male").session.plan for _ in range(3)]
    with pytest.raises(CommandError, match="Nobody"):
        call_command("withdraw", leaves.participant_id)


def test_identities_are_erased_after_the_retention_period_of_closed_studies_and_answers_stay(study, settings):
    rater = Rater(study).arrive().finish()
    long_ago = timezone.now() - timedelta(days=400)
    Session.objects.update(created_at=long_ago)
    assert forget_participants(365) == 0, "the study is still open"
    close_study(study)
    assert forget_participants(500) == 0
    assert forget_participants(0) == 0
    assert forget_participants(365) == 1
    assert rater.participant_id not in everything_stored()
    assert Rating.objects.count() == 9
    assert Session.objects.get().prolific_session_id == ""
    assert forget_participants(365) == 0


def test_no_internet_address_is_stored(study):
    rater = Rater(study)
    rater.client.defaults["REMOTE_ADDR"] = "203.0.113.77"
    rater.arrive().finish()
    assert "203.0.113.77" not in everything_stored()
