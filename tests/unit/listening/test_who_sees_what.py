"""Every address of the site and of the API, asked for by everybody: a new address fails here until it has a line."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import URLPattern, get_resolver
from rest_framework.authtoken.models import Token

from listening.models import (
    AuditEntry,
    Corpus,
    Event,
    Job,
    Participant,
    Rating,
    Recruitment,
    Session,
    SourceClip,
    Stimulus,
    Study,
)
from listening.services.audit import note
from listening.services.reports import report_directory
from tests.unit.listening.raters import Rater

#: Who gets something from an address with GET: everybody; whoever holds a rater's token; staff with permissions; those who may see the
#: study; superusers. What is not here and no page of one of MODELS fails the test.
ROUTES = {
    "": "everybody",
    "s/<slug:slug>/": "everybody",
    "session/<str:token>/": "token",
    "session/<str:token>/consent/": "token",
    "session/<str:token>/check/": "token",
    "session/<str:token>/check/<str:try_id>/<int:number>.flac": "token",
    "session/<str:token>/trial/": "token",
    "session/<str:token>/done/": "token",
    "audio/<str:ticket>.flac": "token",
    "hooks/prolific/": "everybody",
    "leaderboard/": "everybody",
    "leaderboard.csv": "everybody",
    "healthz": "everybody",
    "readyz": "everybody",
    "metrics": "everybody",
    "api/schema/": "everybody",
    "api/v1/sessions/<str:token>/": "token",
    "api/v1/sessions/<str:token>/trials/<int:position>/ratings/": "token",
    "api/v1/sessions/<str:token>/trials/<int:position>/skip/": "token",
    "preview/<slug:slug>/": "study",
    "studies/<slug:slug>/report/": "study",
    "studies/<slug:slug>/report/<path:name>": "study",
    "stimuli/<int:pk>.flac": "study",
    "clips/<int:pk>/audio/": "staff",
    "api/v1/studies/<slug:slug>/progress/": "study",
    "api/v1/studies/<slug:slug>/ratings/": "study",
    "admin/operations/": "superuser",
    "admin/account/": "staff",
    "admin/account/second-factor/": "staff",
    "admin/": "staff",
    "admin/login/": "everybody",
    "admin/logout/": "everybody",
    "admin/password_change/": "staff",
    "admin/password_change/done/": "staff",
    "admin/autocomplete/": "staff",
    "admin/jsi18n/": "staff",
    "admin/r/<path:content_type_id>/<path:object_id>/": "staff",
    "admin/(?P<url>.*)$": "staff",
    "admin/search/": "staff",
    "admin/toggle-sidebar/": "staff",
    "admin/listening/study/arithmetic/": "staff",
    "admin/listening/study/<int:pk>/progress/": "study",
    "admin/listening/study/<int:pk>/fieldwork/": "study",
    "admin/listening/study/<int:pk>/sandbox/": "study",
    "admin/listening/study/<int:pk>/discard/": "study",
    "admin/listening/study/<int:pk>/do/<slug:verb>/": "study",
    "admin/listening/recruitment/study/<int:pk>/launch/": "study",
    "admin/listening/recruitment/study/<int:pk>/do/<slug:verb>/": "study",
    "admin/listening/recruitment/study/<int:pk>/read/": "study",
    "admin/listening/recruitment/study/<int:pk>/review/": "study",
    "admin/listening/recruitment/study/<int:pk>/reconcile/": "study",
    "admin/listening/recruitment/study/<int:pk>/bonus/<uuid:key>/<slug:verb>/": "study",
    "admin/listening/recruitment/study/<int:pk>/export/": "study",
    "admin/listening/recruitment/study/<int:pk>/files/<slug:kind>.csv": "study",
}
#: Models of the admin, and whose their rows are.
MODELS = {
    "listening/corpus": "staff",
    "listening/sourceclip": "staff",
    "listening/study": "study",
    "listening/stimulus": "study",
    "listening/job": "study",
    "listening/stimulusscore": "study",
    "listening/session": "study",
    "listening/rating": "study",
    "listening/participant": "study",
    "listening/event": "study",
    "listening/recruitment": "study",
    "listening/auditentry": "study",
    "admin/logentry": "superuser",
    "auth/user": "superuser",
    "auth/group": "superuser",
    "authtoken/tokenproxy": "superuser",
}
ROWS = (Study, Corpus, SourceClip, Stimulus, Job, Session, Rating, Participant, Event, Recruitment, AuditEntry, LogEntry)
MODEL_PAGES = (
    "",
    "add/",
    "<path:object_id>/",
    "<path:object_id>/change/",
    "<path:object_id>/delete/",
    "<path:object_id>/history/",
)


def routes(patterns=None, prefix: str = "") -> Iterator[str]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern.url_patterns, route)


def whose(route: str) -> str:
    """Everybody's, a token's, staff's, the study's or superusers'; raises KeyError for an address without a line."""
    if route.startswith("admin/^(?P<app_label>"):  # the names in it come in any order
        return "staff"
    if route in ROUTES:
        return ROUTES[route]
    app, _, rest = route.removeprefix("admin/").partition("/")
    model, _, page = rest.partition("/")
    if page in MODEL_PAGES or (f"{app}/{model}" == "auth/user" and page.startswith("<id>/password")):
        return MODELS[f"{app}/{model}"]
    raise KeyError(route)


