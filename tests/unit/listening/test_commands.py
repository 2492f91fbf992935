"""The commands that scripts rely on, and what they say when something is wrong."""

import zipfile
from io import StringIO

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from listening.models import Study
from tests.unit.listening.raters import Rater


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def test_a_study_is_created_prepared_and_opened_by_commands_alone(corpus):
    create = [
        "create_study",
        "--preset",
        "emo-codec",
        "--corpus",
        "synthetic",
        "--name",
        "s",
        "--conditions",
        "original,emo-codec:O1",
    ]
    said = run(*create, "--clips", "4", "--votes-per-stratum", "2", "--trials-per-session", "2", "--seed", "7")
    assert "4 clips × 2 conditions, 2 votes" in said
    assert "8 of 8 stimuli are ready" in run("prepare_stimuli", "s")
    said = run("open_study", "s")
    assert "PROLIFIC_PID={{%PROLIFIC_PID%}}&STUDY_ID={{%STUDY_ID%}}&SESSION_ID={{%SESSION_ID%}}" in said
    study = Study.objects.get(slug="s")
    assert (study.status, study.conditions, study.seed) == ("open", ["original", "opus-6kbps"], 7)
    assert study.plans.count() == 2 * 4 * 2 * 2 / 2


@pytest.mark.parametrize("command", ["prepare_stimuli", "open_study", "simulate_raters", "export_ratings", "report"])
def test_a_study_that_is_not_there_is_told_with_those_that_are(draft, command):
    options = ["--out", "x.csv"] if command in ("export_ratings", "report") else []
    with pytest.raises(CommandError, match="no study named gone; there are: small"):
        run(command, "gone", *options)


def test_a_corpus_that_is_not_there_is_told_with_those_that_are(corpus):
    with pytest.raises(CommandError, match="no corpus named gone; there are: synthetic"):
        run("create_study", "--preset", "emo-codec", "--corpus", "gone", "--name", "s")


@pytest.mark.parametrize("conditions", ["", "no-such-codec", "original,,no-such"])
def test_conditions_that_do_not_exist_are_told(corpus, conditions):
    with pytest.raises(CommandError, match="condition"):
        run("create_study", "--preset", "emo-codec", "--corpus", "synthetic", "--name", "s", f"--conditions={conditions}")
    assert not Study.objects.exists()


def test_ratings_are_exported_as_csv_and_parquet_and_nothing_else(study, tmp_path):
    Rater(study).arrive().finish()
    run("export_ratings", study.slug, "--out", str(tmp_path / "deep" / "r.csv"))
    run("export_ratings", study.slug, "--out", str(tmp_path / "r.parquet"))
    conditions = pd.read_csv(tmp_path / "r-conditions.csv", index_col="condition")
    assert 3_000 < conditions.loc["opus-6kbps", "measured_bps"] < 9_000
    csv = pd.read_csv(tmp_path / "deep" / "r.csv", keep_default_na=False, na_values={"value": ""})
    parquet = pd.read_parquet(tmp_path / "r.parquet")
    pd.testing.assert_frame_equal(csv, parquet, check_dtype=False)
    with pytest.raises(CommandError, match=r"\.xlsx; an export is a \.csv or a \.parquet"):
        run("export_ratings", study.slug, "--out", str(tmp_path / "r.xlsx"))


def test_a_report_without_ratings_is_refused_in_a_sentence(study, tmp_path):
    with pytest.raises(CommandError, match="no ratings yet"):
        run("report", study.slug, "--out", str(tmp_path))


def test_a_report_is_written_from_the_ratings_of_the_study(study, tmp_path):
    for stratum in ("female", "male"):
        for _ in range(4):
            Rater(study).arrive(stratum).finish()
    run("report", study.slug, "--out", str(tmp_path / "report"))
    mos = pd.read_csv(tmp_path / "report" / "mos.csv")
    assert set(mos.condition) == {"original", "opus-6kbps", "mp3-24kbps"}
    assert set(mos[mos.scale == "ovrl"].mos) == {4.0}
    assert (tmp_path / "report" / "report.html").stat().st_size > 10_000


def test_simulated_raters_do_not_enter_a_study_that_is_not_open(draft):
    with pytest.raises(CommandError, match="open it first"):
        run("simulate_raters", "small")


def test_a_server_that_does_not_answer_is_told(study):
    with pytest.raises(CommandError, match="is the server running"):
        run("simulate_raters", "small", "--base-url", "http://127.0.0.1:9")


@pytest.mark.parametrize(("form", "ending"), [("tidy", ".csv"), ("p808", ".csv"), ("sureal", ".json"), ("datapackage", ".zip")])
def test_ratings_are_exported_in_the_forms_of_other_tools_without_prolific_ids(study, tmp_path, form, ending):
    rater = Rater(study).arrive("female").finish()
    out = tmp_path / f"r{ending}"
    assert "9 ratings written" in run("export_ratings", study.slug, "--out", str(out), "--format", form)
    content = out.read_bytes()
    if form == "datapackage":
        with zipfile.ZipFile(out) as archive:
            content = b"".join(archive.read(name) for name in archive.namelist())
    assert rater.participant_id.encode() not in content and rater.session.participant.rater_id.encode() in content
    with pytest.raises(CommandError, match=rf"an export as {form} is a {ending} file"):
        run("export_ratings", study.slug, "--out", str(tmp_path / "r.xlsx"), "--format", form)


def test_a_scale_nobody_rated_is_told_with_those_there_are(study, tmp_path):
    Rater(study).arrive("female").finish()
    with pytest.raises(CommandError, match="No vote is on the scale 'bak'; the scales are ovrl, sig"):
        run("export_ratings", study.slug, "--out", str(tmp_path / "r.json"), "--format", "sureal", "--scale", "bak")
