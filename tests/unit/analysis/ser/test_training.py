"""Training on a corpus by folds: what is learnt, what is kept, and that a killed training ends as if nothing had happened."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.__main__ import main as analysis
from analysis.labels import smooth_shares
from analysis.ser.downstreams.base import class_weights
from analysis.ser.downstreams.fitting import plan_batches, soft_cross_entropy
from analysis.ser.errors import SerError
from analysis.ser.features import FeatureStore
from analysis.ser.model import SerModel, fold_file, open_model, read_arrays
from analysis.ser.speech import Speech, read_speech, speech_digest
from analysis.ser.upstreams import Layers, get_upstream
from tests.unit.analysis.ser.conftest import QUICK, Train

REPO = Path(__file__).resolve().parents[4]
NETWORKS = ["cnn-self-attention", "mean-linear"]


def test_the_yardstick_hears_speakers_it_has_not_met(yardstick: SerModel) -> None:
    reached = yardstick.description["reached"]
    assert reached["n_clips"] == 24
    assert reached["uar"] > 0.9


@pytest.mark.neural
@pytest.mark.parametrize("downstream", NETWORKS)
def test_a_network_learns_to_tell_the_emotions_apart(downstream: str, train: Train, tmp_path: Path) -> None:
    model = train(tmp_path / "model", downstream=downstream, recipe=replace(QUICK, epochs=40))
    assert model.description["reached"]["uar"] > 0.8
    losses = pd.read_csv(tmp_path / "model" / "training.csv")
    assert (losses.groupby("fold").size() < 41).all()
    one = losses[losses["fold"] == "ann"]["development_loss"].to_numpy()
    assert len(one) - 1 - one.argmin() in (5, 40 - 1 - one.argmin()), "training ends five epochs after the best"


def test_no_speaker_is_judged_by_a_fold_that_learnt_from_them(yardstick: SerModel) -> None:
    for clip, fold in yardstick.test_folds.items():
        mates = yardstick.clips[yardstick.clips["speaker"] == yardstick.clips.at[clip, "speaker"]]
        assert set(mates[f"fold:{fold}"]) == {"test"}
    assert len(yardstick.test_folds) == 24


def test_a_model_says_what_it_was_made_of_and_with(yardstick: SerModel) -> None:
    described = json.loads((yardstick.folder / "model.json").read_text())
    assert described["settings"]["upstream_fingerprint"] and len(described["made_with"]["analysis_code"]) == 64
    assert {"python", "numpy", "scikit-learn"} <= described["made_with"].keys()
    assert described["settings"]["recipe"]["seed"] == QUICK.seed
    from safetensors import safe_open

    with safe_open(fold_file(yardstick.folder, "ann"), framework="np") as file:
        assert json.loads(file.metadata()["provenance"])["fold"] == "ann"


def test_a_finished_model_is_not_trained_again_and_other_settings_are_refused(yardstick: SerModel, train: Train) -> None:
    before = fold_file(yardstick.folder, "ann").stat().st_mtime_ns
    assert train(yardstick.folder, "functionals", "logistic").description == yardstick.description
    assert fold_file(yardstick.folder, "ann").stat().st_mtime_ns == before
    with pytest.raises(SerError, match="holds a model with another upstream and upstream_fingerprint"):
        train(yardstick.folder, "fbank", "logistic")


def test_training_takes_only_the_clips_that_are_selected(voices: Path, features: Path, tmp_path: Path, capsys) -> None:
    command = ["ser", "train", "--corpus", "manifest", str(voices), "--upstream", "functionals", "--downstream", "logistic"]
    command += ["--features", str(features), "--workers", "1", "--out", str(tmp_path / "model")]
    text = "speaker=ann|bob|cy; ambiguity=low; emotion=anger|sadness"
    assert not analysis([*command, "--select", text])
    clips = open_model(tmp_path / "model").clips
    assert set(clips["speaker"]) == {"ann", "bob", "cy"} and len(clips) == 12
    assert not clips.index.str.contains("neutral").any()
    assert f"12 of 24 clips are selected by '{text}'." in capsys.readouterr().out
    assert analysis([*command, "--select", "speaker=eve"]) == 2
    assert "No clip has the speaker 'eve'" in capsys.readouterr().err
    assert analysis(command) == 2, "another selection is another model"


@pytest.mark.neural
def test_the_same_seed_gives_the_same_bytes_and_another_does_not(train: Train, tmp_path: Path) -> None:
    recipe = replace(QUICK, epochs=2)
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        train(tmp_path / name, downstream="mean-linear", recipe=replace(recipe, seed=seed))
    one, two, three = ((tmp_path / name / "fold-bob.safetensors").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


@pytest.mark.neural
def test_mixed_precision_trains_too(train: Train, tmp_path: Path) -> None:
    model = train(tmp_path / "model", downstream="mean-linear", recipe=replace(QUICK, epochs=20, precision="bfloat16"))
    assert model.description["reached"]["uar"] > 0.6


@pytest.mark.neural
def test_a_training_killed_in_a_fold_ends_in_the_same_numbers(
    voices: Path, train: Train, features: Path, tmp_path: Path
) -> None:
    recipe = replace(QUICK, epochs=12, patience=12)
    train(tmp_path / "whole", recipe=recipe)
    command = [sys.executable, "-W", "ignore", "-m", "analysis", "ser", "train", "--corpus", "manifest", str(voices)]
    command += ["--out", str(tmp_path / "killed"), "--features", str(features), "--workers", "1", "--device", "cpu"]
    command += ["--epochs", "12", "--patience", "12", "--batch", "8", "--learning-rate", "3e-3"]
    process = subprocess.Popen(command, cwd=REPO, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    state = tmp_path / "killed" / "fold-2.state"
    deadline = time.monotonic() + 240
    while not state.is_file() and time.monotonic() < deadline:
        assert process.poll() is None, "the training ended before it could be killed"
        time.sleep(0.02)
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    with pytest.raises(SerError, match="has not ended"):
        open_model(tmp_path / "killed")
    assert state.is_file() and not fold_file(tmp_path / "killed", "bob").exists()
    model = train(tmp_path / "killed", recipe=recipe)
    assert not state.exists()
    for fold in ("ann", "bob", "cy", "dee"):
        whole, killed = (fold_file(tmp_path / name, fold).read_bytes() for name in ("whole", "killed"))
        assert whole == killed, fold
    assert model.description["reached"] == open_model(tmp_path / "whole").description["reached"]


@pytest.mark.neural
@pytest.mark.parametrize("downstream", NETWORKS)
def test_what_a_clip_gets_does_not_depend_on_its_batch(downstream: str, train: Train, tmp_path: Path) -> None:
    model = train(tmp_path / "model", downstream=downstream, recipe=replace(QUICK, epochs=1))
    rng = np.random.default_rng(2)
    clips = [rng.normal(size=(1, n, 240)).astype(np.float32) for n in (31, 7, 55, 1)]
    together = model.predict("ann", clips)
    alone = np.concatenate([model.predict("ann", [clip]) for clip in clips])
    assert np.allclose(together, alone, atol=1e-6)
    assert np.allclose(together.sum(axis=1), 1)


@pytest.mark.neural
def test_cnn_self_attention_is_that_of_s3prl_on_a_clip_alone(train: Train, tmp_path: Path) -> None:
    """Against the layers as ``s3prl/downstream/emotion/model.py`` stacks them, built here of PyTorch's own modules."""
    import torch
    from torch import nn

    train(tmp_path / "model", recipe=replace(QUICK, epochs=1))
    numbers = {k: torch.from_numpy(np.array(v)) for k, v in read_arrays(tmp_path / "model" / "fold-ann.safetensors").items()}
    stack = nn.Sequential(
        *(nn.AvgPool1d(5, 5, 2), nn.Dropout(0.4), nn.Conv1d(256, 80, 5, padding=2), nn.ReLU(), nn.Dropout(0.4)),
        *(nn.Conv1d(80, 80, 5, padding=2), nn.ReLU(), nn.Dropout(0.4), nn.Conv1d(80, 80, 5, padding=2)),
    ).eval()
    for place, index in ((2, 0), (5, 1), (8, 2)):
        stack[place].weight.data = numbers[f"body.convolutions.{index}.weight"]
        stack[place].bias.data = numbers[f"body.convolutions.{index}.bias"]
    clip = np.random.default_rng(4).normal(size=(1, 43, 240)).astype(np.float32)
    x = (torch.from_numpy(clip[0]) - numbers["mean"]) / numbers["sd"]
    x = nn.functional.linear(x, numbers["projector.weight"], numbers["projector.bias"])
    x = stack(x.T[None])[0].T
    share = torch.softmax(nn.functional.linear(x, numbers["body.attention.weight"], numbers["body.attention.bias"])[:, 0], 0)
    hidden = torch.relu(nn.functional.linear(share @ x, numbers["body.hidden.weight"], numbers["body.hidden.bias"]))
    logits = nn.functional.linear(hidden, numbers["body.classes.weight"], numbers["body.classes.bias"])
    found = open_model(tmp_path / "model").predict("ann", [clip])[0]
    assert np.allclose(found, torch.softmax(logits, 0).detach().numpy(), atol=1e-6)


