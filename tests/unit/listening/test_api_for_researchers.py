"""Progress, export and the API's own description."""

import io

import pandas as pd
import pytest
from django.contrib.auth import get_user_model
from drf_spectacular.validation import validate_schema
from rest_framework.authtoken.models import Token

from analysis.schema import validate_ratings
from listening.models import Session
from tests.unit.listening.raters import Rater


@pytest.fixture
def researcher(client, study):
    user = get_user_model().objects.create_user("researcher", is_staff=True)
    study.owner = user
    study.save(update_fields=["owner"])
    client.defaults["HTTP_AUTHORIZATION"] = f"Token {Token.objects.create(user=user).key}"
    return client


@pytest.mark.parametrize("address", ["progress", "ratings"])
def test_only_researchers_see_a_study(study, client, address):
    assert client.get(f"/api/v1/studies/{study.slug}/{address}/").status_code == 401
    user = get_user_model().objects.create_user("somebody")
    client.force_login(user)
    assert client.get(f"/api/v1/studies/{study.slug}/{address}/").status_code == 403


def test_progress_counts_stimuli_plans_sessions_and_ratings(study, researcher):
    Rater(study).arrive("female").finish()
    Rater(study).arrive("male")
    found = researcher.get(f"/api/v1/studies/{study.slug}/progress/").json()
    assert found["stimuli"] == {"ready": 12}
    assert found["sessions"] == {"completed": 1, "rating": 1}
    assert found["plans"]["female"] == {"all": 4, "completed": 1, "active": 0, "free": 3}
    assert found["plans"]["male"]["active"] == 1
    assert found["ratings"] == found["simulated_ratings"] == 9
    assert found["share_complete"] == 1 / 8
    assert researcher.get("/api/v1/studies/none/progress/").status_code == 404


def test_the_export_is_what_the_analysis_reads_and_says_what_must_not_be_used(study, researcher):
    whole = Rater(study).arrive("female").finish()
    broken_off = Rater(study).arrive("male")
    broken_off.hear(1)
    broken_off.rate(1)
    response = researcher.get(f"/api/v1/studies/{study.slug}/ratings/")
    frame = pd.read_csv(io.StringIO(response.content.decode()), keep_default_na=False, na_values={"value": ""})
    assert len(frame) == 12
    assert len(validate_ratings(frame)) >= 9
    excluded = frame.set_index("session_id").excluded.groupby(level=0).first()
    assert excluded[f"s{whole.session.pk:06d}"] == ""
    assert excluded[f"s{broken_off.session.pk:06d}"] == "session not completed"
    assert whole.participant_id not in response.content.decode(), "an export never names a Prolific id"


def test_votes_of_a_rater_whose_place_was_given_away_are_marked_as_surplus(study, researcher):
    rater = Rater(study).arrive("female")
    Session.objects.filter(pk=rater.session.pk).update(state=Session.State.EXPIRED)
    others = [Rater(study).arrive("female") for _ in range(study.plans.filter(stratum="female").count())]
    rater.finish()
    others[0].finish()
    frame = pd.read_csv(
        io.StringIO(researcher.get(f"/api/v1/studies/{study.slug}/ratings/").content.decode()), keep_default_na=False
    )
    assert rater.session.state == Session.State.COMPLETED
    assert study.completion_code in rater.client.get(f"{rater.base}done/").content.decode()
    assert set(frame[frame.session_id == f"s{rater.session.pk:06d}"].excluded) == {
        "surplus: the rater's place had gone to somebody else"
    }
    assert set(frame[frame.session_id == f"s{others[0].session.pk:06d}"].excluded) == {""}


def test_the_api_describes_itself_in_valid_openapi_without_a_warning(db, client, capsys):
    response = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert response.status_code == 200
    schema = response.json()
    validate_schema(schema)
    assert set(schema["paths"]) == {
        "/api/v1/sessions/{token}/",
        "/api/v1/sessions/{token}/trials/{position}/ratings/",
        "/api/v1/sessions/{token}/trials/{position}/skip/",
        "/api/v1/studies/{slug}/progress/",
        "/api/v1/studies/{slug}/ratings/",
    }
    assert "arning" not in capsys.readouterr().err


@pytest.mark.parametrize(("form", "name"), [("parquet", "ratings.parquet"), ("p808", "p808.csv"), ("sureal", "sureal.json")])
def test_the_export_comes_in_the_forms_of_other_tools(study, researcher, form, name):
    Rater(study).arrive("female").finish()
    response = researcher.get(f"/api/v1/studies/{study.slug}/ratings/?as={form}")
    assert response.status_code == 200 and response["Content-Disposition"].endswith(f'{name}"')
    assert researcher.get(f"/api/v1/studies/{study.slug}/ratings/?as=xlsx").json()["detail"].endswith("datapackage.")
