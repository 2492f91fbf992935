"""From real recordings through real codecs to what a machine still recognises, by the commands that people type."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.__main__ import main as analysis
from codecs_runner.__main__ import main as codecs_runner

SPEAKERS, EMOTIONS, CLIPS = ("03", "08", "11", "13", "15", "16"), "WFTN", 3


@pytest.fixture
def emodb(shared: Path, tmp_path: Path) -> Path:
    """Three recordings of each of six speakers and four emotions."""
    folder = tmp_path / "emodb"
    folder.mkdir()
    found = sorted((shared / "data" / "emodb" / "audio").glob("*.flac"))
    for speaker in SPEAKERS:
        for emotion in EMOTIONS:
            for path in [path for path in found if path.stem[:2] == speaker and path.stem[5] == emotion][:CLIPS]:
                (folder / path.name).symlink_to(path)
    return folder


def test_recognition_falls_in_noise_and_hardly_at_a_high_rate(emodb: Path, tmp_path: Path, capsys) -> None:
    conditions = ("original", "opus-24kbps", "mnru-8db")
    rendered = tmp_path / "rendered"
    assert not codecs_runner(
        ["render", str(emodb), "--condition", ",".join(conditions), "--out", str(rendered), "--workers", "1"]
    )
    pairs = [
        {"reference": rendered / "original" / path.name, "degraded": rendered / name / path.name, "condition": name}
        for path in emodb.iterdir()
        for name in conditions
    ]
    pd.DataFrame(pairs).to_csv(tmp_path / "pairs.csv", index=False)
    stores = ["--features", str(tmp_path / "features"), "--workers", "1"]
    corpus = ["--corpus", "emodb", str(emodb), "--upstream", "functionals"]
    assert not analysis(["ser", "train", *corpus, "--out", str(tmp_path / "model"), *stores])
    command = ["ser", "evaluate", str(tmp_path / "model"), str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "out")]
    assert not analysis([*command, "--replicates", "500", *stores])
    table = pd.read_csv(tmp_path / "out" / "ser.csv").set_index("condition")
    assert table.at["original", "macro_f1"] > 0.55
    noise, rate = table.loc["mnru-8db"], table.loc["opus-24kbps"]
    assert noise["drop_high"] < 0 and noise["p_holm"] < 0.05
    assert rate["relative_drop"] > noise["relative_drop"] and rate["drop_high"] > noise["drop_high"]
    said = capsys.readouterr().out
    assert "mnru-8db: macro-F1" in said and "change against the originals -" in said
