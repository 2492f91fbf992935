from pathlib import Path

import pytest

from analysis.__main__ import main
from analysis.corpora import READERS
from tests.unit.analysis.miniatures import MINIATURES


def test_check_says_what_is_there_and_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    MINIATURES["iemocap"].build(tmp_path)
    assert main(["corpora", "check", "iemocap", str(tmp_path), "--select", "sex=female"]) == 0
    told = capsys.readouterr().out
    for sentence in (
        "3 clips, labels secondary; options: frustration, anger,",
        "1 excitement",
        "By sex: 2 female, 1 male.",
        "3 speakers; 1 clips with a transcript.",
        "3 clips with votes: 2 of low and 1 of high ambiguity.",
        "Durations from 0.33 to 0.33 s",
        "Selected: 2 of 3 clips.",
        "3 clips were read; the whole of IEMOCAP has 10039.",
        "3 left out: the session is missing (Session2, Session3, Session4).",
        "1 left out: it is labelled, but there is no audio file … (Ses01F_impro01_M001).",
    ):
        assert sentence in told


def test_a_wrong_folder_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    MINIATURES["ravdess"].build(tmp_path)
    assert main(["corpora", "check", "esd", str(tmp_path)]) == 2
    assert "It looks like RAVDESS (reader 'ravdess')." in capsys.readouterr().err


def test_list_names_every_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["corpora", "list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(READERS)
