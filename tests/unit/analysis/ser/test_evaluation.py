"""What a machine recognises in coded speech: known losses are found with their intervals, and nothing is read twice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from sklearn.metrics import f1_score
from threadpoolctl import threadpool_info, threadpool_limits

from analysis.__main__ import main as analysis
from analysis.labels import FloatArray, threshold_votes
from analysis.ser.errors import SerError
from analysis.ser.evaluation import FILES, evaluate_model
from analysis.ser.features import FeatureStore
from analysis.ser.judging import Judgements, judge_pairs
from analysis.ser.model import SerModel, open_model
from analysis.ser.objective_retention import objective_retention, scores_by_stimulus
from analysis.ser.speech import Speech, read_speech
from analysis.ser.upstreams import Layers, get_upstream
from tests.unit.analysis.ser.conftest import QUICK, Train

EMOTIONS = ("anger", "joy", "fear")


@pytest.fixture
def store(features: Path) -> FeatureStore:
    return FeatureStore(features, get_upstream("functionals"), keep=False)


@pytest.fixture
def pairs(voices: Path, tmp_path: Path) -> pd.DataFrame:
    """Each clip as it is, at half its level, and as noise alone."""
    rows = []
    rng = np.random.default_rng(3)
    for path in sorted(voices.glob("*.wav")):
        samples, rate = sf.read(path)
        noise = 0.05 * rng.standard_normal(len(samples))
        for condition, coded in (("half", samples / 2), ("noise", noise)):
            target = tmp_path / condition / path.name
            target.parent.mkdir(exist_ok=True)
            sf.write(target, coded, rate, subtype="FLOAT")
            rows.append({"clip_id": path.stem, "condition": condition, "reference": str(path), "degraded": str(target)})
        rows.append({"clip_id": path.stem, "condition": "source", "reference": str(path), "degraded": str(path)})
    return pd.DataFrame(rows)


def test_what_is_lost_is_found_and_what_is_kept_is_not_called_lost(
    yardstick: SerModel, pairs: pd.DataFrame, store: FeatureStore, tmp_path: Path
) -> None:
    rates = pd.DataFrame({"condition": ["half", "noise"], "label": "", "family": "x", "nominal_bps": ["6000", "24000"]})
    _, sentences = evaluate_model(yardstick, pairs, tmp_path / "out", store, conditions=rates, replicates=300, workers=1)
    table = pd.read_csv(tmp_path / "out" / "ser.csv").set_index("condition")
    assert list(table.index) == ["source", "half", "noise"]
    assert table.at["source", "macro_f1"] > 0.9 and table.at["source", "note"].startswith("original")
    assert table.at["half", "relative_drop"] == 0 and table.at["half", "p"] == 1
    noise = table.loc["noise"]
    assert noise["macro_f1"] < 0.6 and noise["ci_low"] <= noise["macro_f1"] <= noise["ci_high"]
    assert noise["drop_high"] < 0 and noise["p_holm"] < 0.01
    assert noise["bitrate_bps"] == 24_000
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "figures"}
    assert len(list((tmp_path / "out" / "figures").glob("*.svg"))) == 4
    assert any("change against the originals -" in sentence and "noise" in sentence for sentence in sentences)


def test_every_file_is_decoded_once_and_its_features_computed_once(
    yardstick: SerModel, pairs: pd.DataFrame, features: Path, monkeypatch
) -> None:
    read: Counter[Path] = Counter()

    def counted(path: Path) -> Speech:
        read.update([path])
        return read_speech(path)

    monkeypatch.setattr("analysis.ser.features.read_speech", counted)
    judged = judge_pairs(yardstick, pairs, FeatureStore(features, get_upstream("functionals")), workers=1)
    assert len(judged.rows) == 72
    assert set(read.values()) == {1}
    assert read.keys() == {Path(path) for path in (*pairs["reference"], *pairs["degraded"])}


@pytest.mark.neural
def test_evaluation_keeps_to_the_threads_that_it_is_given(
    train: Train, pairs: pd.DataFrame, features: Path, tmp_path: Path, monkeypatch
) -> None:
    import torch

    seen: list[tuple[set[int], int]] = []
    predict = SerModel.predict

    def spied(model: SerModel, fold: str, clips: Sequence[Layers]) -> FloatArray:
        found = predict(model, fold, clips)
        seen.append(({pool["num_threads"] for pool in threadpool_info()}, torch.get_num_threads()))
        return found

    model = train(tmp_path / "model", downstream="mean-linear", recipe=replace(QUICK, epochs=1))
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    monkeypatch.setattr(SerModel, "predict", spied)
    before = torch.get_num_threads()
    command = ["ser", "evaluate", str(model.folder), str(tmp_path / "pairs.csv"), "--out", str(tmp_path / "out")]
    command += ["--features", str(features), "--replicates", "10", "--device", "cpu"]
    try:
        with threadpool_limits(3):
            torch.set_num_threads(3)
            assert not analysis(command)
            assert set(map(str, seen)) == {"({1}, 1)"}
            assert {pool["num_threads"] for pool in threadpool_info()} == {3}
        # A program that has not loaded PyTorch when its limits begin is bounded by PyTorch's own.
        for threads in (3, 1):  # one of them is not what the machine had before
            predict(open_model(model.folder, "cpu", threads=threads), "ann", [np.zeros((1, 43, 240), dtype=np.float32)])
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_each_clip_is_judged_by_the_fold_that_has_not_heard_its_speaker(
    yardstick: SerModel, pairs: pd.DataFrame, store: FeatureStore, monkeypatch
) -> None:
    asked: list[str] = []
    predict = SerModel.predict

    def counted(model: SerModel, fold: str, clips: Sequence[Layers]) -> FloatArray:
        asked.append(fold)
        return predict(model, fold, clips)

    monkeypatch.setattr(SerModel, "predict", counted)
    judged = judge_pairs(yardstick, pairs, store, workers=1)
    assert Counter(asked) == Counter(judged.rows["speaker"])
    originals = judged.chances[(judged.rows["condition"] == "source").to_numpy()]
    kept = pd.read_csv(yardstick.folder / "originals.csv").set_index("clip_id")
    names = judged.rows.loc[judged.rows["condition"] == "source", "clip_id"]
    assert np.allclose(originals, kept.loc[names, list(judged.emotions)], atol=1e-6)


def test_unknown_clips_are_left_out_and_said_and_a_broken_file_costs_its_row_alone(
    yardstick: SerModel, pairs: pd.DataFrame, store: FeatureStore, tmp_path: Path
) -> None:
    stranger = pairs.iloc[[0]].assign(clip_id="stranger")
    broken = pairs.copy()
    Path(broken["degraded"].iat[0]).write_bytes(b"no audio")
    judged = judge_pairs(yardstick, pd.concat([broken, stranger]), store, workers=1)
    assert "1 pairs are of clips that the model cannot judge" in judged.notes[0]
    assert "1 stimuli could not be judged." in judged.notes[1]
    assert np.isnan(judged.chances[:, 0]).sum() == 1
    table = objective_retention(judged, replicates=50, permutations=99).overall.set_index("condition")
    assert table.at["half", "n_clips"] == 23 and table.at["noise", "n_clips"] == 24
    scores = scores_by_stimulus(judged)
    assert scores[scores["score"].isna()]["reason"].str.contains("cannot be decoded").all()
    assert scores["score"].isna().sum() == 2
    with pytest.raises(SerError, match="None of the pairs is of a clip that the model can judge"):
        judge_pairs(yardstick, stranger, store)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pairs: pd.concat([pairs, pairs.iloc[[0]].assign(degraded="other.wav")]), "has two stimuli"),
        (lambda pairs: pd.concat([pairs, pairs.iloc[[0]].assign(condition="x", reference="other.wav")]), "has two originals"),
        (lambda pairs: pairs.assign(condition=""), "The pairs have no condition"),
    ],
)
def test_pairs_that_contradict_themselves_are_refused(change, message, yardstick, pairs, store) -> None:
    with pytest.raises(SerError, match=message):
        judge_pairs(yardstick, change(pairs), store)


def test_other_weights_than_the_model_was_trained_on_are_refused(yardstick, pairs, features: Path) -> None:
    with pytest.raises(SerError, match="these are other weights"):
        judge_pairs(yardstick, pairs, FeatureStore(features, get_upstream("fbank")))


def judgements(truth: np.ndarray, original: np.ndarray, coded: np.ndarray, speakers: list[str]) -> Judgements:
    """One-hot labels and predictions given as numbers of emotions."""
    n = len(truth)
    eye = np.eye(len(EMOTIONS))
    clips = [f"c{i}" for i in range(n)]
    rows = pd.DataFrame(
        {
            "clip_id": clips * 2,
            "condition": ["original"] * n + ["codec"] * n,
            "path": "",
            "speaker": speakers * 2,
            "problem": "",
        }
    )
    return Judgements(EMOTIONS, "original", rows, eye[np.r_[original, coded]], eye[np.r_[truth, truth]], ())


def test_scores_are_those_of_scikit_learn_and_drops_those_of_table_4() -> None:
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 3, 90)
    original = np.where(rng.random(90) < 0.8, truth, rng.integers(0, 3, 90))
    coded = np.where(rng.random(90) < 0.5, truth, rng.integers(0, 3, 90))
    found = objective_retention(judgements(truth, original, coded, ["s"] * 90), replicates=200, permutations=199)
    before, after = f1_score(truth, original, average=None), f1_score(truth, coded, average=None)
    row = found.overall.set_index("condition").loc["codec"]
    assert row["macro_f1"] == pytest.approx(after.mean()) and row["macro_f1_original"] == pytest.approx(before.mean())
    assert row["relative_drop"] == pytest.approx(100 * (after.mean() - before.mean()) / before.mean())
    mine = found.by_emotion[found.by_emotion["condition"] == "codec"]
    assert np.allclose(mine["relative_drop"], 100 * (after - before) / before)
    assert (mine["drop_low"] <= mine["relative_drop"]).all() and (mine["relative_drop"] <= mine["drop_high"]).all()


def test_an_emotion_never_recognised_has_no_relative_change_and_says_so() -> None:
    truth = np.array([0, 0, 1, 1])
    found = objective_retention(
        judgements(truth, np.zeros(4, int), np.zeros(4, int), list("abcd")), replicates=20, permutations=9
    )
    joy, fear = (found.by_emotion[found.by_emotion["emotion"] == name].iloc[-1] for name in ("joy", "fear"))
    assert joy["f1"] == 0 and np.isnan(joy["relative_drop"]) and "no relative change" in joy["note"]
    assert np.isnan(fear["f1"]) and fear["note"] == "in no label set of either side"
    assert "without fear" in found.overall["note"].iat[1]


def test_an_emotion_lost_in_every_clip_has_no_interval_of_zero_width() -> None:
    truth = np.tile([0, 1], 10)
    found = objective_retention(judgements(truth, truth, np.zeros(20, int), ["s"] * 20), replicates=50, permutations=9)
    joy = found.by_emotion[found.by_emotion["emotion"] == "joy"].iloc[-1]
    assert joy["relative_drop"] == -100 and np.isnan(joy["drop_low"]) and np.isnan(joy["ci_low"])
    assert joy["note"] == "recognised in no clip: no interval"


def test_speakers_are_drawn_whole_and_two_make_the_interval_wider_than_forty_clips() -> None:
    truth = np.tile([0, 1, 2, 0], 10)
    coded = np.where(np.arange(40) < 20, truth, (truth + 1) % 3)
    judged = judgements(truth, truth, coded, ["a"] * 20 + ["b"] * 20)
    by_clip, by_speaker = (
        objective_retention(judged, cluster=cluster, replicates=400, permutations=999)
        .overall.set_index("condition")
        .loc["codec"]
        for cluster in ("clip", "speaker")
    )
    assert by_speaker["ci_high"] - by_speaker["ci_low"] > by_clip["ci_high"] - by_clip["ci_low"]
    assert by_clip["p"] < 0.01 < by_speaker["p"]
    assert "only 2 speakers" in by_speaker["note"]


def test_the_interval_holds_the_true_score_about_as_often_as_it_says() -> None:
    """A machine that is right in 60 % of clips, three emotions alike: macro-F1 of endless clips is 0.6."""
    rng = np.random.default_rng(11)
    held = 0
    for seed in range(60):
        truth = rng.integers(0, 3, 80)
        coded = np.where(rng.random(80) < 0.6, truth, (truth + rng.integers(1, 3, 80)) % 3)
        row = objective_retention(
            judgements(truth, truth, coded, ["s"] * 80), replicates=200, seed=seed, permutations=1
        ).overall.iloc[1]
        held += row["ci_low"] <= 0.6 <= row["ci_high"]
    assert held >= 51  # 95 % of 60 is 57, three standard errors are 5


def test_a_stimulus_scores_by_what_is_heard_in_it() -> None:
    judged = judgements(np.array([0, 1]), np.array([0, 2]), np.array([0, 2]), ["a", "b"])
    table = scores_by_stimulus(judged).pivot(index="clip_id", columns="measure", values="score")
    assert table.loc["c0"].tolist() == [1, 1]
    assert table.loc["c1", "ser_labels"] == 0 and table.loc["c1", "ser_original"] == 1
    assert threshold_votes(judged.chances).sum() == 4
