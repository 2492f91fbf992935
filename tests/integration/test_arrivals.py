"""Many raters at one moment, over real HTTP, on PostgreSQL: no plan has two holders and no answer is lost."""

import json
import os
import threading
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.server import REPO, manage, manage_all, query, running_server

PEOPLE = 200


@pytest.fixture
def environment(postgres_url: str, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": postgres_url, "DATA_DIR": str(tmp_path / "data"), "SECRET_KEY": "test"}


@pytest.fixture
def open_study(environment: dict[str, str]) -> dict[str, str]:
    """A study of 12 plans, fewer than the people who come."""
    create = ["create_study", "--preset", "emo-codec", "--corpus", "c", "--name", "s", "--conditions", "original,opus-6kbps"]
    manage_all(
        environment,
        ["migrate", "-v0"],
        ["import_corpus", "manifest", str(REPO / "analysis/corpora/synthetic"), "--name", "c", "--limit", "4"],
        [*create, "--votes-per-stratum", "3", "--trials-per-session", "4"],
        ["prepare_stimuli", "s", "-v0"],
        ["open_study", "s"],
    )
    return environment


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
def test_two_hundred_people_at_once_never_share_a_plan_and_the_twelve_places_are_filled(open_study):
    with running_server(open_study) as url:
        endings = arrive_at_once(url)
    assert Counter(ending == "done" for ending in endings) == {False: 12, True: PEOPLE - 12}
    assert len(holders(open_study)) == 12
    assert set(holders(open_study).values()) == {1}


@pytest.mark.timeout(400)
def test_without_the_guard_the_same_arrival_gives_plans_away_twice(open_study):
    twin = open_study | {"PYTHONPATH": str(Path(__file__).parent)}
    with running_server(twin, "unguarded:application") as url:
        arrive_at_once(url)
    assert max(holders(open_study).values()) > 1


def test_one_answer_sent_eight_times_at_once_is_stored_once(open_study):
    with running_server(open_study) as url:
        pid = "b" * 24
        link = f"{url}/s/s/?PROLIFIC_PID={pid}&STUDY_ID={'a' * 24}&SESSION_ID={pid}"
        with urllib.request.urlopen(link, timeout=60) as page:
            consent = page.url
        urllib.request.urlopen(consent, data=b"consent=on&stratum=male", timeout=60).close()
        token = consent.split("/")[4]
        query(open_study, "update listening_session set state = 'rating'", rows=False)
        query(open_study, "update listening_trial set audio_sent_at = now() - interval '1 minute'", rows=False)
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
    assert query(open_study, "select count(*) from listening_rating") == [(3,)]


def test_simulated_raters_fill_a_study_on_postgresql_and_the_export_is_balanced(open_study, tmp_path):
    with running_server(open_study) as url:
        manage(open_study, "simulate_raters", "s", "--base-url", url, "-v0")
    out = tmp_path / "ratings.csv"
    manage(open_study, "export_ratings", "s", "--out", str(out))
    ratings = pd.read_csv(out, keep_default_na=False)
    assert set(ratings.groupby(["stimulus_id", "scale", "stratum"]).size()) == {3}
    assert set(ratings.simulated) == {1}
    assert set(ratings.excluded) == {""}
