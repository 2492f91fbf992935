"""The admin's other pages: lists that stay quick, rows that nobody can touch, files that only staff may fetch."""

import pytest
from django.urls import reverse

from listening.admin.base import BoundedPaginator
from listening.models import Event, Job, Participant, Rating, Session, Stimulus
from listening.services.reports import report_directory
from listening.services.sizing import study_size
from listening.templatetags.rates import kbps, khz
from tests.unit.listening.raters import Rater

LISTS = ["study", "corpus", "sourceclip", "stimulus", "job", "session", "rating", "participant", "event"]
RECORDS = [Rating, Session, Participant, Event, Stimulus, Job]


@pytest.fixture
def rated(study):
    for _ in range(2):
        Rater(study).arrive().finish()
    return study


@pytest.mark.parametrize("name", LISTS)
def test_a_list_shows_any_number_of_rows_with_few_queries(admin_client, rated, name, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        assert admin_client.get(f"/admin/listening/{name}/").status_code == 200


def test_the_overview_and_the_study_page_ask_few_questions(admin_client, rated, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        assert "manage.py" not in admin_client.get("/admin/").content.decode()
    with django_assert_max_num_queries(40):
        admin_client.get(reverse("admin:listening_study_change", args=[rated.pk]))


def test_the_overview_leads_a_newcomer_through_the_steps(admin_client, db):
    page = admin_client.get("/admin/").content.decode()
    assert "From a folder of speech to a report" in page
    assert "manage.py import_corpus" in page


@pytest.mark.parametrize("model", RECORDS, ids=lambda model: model.__name__)
def test_what_happened_can_be_seen_but_not_added_changed_or_deleted(admin_client, rated, model):
    row = model.objects.first()
    base = f"/admin/listening/{model._meta.model_name}/"
    assert admin_client.get(f"{base}{row.pk}/change/").status_code == 200
    assert admin_client.get(f"{base}add/").status_code == 403
    before = model.objects.values().get(pk=row.pk)
    admin_client.post(f"{base}{row.pk}/change/", {"value": 1, "state": "expired", "kind": "x", "simulated": ""})
    assert admin_client.post(f"{base}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(base, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert model.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize(
    "query",
    [
        "rating/?study=1&scale=ovrl&condition=original",
        "rating/?session=1",
        "rating/?study=x&session=x",
        "stimulus/?condition=opus-6kbps&status__exact=ready",
        "stimulus/?study=999",
        "job/?condition=opus-6kbps",
        "session/?study=1&state__exact=completed",
        "sourceclip/?q=anger",
    ],
)
def test_lists_are_narrowed_by_links(admin_client, rated, query):
    assert admin_client.get(f"/admin/listening/{query}").status_code == 200


def test_simulated_ratings_are_marked_in_the_list(admin_client, rated):
    assert "simulated" in admin_client.get("/admin/listening/rating/").content.decode().lower()


def test_the_corpus_page_counts_its_clips_and_lists_what_was_left_out(admin_client, corpus):
    corpus.left_out = [{"path": "/speech/broken.wav", "reason": "It is silent."}]
    corpus.save()
    page = admin_client.get(f"/admin/listening/corpus/{corpus.pk}/change/").content.decode()
    assert "/speech/broken.wav" in page and "It is silent." in page
    assert "anger" in page


def test_a_long_table_is_not_counted_to_its_end(rated, monkeypatch):
    monkeypatch.setattr(BoundedPaginator, "LIMIT", 5)
    assert BoundedPaginator(Rating.objects.all(), 50).count == 5


def test_the_report_is_written_and_opened_from_the_study_page(admin_client, rated):
    admin_client.post(reverse("admin:listening_study_do", args=[rated.pk, "report"]))
    report = admin_client.get(reverse("study-report", args=[rated.slug]))
    assert report.status_code == 200
    assert report["Content-Type"] == "text/html; charset=utf-8"
    assert b"</html>" in report.getvalue()
    assert b"ci_low" in admin_client.get(reverse("study-report-file", args=[rated.slug, "mos.csv"])).getvalue()


def test_a_study_without_ratings_has_no_report_and_says_so(admin_client, study):
    response = admin_client.post(reverse("admin:listening_study_do", args=[study.pk, "report"]), follow=True)
    assert "no ratings yet" in " ".join(map(str, response.context["messages"]))
    assert admin_client.get(reverse("study-report", args=[study.slug])).status_code == 404


@pytest.mark.parametrize(
    "name", ["../secret.txt", "..%2fsecret.txt", "sub/../../secret.txt", "/etc/passwd", "link.txt", "", "a%00b"]
)
def test_the_report_view_serves_nothing_outside_its_directory(admin_client, draft, name):
    directory = report_directory(draft)
    directory.mkdir(parents=True)
    secret = directory.parent / "secret.txt"
    secret.write_text("secret")
    (directory / "link.txt").symlink_to(secret)
    assert admin_client.get(f"/studies/{draft.slug}/report/{name}").status_code == 404


def test_reports_and_audio_are_for_staff(client, study, django_user_model):
    stimulus = Stimulus.objects.filter(status="ready").first()
    urls = [
        reverse("study-report", args=[study.slug]),
        reverse("stimulus-audio", args=[stimulus.pk]),
        reverse("clip-audio", args=[stimulus.source_clip_id]),
    ]
    for url in urls:
        assert client.get(url).url.startswith("/admin/login/")
    client.force_login(django_user_model.objects.create_user("visitor"))
    for url in urls:
        assert client.get(url).url.startswith("/admin/login/")


def test_staff_hear_stimuli_and_originals_with_ranges(admin_client, study):
    stimulus = Stimulus.objects.filter(status="ready").first()
    heard = admin_client.get(reverse("stimulus-audio", args=[stimulus.pk]))
    assert heard.getvalue()[:4] == b"fLaC"
    part = admin_client.get(reverse("clip-audio", args=[stimulus.source_clip_id]), headers={"Range": "bytes=0-3"})
    assert part.status_code == 206 and len(part.content) == 4


def test_the_size_that_is_told_beforehand_is_the_size_that_is_drawn(study):
    size = study_size(study)
    assert size.sessions == study.plans.count()
    assert size.trials == sum(plan.trials.count() for plan in study.plans.all())
    assert size.minutes > 3


def test_rates_are_written_as_people_write_them():
    assert [kbps(9200), kbps(24000), kbps(5987.4), kbps(None)] == ["9.2 kbit/s", "24 kbit/s", "5.99 kbit/s", ""]
    assert [khz(44100), khz(16000)] == ["44.1 kHz", "16 kHz"]


def test_a_person_can_log_in_with_a_browser_that_sends_no_foreign_referrer(client, admin_user):
    # With the policy "no-referrer" browsers send `Origin: null`, and Django would refuse every form of the admin.
    assert client.get("/admin/login/")["Referrer-Policy"] == "same-origin"
    client.post("/admin/login/", {"username": "admin", "password": "password"})
    assert client.get("/admin/").status_code == 200
