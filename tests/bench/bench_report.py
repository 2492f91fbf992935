"""The whole report of a million ratings, from the file to the page: seconds and memory. Aim: 30 s and 2 GB on two cores."""

import resource
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd

REPO = Path(__file__).resolve().parents[2]
N_RATERS, N_CLIPS, N_CONDITIONS, TRIALS = 20_000, 500, 20, 25
EMOTIONS = np.array(["anger", "boredom", "disgust", "fear", "happiness", "neutral", "sadness"])


def million_ratings(path: Path) -> int:
    """Half a million votes on quality and as many on emotion: 20,000 raters of 25 trials, 500 clips, 20 conditions."""
    rng = np.random.default_rng(1)
    rater = np.repeat(np.arange(N_RATERS), TRIALS)
    clip = (rater * 7 + np.tile(np.arange(TRIALS), N_RATERS) * 20) % N_CLIPS
    condition = (rater + np.tile(np.arange(TRIALS), N_RATERS)) % N_CONDITIONS
    level = np.linspace(4.6, 1.8, N_CONDITIONS)[condition]
    vote = level + rng.normal(0, 0.4, N_RATERS)[rater] + rng.normal(0, 0.3, N_CLIPS)[clip] + rng.normal(0, 0.8, len(rater))
    heard = np.where(rng.random(len(rater)) < 0.9 - 0.02 * condition, clip % len(EMOTIONS), rng.integers(0, 7, len(rater)))
    names = pd.Series([f"codec-{number:02d}" for number in range(N_CONDITIONS)]).replace("codec-00", "original").to_numpy()
    clips, slugs = pd.Series(clip).map("c{:03d}".format), names[condition]
    base = {
        "rater_id": pd.Series(rater).map("r{:05d}".format),
        "stimulus_id": clips + "__" + slugs,
        "clip_id": clips,
        "condition": slugs,
        "stratum": np.where(rater % 2, "female", "male"),
    }
    quality = pd.DataFrame(
        base | {"scale": "ovrl", "value": np.clip(np.rint(vote), 1, 5).astype(int).astype(str), "labels": ""}
    )
    emotion = pd.DataFrame(base | {"scale": "emotion", "value": "", "labels": EMOTIONS[heard]})
    frame = pd.concat([quality, emotion], ignore_index=True)
    frame.to_csv(path, index=False)
    return len(frame)


def test_seconds_and_memory_of_a_report_on_a_million_ratings(tmp_path: Path) -> None:
    n = million_ratings(tmp_path / "ratings.csv")
    command = [sys.executable, "-m", "analysis", "report", str(tmp_path / "ratings.csv"), "--out", str(tmp_path / "out")]
    start, before = perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=REPO, check=True, capture_output=True)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"\n{n:,} ratings: {perf_counter() - start:.1f} s, {cpu:.1f} s of CPU, {used.ru_maxrss / 1e6:.2f} GB at most")
