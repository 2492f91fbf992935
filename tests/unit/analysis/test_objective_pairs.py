"""Files in, scores out: one bad row stops nothing, a run that was cut short goes on, and the command line says what it did."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from analysis import audio, objective
from analysis.__main__ import main
from analysis.objective import codec_superb, intelligibility, perceptual, pitch
from analysis.objective import pairs as module
from analysis.objective.base import Score
from analysis.objective.memory import ScoreMemory
from analysis.objective.pairs import Group, read_pairs, score_group, score_pairs
from analysis.schema import SchemaError

AUDIO = Path(__file__).resolve().parents[3] / "analysis/corpora/synthetic/audio"
MEASURES = ("stoi", "si_sdr", "active_level_dbov")


@pytest.fixture
def files(tmp_path: Path) -> pd.DataFrame:
    """Two clips in two conditions, and the CSV ``pairs.csv`` that names them."""
    rows = []
    for clip in ("f1_anger_a", "m1_anger_a"):
        samples, rate = sf.read(AUDIO / f"{clip}.flac")
        shutil.copy(AUDIO / f"{clip}.flac", tmp_path / f"{clip}.flac")
        for condition, noise in (("fine", 0.001), ("rough", 0.05)):
            (tmp_path / condition).mkdir(exist_ok=True)
            degraded = samples + noise * np.random.default_rng(0).standard_normal(len(samples))
            sf.write(tmp_path / condition / f"{clip}.wav", degraded, rate)
            rows.append((f"{clip}.flac", f"{condition}/{clip}.wav", condition))
    pd.DataFrame(rows, columns=["reference", "degraded", "condition"]).to_csv(tmp_path / "pairs.csv", index=False)
    return read_pairs(tmp_path / "pairs.csv")


def watch(monkeypatch: pytest.MonkeyPatch) -> list[Group]:
    """The groups that are measured from now on."""
    measured: list[Group] = []

    def measure(group: Group) -> list[dict[str, Score]]:
        measured.append(group)
        return score_group(group)

    monkeypatch.setattr(module, "score_group", measure)
    return measured


def test_scores_are_tidy_and_in_the_order_of_the_pairs(files: pd.DataFrame) -> None:
    scores = score_pairs(files, MEASURES, workers=1)
    assert list(scores.columns) == ["reference", "degraded", "condition", "clip_id", "measure", "score", "reason"]
    assert scores["measure"].tolist() == list(MEASURES) * 4
    assert scores["clip_id"].tolist()[:6] == ["f1_anger_a"] * 6
    means = scores[scores["measure"] == "stoi"].groupby("condition")["score"].mean()
    assert means["fine"] > means["rough"]


def test_the_order_of_the_pairs_and_the_number_of_processes_change_no_score(files: pd.DataFrame) -> None:
    many = pd.concat([files] * 2, ignore_index=True)
    backwards = files.iloc[::-1].reset_index(drop=True)
    key = ["degraded", "measure"]
    one = score_pairs(files, MEASURES, workers=1).sort_values(key, ignore_index=True)
    other = score_pairs(backwards, MEASURES, workers=1).sort_values(key, ignore_index=True)
    pd.testing.assert_frame_equal(one, other)
    assert len(score_pairs(many, MEASURES, workers=1)) == 2 * len(one), (
        "a pair that is listed twice is measured once, told twice"
    )
    module_few, module.FEW = module.FEW, 0
    try:
        parallel = score_pairs(files, MEASURES, workers=2)
    finally:
        module.FEW = module_few
    pd.testing.assert_frame_equal(parallel, score_pairs(files, MEASURES, workers=1))


def test_each_file_is_decoded_once_for_all_measures(files: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def listen(path: Path) -> tuple[audio.Samples, int]:
        read.append(path.name)
        return audio.read_audio(path)

    monkeypatch.setattr(module, "read_audio", listen)
    score_pairs(files, MEASURES, workers=1)
    assert sorted(read) == sorted(["f1_anger_a.flac", "m1_anger_a.flac", *["f1_anger_a.wav", "m1_anger_a.wav"] * 2])


def test_what_measures_share_is_computed_once(files: pd.DataFrame, pesq: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a clip in two conditions at 16 kHz: PESQ in each band once a pair, each kind of pitch once a recording."""
    done: Counter[str] = Counter()

    def count(place: ModuleType, name: str, what: Callable[..., str]) -> None:
        compute = getattr(place, name)

        def counted(*given: object, **named: object) -> object:
            done.update([what(*given)])
            return compute(*given, **named)

        monkeypatch.setattr(place, name, counted)

    count(perceptual, "pesq", str)
    count(pitch, "track_pitch", lambda *_: "pitch")
    count(codec_superb, "track_pitch", lambda *_: "codec_superb pitch")
    count(codec_superb, "spectral_distance", lambda *_: "codec_superb spectra")
    count(intelligibility, "segments", lambda *_: "envelopes")
    keys = [key for key in objective.MEASURES if not key.startswith("dnsmos")]
    scores = score_pairs(files[:2], keys, workers=1)
    assert (scores["reason"] == "").all()
    expected = {"wb": 2, "nb": 2, "pitch": 3, "codec_superb pitch": 3, "codec_superb spectra": 4, "envelopes": 6}
    assert done == expected


