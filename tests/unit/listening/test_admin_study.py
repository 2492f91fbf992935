"""Setting up and running a study in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from listening.models import Event, Job, Stimulus, Study
from listening.services.presets import PRESETS
from listening.services.stimuli import work
from listening.services.studies import close_study, queue_stimuli
from tests.unit.listening.raters import Rater

ADD = "/admin/listening/study/add/"


def change_url(study: Study) -> str:
    return reverse("admin:listening_study_change", args=[study.pk])


def do_url(study: Study, verb: str) -> str:
    return reverse("admin:listening_study_do", args=[study.pk, verb])


def text_of(response) -> str:
    return response.content.decode()


def messages_of(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def form_data(response, **changes):
    """What a browser would send from a study's form as it stands, with changes."""
    form = response.context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    return {**{name: value for name, value in values.items() if value is not None and value is not False}, **changes}


@pytest.fixture
def preset_form(admin_client, corpus):
    return admin_client.get(ADD, {"preset": "emo-codec", "corpus": corpus.pk})


def test_a_new_study_begins_with_a_corpus_and_a_preset(admin_client, corpus):
    page = text_of(admin_client.get(ADD))
    assert "synthetic · 8 clips" in page
    assert "Preset emo-codec" in page and "By hand" in page


def test_without_a_corpus_the_page_says_how_to_import_one(admin_client, db):
    assert "manage.py import_corpus" in text_of(admin_client.get(ADD))


def test_a_preset_fills_the_form_and_fits_the_corpus(preset_form, corpus):
    form = preset_form.context["adminform"].form
    assert form["conditions"].value() == PRESETS["emo-codec"]["conditions"]
    assert form["rating_tasks"].value() == ["emotion", "emo-codec-quality"]
    assert form["n_clips"].value() == form["trials_per_session"].value() == 8
    assert form["slug"].value() == "emo-codec-synthetic"


def test_a_study_is_created_from_a_preset_with_its_clips_drawn(admin_client, preset_form):
    response = admin_client.post(ADD, form_data(preset_form, n_clips=6, trials_per_session=5), follow=True)
    study = Study.objects.get()
    assert study.preset == "emo-codec"
    assert study.conditions == PRESETS["emo-codec"]["conditions"]
    assert study.clips.count() == study.n_clips == 6
    assert "prepare the stimuli" in messages_of(response)
    assert study.events.get().kind == "created"


def test_a_study_is_created_by_hand_with_tasks_in_the_chosen_order(admin_client, corpus):
    page = admin_client.get(ADD, {"preset": "", "corpus": corpus.pk})
    changes = {
        "slug": "by-hand",
        "title": "By hand",
        "conditions": ["opus-6kbps", "original"],
        "rating_tasks": ["acr", "emotion"],
        "emotions": "calm\n\n excited ",
        "strata": "all",
        "n_clips": 4,
        "trials_per_session": 4,
        "instructions": "Listen.",
        "consent_text": "Agree.",
    }
    admin_client.post(ADD, form_data(page, **changes))
    study = Study.objects.get()
    assert study.preset == ""
    assert study.rating_tasks == ["acr", "emotion"]
    assert study.emotions == ["calm", "excited"]
    assert study.strata == ["all"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"conditions": []}, "Choose at least one condition."),
        ({"conditions": ["opus-7kbps"]}, "opus-7kbps is not one of the available choices"),
        ({"rating_tasks": []}, "Choose at least one rating task."),
        ({"n_clips": 9}, "The study asks for 9 clips, but the corpus synthetic has 8."),
        ({"n_clips": 0}, "greater than or equal to 1"),
        ({"n_clips": 4, "trials_per_session": 5}, "nobody hears a clip twice"),
        ({"votes_per_stratum": 0}, "greater than or equal to 1"),
        ({"strata": ""}, "Name at least one stratum"),
        ({"strata": "female\nfemale"}, "“female” stands here twice."),
        ({"emotions": "anger"}, "at least two options"),
        ({"rating_tasks": ["acr", "acr"]}, "names one of its rating tasks twice"),
        ({"corpus": ""}, "Choose the corpus"),
        ({"slug": "not a slug"}, "letters, numbers, underscores or hyphens"),
        ({"minimum_heard_share": 2}, "less than or equal to 1"),
        ({"lease_minutes": 1}, "greater than or equal to 5"),
        ({"instructions": ""}, "This field is required."),
    ],
)
def test_bad_input_comes_back_with_a_sentence(admin_client, preset_form, changes, sentence):
    response = admin_client.post(ADD, form_data(preset_form, **changes))
    form = response.context["adminform"].form
    assert sentence in " ".join(str(error) for errors in form.errors.values() for error in errors)
    assert not Study.objects.exists()


