"""From real recordings through real codecs to what a machine still recognises, by the commands that people type."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main as analysis
from codecs_runner.__main__ import main as codecs_runner
from codecs_runner.registry import availability

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


def made_up_ratings(pairs: pd.DataFrame) -> pd.DataFrame:
    """Twenty simulated raters who hear less in what is plainly worse: no people are needed to see machines beside them."""
    quality = {
        "original": 5,
        "opus-24kbps": 4,
        "lyra-6kbps": 4,
        "anchor-3.5khz": 3,
        "opus-6kbps": 3,
        "mp3-8kbps": 2,
        "mnru-8db": 1,
    }
    emotion = {"W": "anger", "F": "happiness", "T": "sadness", "N": "neutral"}
    rng = np.random.default_rng(0)
    rows = []
    for rater in range(20):
        for number, clip in enumerate(sorted(pairs["clip_id"].unique())):
            condition = list(quality)[(number + rater) % len(quality)]
            row = {"rater_id": f"r{rater}", "stimulus_id": f"{clip}__{condition}", "clip_id": clip, "condition": condition}
            vote = int(np.clip(quality[condition] + rng.integers(-1, 2), 1, 5))
            heard = emotion[clip[5]] if rng.random() < quality[condition] / 5 else rng.choice(list(emotion.values()))
            rows += [row | {"scale": "ovrl", "value": vote, "labels": ""}, row | {"scale": "emotion", "labels": heard}]
    return pd.DataFrame(rows).assign(simulated=1)


def test_recognition_falls_where_it_must_and_the_report_says_so_with_intervals(
    emodb: Path, shared: Path, tmp_path: Path, capsys, monkeypatch
) -> None:
    monkeypatch.setenv("CODEC_WEIGHTS", str(shared / "weights"))
    conditions = ["original", "opus-24kbps", "opus-6kbps", "mp3-8kbps", "anchor-3.5khz", "mnru-8db"]
    conditions += ["lyra-6kbps"] * availability("lyra-6kbps").ok
    rendered = tmp_path / "rendered"
    assert not codecs_runner(
        ["render", str(emodb), "--condition", ",".join(conditions), "--out", str(rendered), "--workers", "1"]
    )
    pairs = pd.DataFrame(
        [
            (rendered / "original" / path.name, rendered / name / path.name, name, path.stem)
            for path in emodb.iterdir()
            for name in conditions
        ],
        columns=["reference", "degraded", "condition", "clip_id"],
    )
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    stores = ["--features", str(tmp_path / "features"), "--workers", "1"]
    corpus = ["--corpus", "emodb", str(emodb), "--upstream", "functionals"]
    assert not analysis(["ser", "train", *corpus, "--out", str(tmp_path / "model"), *stores])
    command = ["ser", "evaluate", str(tmp_path / "model"), str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "ser")]
    assert not analysis([*command, "--replicates", "500", *stores])
    table = pd.read_csv(tmp_path / "ser" / "ser.csv").set_index("condition")
    assert table.at["original", "macro_f1"] > 0.55
    for name in ("opus-6kbps", "mp3-8kbps", "anchor-3.5khz", "mnru-8db"):
        assert table.at[name, "drop_high"] < 0 and table.at[name, "p_holm"] < 0.05, name
    for name in {"opus-24kbps", "lyra-6kbps"} & set(conditions):
        assert table.at[name, "relative_drop"] > table.at["mnru-8db", "drop_high"], name
    said = capsys.readouterr().out
    assert "mnru-8db: macro-F1" in said and "change against the originals -" in said

    scores = str(tmp_path / "scores.csv")
    assert not analysis(["score", str(tmp_path / "pairs.csv"), "--measures", "stoi", "--out", scores, "--workers", "1"])
    ratings = made_up_ratings(pairs)
    ratings[ratings["condition"].isin(conditions)].to_csv(tmp_path / "ratings.csv", index=False)
    report = ["report", str(tmp_path / "ratings.csv"), "--scores", scores, "--ser", str(tmp_path / "ser"), "--no-pdf"]
    assert not analysis([*report, "--replicates", "200", "--out", str(tmp_path / "report")])
    text = (tmp_path / "report" / "report.md").read_text()
    assert re.search(r"stoi goes with .*: Spearman 0\.\d+ \[", text), "never without its interval"
    assert re.search(r"the recogniser hears less emotion .*mnru-8db −\d+ % \[−\d+, −\d+\]", text)
    assert f"Over {len(conditions)} conditions little can be shown" in text
    assert "Emotions kept, by people and by machine" in text