def test_a_bad_row_is_told_and_stops_nothing(files: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "torn.wav").write_bytes(b"RIFF, or so they say")
    sf.write(tmp_path / "silent.wav", np.zeros(20_000), 16_000)
    bad = [
        ("f1_anger_a.flac", "absent.wav"),
        ("f1_anger_a.flac", "torn.wav"),
        ("absent.flac", "silent.wav"),
        ("", "silent.wav"),
    ]
    rows = pd.DataFrame(
        [(str(tmp_path / r) if r else "", str(tmp_path / d)) for r, d in bad], columns=["reference", "degraded"]
    )
    scores = score_pairs(pd.concat([rows, files], ignore_index=True), MEASURES, workers=1)
    reasons = scores["reason"].to_numpy().reshape(-1, 3)
    assert scores["score"].isna().to_numpy().reshape(-1, 3)[:4].all()
    assert ["no file" in text for text in reasons[0]] == [True] * 3
    assert ["decoded" in text for text in reasons[1]] == [True] * 3
    assert ["no file" in text for text in reasons[2]] == [True, True, False], "a level needs no reference"
    assert "needs a reference" in reasons[3][0]
    assert (reasons[4:] == "").all()


def test_a_run_that_was_cut_short_goes_on_where_it_ended(
    files: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = score_pairs(files, MEASURES, workers=1)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with ScoreMemory(tmp_path / "cache") as memory, pytest.raises(KeyboardInterrupt):
        score_pairs(files, MEASURES, workers=1, memory=memory, progress=stop)
    measured = watch(monkeypatch)
    with ScoreMemory(tmp_path / "cache") as memory:
        pd.testing.assert_frame_equal(score_pairs(files, MEASURES, workers=1, memory=memory), whole)
    assert len(measured) == 1, "the other clip was done before"


def test_a_changed_file_is_measured_anew_and_a_renamed_one_is_not(
    files: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScoreMemory(tmp_path / "cache") as memory:
        before = score_pairs(files, MEASURES, workers=1, memory=memory)
    Path(files["degraded"][0]).rename(tmp_path / "renamed.wav")
    shutil.copy(files["degraded"][1], files["degraded"][2])
    moved = files.assign(degraded=[str(tmp_path / "renamed.wav"), *files["degraded"][1:]])
    measured = watch(monkeypatch)
    with ScoreMemory(tmp_path / "cache") as memory:
        after = score_pairs(moved, MEASURES, workers=1, memory=memory)
    assert [path for group in measured for path, _ in group.wanted] == [files["degraded"][2]]
    assert after["score"].tolist()[:6] == before["score"].tolist()[:6]


def test_the_command_writes_scores_and_the_benchmarks_overall(
    files: pd.DataFrame, tmp_path: Path, pesq: object, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "out/scores.csv", tmp_path / "out/overall.csv"
    command = ["score", str(tmp_path / "pairs.csv"), "--measures", "stoi", "--out", str(out), "--workers", "1"]
    assert main([*command, "--benchmark", str(table)]) == 0
    assert "scores of 4 pairs" in capsys.readouterr().out
    scores = pd.read_csv(out)
    assert {"stoi", "codec_superb_overall"} <= set(scores["measure"])
    overall = pd.read_csv(table).set_index("condition")["overall"]
    assert 0.5 < overall["rough"] < overall["fine"] <= 1


def test_wrong_input_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pairs.csv").write_text("original,coded\na.wav,b.wav\n")
    with pytest.raises(SchemaError, match="no column 'reference'; there are original, coded"):
        read_pairs(tmp_path / "pairs.csv")
    assert main(["score", str(tmp_path / "pairs.csv"), "--measures", "posq", "--out", str(tmp_path / "s.csv")]) == 2
    assert "There is no measure 'posq'" in capsys.readouterr().err