@pytest.mark.neural
def test_the_loss_is_emo_superbs_by_hand() -> None:
    import torch

    shares = np.array([[1.0, 0, 0], [0, 0.5, 0.5], [1.0, 0, 0]])
    target = smooth_shares(shares)
    weights = class_weights(shares)
    beta = 2 / 3
    raw = np.array([(1 - beta) / (1 - beta**n) for n in (2, 1, 1)])
    assert np.allclose(weights, 3 * raw / raw.sum())
    logits = np.array([[2.0, 0, -1], [0.3, 0.1, 0], [0, 1, 0]])
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    by_hand = np.mean((target @ weights) * -(target * logs).sum(axis=1))
    found = soft_cross_entropy(*(torch.from_numpy(values) for values in (logits, target, weights)))
    assert float(found) == pytest.approx(by_hand)


def test_batches_hold_clips_of_like_length_and_every_clip_once() -> None:
    lengths = list(range(100))
    batches = list(plan_batches(lengths, 10, np.random.default_rng(1)))
    assert sorted(clip for batch in batches for clip in batch) == lengths
    assert max(max(batch) - min(batch) for batch in batches) == 9
    assert batches != list(plan_batches(lengths, 10, np.random.default_rng(2)))


def heard_one(store: FeatureStore, path: Path) -> Layers:
    found = next(iter(store.hear([path]))).layers
    assert found is not None
    return found