@pytest.fixture
def world(study, client):
    """A study of researcher A with raters, a recruitment and a report; researcher B has every permission and no study."""
    permissions = Permission.objects.filter(content_type__app_label__in=("listening", "auth", "authtoken"))
    people = {}
    for name in ("a", "b"):
        people[name] = User.objects.create_user(name, password="a long enough phrase", is_staff=True)
        people[name].user_permissions.set(permissions)
    people["superuser"] = User.objects.create_superuser("root", password="a long enough phrase")
    study.owner, study.title = people["a"], "A study of whispers"
    study.save()
    rater = Rater(study).arrive().finish()
    recruitment = Recruitment.objects.create(study=study, reward_minor=100, estimated_minutes=5, spending_cap_minor=9000)
    AuditEntry.objects.create(recruitment=recruitment, who="a", what="noted")
    note(people["a"], study, "Did something.")
    directory = report_directory(study)
    directory.mkdir(parents=True)
    (directory / "report.html").write_text(study.title)
    clients = {name: Client() for name in ("anonymous", *people)}
    for name, user in people.items():
        clients[name].force_login(user)
    secrets = (study.slug + "/", study.title, rater.session.participant.rater_id)
    return SimpleNamespace(study=study, rater=rater, clients=clients, people=people, secrets=secrets)


def address(route: str, world) -> str:
    """The address with what belongs to A's study filled in."""
    if "app_label" in route:
        return "/admin/listening/"
    model = next((row for row in ROWS if f"{row._meta.app_label}/{row._meta.model_name}/" in route), None)
    row = model.objects.first() if model else world.people["superuser"]
    filled = {
        "<slug:slug>": world.study.slug,
        "<str:token>": world.rater.session.token,
        "<str:ticket>": world.rater.session.trials.first().ticket,
        "<int:position>": "1",
        "<int:number>": "1",
        "<str:try_id>": "x",
        "<path:name>": "report.html",
        "<path:object_id>": str(row.pk),
        "<path:content_type_id>": "1",
        "<id>": str(row.pk),
        "<slug:verb>": "report" if "study/<int:pk>/do" in route and "recruitment" not in route else "pay",
        "<uuid:key>": "00000000-0000-4000-8000-000000000000",
        "<slug:kind>": "approvals",
        "(?P<url>.*)$": "nowhere",
    }
    if route.startswith("stimuli/"):
        filled["<int:pk>"] = str(Stimulus.objects.filter(status="ready").first().pk)
    elif route.startswith("clips/"):
        filled["<int:pk>"] = str(SourceClip.objects.first().pk)
    else:
        filled["<int:pk>"] = str(world.study.pk)
    for blank, value in filled.items():
        route = route.replace(blank, value)
    return "/" + route


