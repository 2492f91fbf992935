"""The whole path by its own command: from a folder of speech to links and a report, and a second time without repeating."""

import os
import time
from pathlib import Path

import pandas as pd
import pytest

from tests.integration.server import REPO, free_port, manage


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "DATABASE_URL": "",
        "CODEC_WEIGHTS": str(tmp_path),
        "CODEC_DOWNLOAD": "0",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four clips of the synthetic corpus as somebody's own folder."""
    source = REPO / "analysis/corpora/synthetic"
    manifest = pd.read_csv(source / "manifest.csv", dtype=str).groupby("labels").head(1).head(4)
    manifest["path"] = [str(source / path) for path in manifest["path"]]
    own = tmp_path / "My Own Speech"
    own.mkdir()
    manifest.to_csv(own / "manifest.csv", index=False)
    return own


def test_the_demo_goes_from_a_folder_to_a_report_and_a_second_run_repeats_nothing(environment, folder, tmp_path):
    demo = ["demo", "--corpus", str(folder), "--reader", "manifest", "--port", str(free_port()), "--no-serve"]
    said = manage(environment, *demo)
    assert "4 clips added" in said
    assert "encodec-24k-6kbps is not available" in said
    assert "Rate as a participant" in said and "/s/demo-my-own-speech/?PROLIFIC_PID=" in said
    assert "password" in said
    report = tmp_path / "data" / "reports" / "demo-my-own-speech"
    mos = pd.read_csv(report / "mos.csv")
    assert {"original", "opus-6kbps", "opus-24kbps", "mp3-8kbps", "mp3-24kbps", "aac-24kbps"} == set(mos.condition)
    assert set(mos.scale) == {"ovrl", "sig"}
    by_condition = mos[mos.scale == "ovrl"].set_index("condition").mos
    assert by_condition["original"] > by_condition["mp3-8kbps"]
    assert "simulated" in (report / "report.html").read_text().lower()

    written = (report / "report.html").stat().st_mtime_ns
    started = time.monotonic()
    again = manage(environment, *demo)
    assert "0 clips added, 4 there already" in again
    assert "0 simulated raters" in again
    assert "holds every rating already" in again
    assert (report / "report.html").stat().st_mtime_ns == written
    assert time.monotonic() - started < 60


def test_a_corpus_folder_that_is_not_there_ends_the_demo_with_a_sentence(environment, tmp_path):
    with pytest.raises(AssertionError, match=r"CommandError: .*gone"):
        manage(environment, "demo", "--corpus", str(tmp_path / "gone"), "--no-serve", "--port", str(free_port()))