def test_features_are_computed_once_and_a_damaged_file_counts_as_absent(voices: Path, tmp_path: Path, monkeypatch) -> None:
    store = FeatureStore(tmp_path, get_upstream("fbank"))
    asked: list[int] = []
    extract = store.upstream.extract

    def counted(clips: Sequence[Speech]) -> list[Layers]:
        asked.append(len(clips))
        return extract(clips)

    monkeypatch.setattr(store.upstream, "extract", counted, raising=False)
    path = voices / "ann_anger_a.wav"
    first = heard_one(store, path)
    assert np.array_equal(heard_one(store, path), first)
    assert asked == [1]
    first = np.array(first)
    kept = next(tmp_path.rglob(f"{speech_digest(read_speech(path))}.npy"))
    kept.write_bytes(kept.read_bytes()[:100])
    assert np.array_equal(heard_one(store, path), first)
    assert asked == [1, 1]


def test_a_processes_pool_gives_the_same_features(voices: Path, tmp_path: Path) -> None:
    paths = sorted(voices.glob("*.wav"))[:3]
    here, there = (FeatureStore(tmp_path / name, get_upstream("fbank")) for name in ("here", "there"))
    alone = {path: heard_one(here, path) for path in paths}
    found = {heard.path: heard for heard in there.hear([*paths, voices / "missing.wav"], workers=2)}
    assert "There is no file" in found.pop(voices / "missing.wav").problem
    assert found.keys() == alone.keys()
    assert all(heard.layers is not None and np.array_equal(heard.layers, alone[path]) for path, heard in found.items())


def test_a_missing_pytorch_is_said_in_a_sentence(train: Train, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("analysis.ser.downstreams.networks.find_spec", lambda name: None)
    with pytest.raises(SerError, match=r"PyTorch is not installed: make install"):
        train(tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_emotion2vec_says_why_it_does_not_run(train: Train, tmp_path: Path) -> None:
    with pytest.raises(SerError, match=r"cannot be used here\. emotion2vec"):
        train(tmp_path / "model", "emotion2vec-plus", "logistic")
