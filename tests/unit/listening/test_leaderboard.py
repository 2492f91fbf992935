"""The leaderboard: what reports and measures say of conditions, and who may see it."""

from io import StringIO

import pandas as pd
import pytest
from django.contrib.auth import get_user_model

from analysis.report import Report
from listening.models import ConditionResult
from listening.services.leaderboard import change_visibility, keep_results, leaderboard, visible_studies
from listening.services.scores import queue_scores, work_scores


class Tables:
    """The two tables of a report that the board keeps."""

    mos = pd.DataFrame(
        [
            ("opus-6kbps", "ovrl", 3.1, 2.9, 3.3, 40),
            ("original", "ovrl", 4.5, None, None, 40),
            ("mp3-24kbps", "ovrl", None, None, None, 0),
        ],
        columns=["condition", "scale", "mos", "ci_low", "ci_high", "n_ratings"],
    )
    retention = pd.DataFrame(
        [("opus-6kbps", 0.6, 0.5, 0.7, 4)], columns=["condition", "macro_f1", "ci_low", "ci_high", "n_clips"]
    )


@pytest.fixture
def measured(study):
    queue_scores(study, ("stoi", "active_level_dbov"))
    work_scores()
    tables: Report = Tables()  # type: ignore[assignment]
    keep_results(study, tables, simulated=True)
    return study


@pytest.fixture
def staff(client):
    client.force_login(get_user_model().objects.create_superuser("researcher"))
    return client


def test_conditions_stand_by_rate_with_every_number_and_its_interval(measured):
    board = leaderboard([measured])
    assert [row.condition for row in board.rows] == ["opus-6kbps", "mp3-24kbps", "original"]
    assert [column.key for column in board.people] == ["ovrl", "retention"]
    assert [column.key for column in board.machines] == ["stoi", "active_level_dbov"]
    opus, _, original = board.rows
    assert (opus.numbers["ovrl"].value, opus.numbers["ovrl"].low, opus.numbers["ovrl"].n) == (3.1, 2.9, 40)
    assert opus.numbers["stoi"].low < opus.numbers["stoi"].value < opus.numbers["stoi"].high
    assert original.numbers["ovrl"].low is None
    assert "ovrl" not in board.rows[1].numbers, "what is undefined is not on the board"


def test_a_new_report_replaces_what_the_last_one_said(measured):
    tables: Report = Tables()  # type: ignore[assignment]
    keep_results(measured, tables, simulated=False)
    assert ConditionResult.objects.count() == 3
    assert not leaderboard([measured]).rows[0].simulated


def test_staff_see_everything_and_others_what_is_public(measured, client):
    assert client.get("/leaderboard/").status_code == 302
    assert not visible_studies(staff=False).exists()
    assert change_visibility(measured)
    assert measured.events.filter(kind="results made public").exists()
    page = client.get("/leaderboard/").content.decode()
    assert "Opus 6" in page
    assert "/admin/" not in page, "nobody is sent where they may not go"
    assert "simulated" in page


def test_the_page_shows_numbers_with_intervals_and_leads_to_the_study(measured, staff):
    page = staff.get("/leaderboard/").content.decode()
    assert "3.10" in page and "2.90 to 3.30" in page and "no interval" in page
    assert f"/admin/listening/study/{measured.pk}/change/" in page


def test_filters_and_csv_show_the_same(measured, staff):
    everything = pd.read_csv(StringIO(staff.get("/leaderboard.csv").content.decode()))
    assert len(everything) == 3
    assert {"ovrl", "ovrl_ci_low", "ovrl_ci_high", "ovrl_n", "stoi", "stoi_ci_low", "bitrate_bps", "study"} <= set(everything)
    opus = pd.read_csv(StringIO(staff.get(f"/leaderboard.csv?family={everything['family'][0]}&study=small").content.decode()))
    assert opus["condition"].tolist() == ["opus-6kbps"]
    assert "Nothing to show yet" in staff.get("/leaderboard/?corpus=elsewhere").content.decode()


def test_the_board_takes_a_fixed_number_of_queries(measured, django_assert_max_num_queries):
    with django_assert_max_num_queries(4):
        leaderboard(list(visible_studies(staff=True)))


def test_the_scores_are_shown_in_the_admin(measured, staff):
    assert "stoi" in staff.get("/admin/listening/stimulusscore/").content.decode()
    assert staff.get(f"/admin/listening/stimulusscore/?study={measured.pk}&condition=opus-6kbps").status_code == 200
    assert staff.get("/admin/listening/job/?kind=score").status_code == 200
