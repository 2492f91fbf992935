"""No page asks more of the database because there is more in it, and none asks much."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.unit.listening.raters import Rater
from tests.unit.listening.test_who_sees_what import ROUTES, address, body, routes, whose, world  # noqa: F401

#: Most queries of a page, with the few lines of a test's study in the database. What is not here has MOST.
MOST = 20
ALLOWED = {
    "admin/listening/study/<path:object_id>/change/": 50,  # form, live board, recruiting, results and log in one page
    "admin/operations/": 25,  # a query for each figure
}
#: Not asked for: they end the log-in, or begin something new with each GET.
LEFT_OUT = {"admin/logout/", "preview/<slug:slug>/"}


def counted(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        body(client.get(url))
    return len(queries)


def grow(study, n: int) -> None:
    """More raters, sessions, ratings, events; nothing more to render."""
    for number in range(n):
        Rater(study).arrive("male" if number % 2 else "female").finish()


def test_every_page_asks_few_questions_and_no_more_of_a_larger_study(world):  # noqa: F811
    client = world.clients["superuser"]
    pages = {route: address(route, world) for route in routes() if route not in LEFT_OUT and whose(route)}
    for url in pages.values():  # what is read once in a process is read now
        body(client.get(url))
    before = {route: counted(client, url) for route, url in pages.items()}
    grow(world.study, 5)
    after = {route: counted(client, url) for route, url in pages.items()}
    grown = {route: (before[route], after[route]) for route in pages if after[route] > before[route]}
    assert grown == {}
    assert {route: n for route, n in after.items() if n > ALLOWED.get(route, MOST)} == {}


@pytest.mark.parametrize("page", ["consent", "check", "trial"])
def test_a_raters_page_asks_few_questions(study, page, django_assert_max_num_queries):
    rater = Rater(study)
    rater.open_link()
    if page != "consent":
        rater.consent()
    if page == "trial":
        rater.check()
    url = f"{rater.base}{page}/"
    with django_assert_max_num_queries(25):
        assert rater.client.get(url).status_code == 200


def test_everything_that_is_asked_for_is_counted():
    assert ROUTES.keys() >= LEFT_OUT and ALLOWED.keys() <= set(routes())