def test_a_name_that_is_taken_comes_back_with_a_sentence(admin_client, draft, preset_form):
    response = admin_client.post(ADD, form_data(preset_form, slug=draft.slug))
    assert "already exists" in text_of(response)
    assert Study.objects.count() == 1


def test_a_condition_that_cannot_be_made_here_is_shown_with_what_to_do(admin_client, corpus, monkeypatch, tmp_path):
    monkeypatch.setenv("CODEC_WEIGHTS", str(tmp_path))
    page = text_of(admin_client.get(ADD, {"preset": "emo-codec", "corpus": corpus.pk}))
    assert "Not available here." in page
    assert 'value="lyra-6kbps"' in page


def test_the_arithmetic_of_a_design_is_told_while_it_is_written(admin_client, corpus):
    design = {
        "corpus": corpus.pk,
        "n_clips": 4,
        "seed": 0,
        "conditions": ["original", "opus-6kbps", "mp3-24kbps"],
        "rating_tasks": ["emotion"],
        "strata": "female\nmale",
        "votes_per_stratum": 5,
        "trials_per_session": 3,
    }
    url = reverse("admin:listening_study_arithmetic")
    response = admin_client.get(url, design)
    assert response.context["arithmetic"].stimuli == 12
    assert response.context["arithmetic"].sessions == 2 * 20
    assert "40 clips" not in text_of(response)
    assert "but the corpus synthetic has 8" in text_of(admin_client.get(url, {**design, "n_clips": 40}))


def test_saving_a_draft_draws_its_clips_anew_only_when_it_must(admin_client, draft):
    drawn = set(draft.clips.values_list("pk", flat=True))
    admin_client.post(change_url(draft), form_data(admin_client.get(change_url(draft)), title="Renamed"))
    draft.refresh_from_db()
    assert draft.title == "Renamed"
    assert set(draft.clips.values_list("pk", flat=True)) == drawn
    admin_client.post(change_url(draft), form_data(admin_client.get(change_url(draft)), n_clips=6))
    assert draft.clips.count() == 6


def test_a_frozen_study_cannot_be_changed_but_for_its_lease(admin_client, study):
    before = Study.objects.values().get(pk=study.pk)
    response = admin_client.post(
        change_url(study), {"title": "Another", "conditions": ["original"], "lease_minutes": 45, "status": "draft"}, follow=True
    )
    assert Study.objects.values().get(pk=study.pk) == {**before, "lease_minutes": 45}
    assert "only the lease was saved" in messages_of(response)


def test_a_draft_that_was_frozen_meanwhile_is_not_overwritten(admin_client, draft, monkeypatch):
    data = form_data(admin_client.get(change_url(draft)), title="Too late")
    monkeypatch.setattr("listening.services.studies.check_study", lambda study: Study.objects.update(status="frozen"))
    monkeypatch.setattr("listening.admin.study_forms.check_study", lambda study: None)
    response = admin_client.post(change_url(draft), data, follow=True)
    draft.refresh_from_db()
    assert draft.title != "Too late"
    assert "can no longer change" in messages_of(response)


