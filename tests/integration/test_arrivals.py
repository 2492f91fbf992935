"""Many raters at one moment, over real HTTP, on PostgreSQL: no plan has two holders and no answer is lost."""

import json
import threading
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.server import manage, query, running_server

PEOPLE = 200  # more than the study has places


def arrive_at_once(url: str) -> list[str]:
    """Everybody opens the link, and then all consent in the same moment; returns the step that each ends on."""
    gate = threading.Barrier(PEOPLE)
    endings: list[str] = []

    def arrive(number: int) -> None:
        link = f"{url}/s/s/?PROLIFIC_PID={number:024x}&STUDY_ID={'a' * 24}&SESSION_ID={number:024x}"
        with urllib.request.urlopen(link, timeout=100) as page:
            consent = page.url
        gate.wait()
        stratum = "female" if number % 2 else "male"
        with urllib.request.urlopen(consent, data=f"consent=on&stratum={stratum}".encode(), timeout=100) as page:
            endings.append(page.url.rstrip("/").rsplit("/", 1)[1])

    threads = [threading.Thread(target=arrive, args=(number,)) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=200)
    return endings


def holders(environment: dict[str, str]) -> dict[int, int]:
    """Plan -> sessions that hold it."""
    sql = "select plan_id, count(*) from listening_session where plan_id is not null group by 1"
    return dict(query(environment, sql))


@pytest.mark.timeout(400)
def test_two_hundred_people_at_once_never_share_a_plan_and_the_twelve_places_are_filled(twelve_plans):
    with running_server(twelve_plans) as url:
        endings = arrive_at_once(url)
    assert Counter(ending == "done" for ending in endings) == {False: 12, True: PEOPLE - 12}
    assert len(holders(twelve_plans)) == 12
    assert set(holders(twelve_plans).values()) == {1}


@pytest.mark.timeout(400)
def test_without_the_guard_the_same_arrival_gives_plans_away_twice(twelve_plans):
    twin = twelve_plans | {"PYTHONPATH": str(Path(__file__).parent)}
    with running_server(twin, "unguarded:application") as url:
        arrive_at_once(url)
    assert max(holders(twelve_plans).values()) > 1


def test_one_answer_sent_eight_times_at_once_is_stored_once(twelve_plans):
    with running_server(twelve_plans) as url:
        pid = "b" * 24
        link = f"{url}/s/s/?PROLIFIC_PID={pid}&STUDY_ID={'a' * 24}&SESSION_ID={pid}"
        with urllib.request.urlopen(link, timeout=60) as page:
            consent = page.url
        urllib.request.urlopen(consent, data=b"consent=on&stratum=male", timeout=60).close()
        token = consent.split("/")[4]
        query(twelve_plans, "update listening_session set state = 'rating'", rows=False)
        query(twelve_plans, "update listening_trial set audio_sent_at = now() - interval '1 minute'", rows=False)
        body = json.dumps(
            {
                "idempotency_key": "7f9c24e8-3b12-4c1e-9a2b-0d5f6a7b8c9d",
                "answers": {"emotion": ["anger"], "ovrl": 4, "sig": 3},
                "listening": {"plays": 1, "heard_share": 1},
            }
        ).encode()
        gate = threading.Barrier(8)
        statuses: list[int] = []

        def send() -> None:
            request = urllib.request.Request(
                f"{url}/api/v1/sessions/{token}/trials/1/ratings/", data=body, headers={"Content-Type": "application/json"}
            )
            gate.wait()
            try:
                with urllib.request.urlopen(request, timeout=60) as response:
                    statuses.append(response.status)
            except urllib.error.HTTPError as error:
                statuses.append(error.code)

        threads = [threading.Thread(target=send) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
    assert sorted(statuses) == [200] * 7 + [201]
    assert query(twelve_plans, "select count(*) from listening_rating") == [(3,)]


def test_simulated_raters_fill_a_study_on_postgresql_and_the_export_is_balanced(twelve_plans, tmp_path):
    with running_server(twelve_plans) as url:
        manage(twelve_plans, "simulate_raters", "s", "--base-url", url, "-v0")
    out = tmp_path / "ratings.csv"
    manage(twelve_plans, "export_ratings", "s", "--out", str(out))
    ratings = pd.read_csv(out, keep_default_na=False)
    assert set(ratings.groupby(["stimulus_id", "scale", "stratum"]).size()) == {3}
    assert set(ratings.simulated) == {1}
    assert set(ratings.excluded) == {""}