def body(response) -> str:
    return (response.getvalue() if response.streaming else response.content).decode(errors="replace")


def test_every_address_has_a_line():
    for route in routes():
        whose(route)


def test_everybody_gets_what_is_theirs_and_nothing_else(world, settings):
    settings.PROLIFIC_TOKEN = ""
    problems = []
    for route in routes():
        owner, url = whose(route), address(route, world)
        codes = {}
        for name in ("anonymous", "b", "a", "superuser"):
            if name in ("a", "superuser") and ("logout" in url or "preview" in url):
                continue
            response = world.clients[name].get(url)
            codes[name] = response.status_code
            shown = body(response)
            if response.status_code >= 500:
                problems.append(f"{name} {url}: {response.status_code}")
            if owner in ("study", "superuser") and name in ("anonymous", "b"):
                if [secret for secret in world.secrets if secret in shown]:
                    problems.append(f"{name} reads of the study at {url}")
                if response.status_code == 200 and "<path:object_id>" in route:
                    problems.append(f"{name} gets {url}")
            if owner in ("staff", "study", "superuser") and name == "anonymous" and response.status_code == 200:
                problems.append(f"anybody gets {url}")
            if owner == "superuser" and name in ("a", "b") and response.status_code == 200:
                problems.append(f"{name} gets {url}")
        if owner == "study" and any(blank in route for blank in ("<int:pk>", "<slug:slug>")) and codes["b"] == 200:
            problems.append(f"b gets {url}")
        if owner == "study" and codes.get("a", 200) != codes.get("superuser", 200):
            problems.append(f"a and the superuser are treated differently at {url}: {codes}")
    assert problems == []


def test_a_study_is_shared_by_its_owner_and_an_ownerless_one_is_the_superusers(world):
    url = f"/api/v1/studies/{world.study.slug}/progress/"
    keys = {name: Token.objects.create(user=user).key for name, user in world.people.items()}

    def code(name: str) -> int:
        return Client().get(url, headers={"Authorization": f"Token {keys[name]}"}).status_code

    assert {name: code(name) for name in keys} == {"a": 200, "b": 404, "superuser": 200}
    world.study.shared_with.add(world.people["b"])
    assert code("b") == 200
    assert world.clients["b"].get(f"/admin/listening/study/{world.study.pk}/change/").status_code == 200
    world.study.shared_with.clear()
    Study.objects.update(owner=None)
    assert {name: code(name) for name in keys} == {"a": 404, "b": 404, "superuser": 200}


def test_nobody_but_those_who_see_a_study_changes_it(world):
    base = f"/admin/listening/study/{world.study.pk}"
    for name in ("anonymous", "b"):
        for url in (f"{base}/do/close/", f"{base}/change/", f"/admin/listening/recruitment/study/{world.study.pk}/launch/"):
            assert world.clients[name].post(url, {"lease_minutes": 7, "owner": world.people["b"].pk}).status_code in (302, 404)
    world.study.refresh_from_db()
    assert (world.study.status, world.study.owner) == ("open", world.people["a"]) and world.study.lease_minutes != 7
    world.clients["a"].post(f"{base}/do/close/")
    world.study.refresh_from_db()
    assert world.study.status == "closed"


def test_what_a_researcher_creates_is_theirs(world):
    form = world.clients["b"].get(f"/admin/listening/study/add/?preset=emo-codec&corpus={world.study.corpus_id}")
    assert form.status_code == 200
    from listening.services.access import studies_of
    from listening.services.studies import create_study

    mine = create_study(corpus=world.study.corpus, slug="mine", owner=world.people["b"], n_clips=4, trials_per_session=3)
    assert list(studies_of(world.people["b"])) == [mine]