def test_a_study_is_never_deleted_here(admin_client, draft):
    assert admin_client.post(f"/admin/listening/study/{draft.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Study.objects.exists()


def test_preparing_queues_a_job_for_each_stimulus(admin_client, draft):
    response = admin_client.post(do_url(draft, "prepare"), follow=True)
    assert Job.objects.filter(state=Job.State.QUEUED).count() == 4 * 3
    assert "12 stimuli are queued" in text_of(response)


def test_the_page_says_when_no_worker_seems_to_run(admin_client, draft):
    queue_stimuli(draft)
    assert admin_client.get(reverse("admin:listening_study_progress", args=[draft.pk])).json()["notice"] == ""
    Stimulus.objects.update(updated_at="2026-01-01T00:00Z")
    progress = admin_client.get(reverse("admin:listening_study_progress", args=[draft.pk])).json()
    assert "python manage.py worker" in progress["notice"]
    assert progress["pending"] == 12 and progress["ready"] == 0


def test_failed_stimuli_are_shown_with_their_error_and_can_be_retried(admin_client, draft):
    queue_stimuli(draft)
    draft.clips.first().stimuli.update(status="failed", error="The encoder gave up.")
    Job.objects.filter(stimulus__status="failed").update(state="failed")
    work()
    page = text_of(admin_client.get(change_url(draft)))
    assert "The encoder gave up." in page and "Retry failed" in page
    admin_client.post(do_url(draft, "prepare"))
    assert not Job.objects.filter(state=Job.State.FAILED).exists()


def test_freezing_says_what_it_will_do_before_it_is_done(admin_client, draft):
    queue_stimuli(draft)
    work()
    page = text_of(admin_client.get(do_url(draft, "freeze")))
    assert "This cannot be undone" in page
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT
    admin_client.post(do_url(draft, "freeze"))
    draft.refresh_from_db()
    assert draft.status == Study.Status.FROZEN


def test_freezing_before_the_stimuli_are_made_is_refused_in_a_sentence(admin_client, draft):
    queue_stimuli(draft)
    response = admin_client.post(do_url(draft, "freeze"), follow=True)
    assert "12 stimuli are not made yet" in messages_of(response)
    draft.refresh_from_db()
    assert draft.status == Study.Status.DRAFT


def test_a_study_is_closed_and_opened_again(admin_client, study):
    admin_client.post(do_url(study, "close"))
    study.refresh_from_db()
    assert study.status == Study.Status.CLOSED
    admin_client.post(do_url(study, "open"))
    study.refresh_from_db()
    assert study.status == Study.Status.OPEN


def test_an_action_out_of_turn_is_refused_in_a_sentence(admin_client, study):
    response = admin_client.post(do_url(study, "freeze"), follow=True)
    assert "The study is open" in messages_of(response)
    close_study(study)
    assert "The study is closed" in messages_of(admin_client.post(do_url(study, "close"), follow=True))
    assert admin_client.get(do_url(study, "explode"), follow=True).status_code == 200


def test_somebody_who_may_only_look_can_do_nothing(client, study, django_user_model):
    viewer = django_user_model.objects.create_user("viewer", password="v", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    study.shared_with.add(viewer)
    client.force_login(viewer)
    assert client.get(change_url(study)).status_code == 200
    response = client.post(do_url(study, "close"), follow=True)
    assert "may look at studies" in messages_of(response)
    study.refresh_from_db()
    assert study.status == Study.Status.OPEN


def test_the_study_page_carries_link_codes_and_progress(admin_client, study):
    page = text_of(admin_client.get(change_url(study)))
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}" in page
    assert study.completion_code in page
    for stratum in study.strata:
        assert f'data-stratum="{stratum}"' in page


def test_simulated_ratings_carry_a_banner(admin_client, study):
    assert "are simulated" not in text_of(admin_client.get(change_url(study)))
    Rater(study).arrive().finish()
    assert "ratings are simulated" in text_of(admin_client.get(change_url(study)))


def test_each_action_is_in_the_log(admin_client, study):
    admin_client.post(do_url(study, "close"))
    assert Event.objects.filter(study=study, kind="closed").exists()
    assert "closed" in text_of(admin_client.get(change_url(study)))
