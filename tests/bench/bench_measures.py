"""Signal measures of many pairs against a loop that reads both files for each measure, with equal scores.

As asked: without DNSMOS, whose model is nearly all of the time and the same on both sides, and with more conditions than cores.
"""

from pathlib import Path
from time import perf_counter

import numpy as np
import pandas as pd
import pytest
import soundfile as sf

from analysis.audio import read_audio, resample
from analysis.objective import MEASURES, Clip, Pair, get_measure
from analysis.objective.pairs import score_pairs

AUDIO = sorted((Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic/audio").glob("*_a.flac"))[:6]
N_CONDITIONS, RATE = 10, 48_000  # stimuli are 48 kHz
KEYS = [key for key in MEASURES if not key.startswith("dnsmos") and not get_measure(key).missing]


@pytest.fixture
def pairs(tmp_path: Path) -> pd.DataFrame:
    rows = []
    for clip in AUDIO:
        samples, rate = read_audio(clip)
        samples = resample(samples, rate, RATE)
        reference = tmp_path / f"{clip.stem}.flac"
        sf.write(reference, samples, RATE)
        for condition in range(N_CONDITIONS):
            noise = 0.003 * (1 + condition) * np.random.default_rng(condition).standard_normal(len(samples))
            degraded = tmp_path / f"{clip.stem}_{condition}.flac"
            sf.write(degraded, samples + noise, RATE)
            rows.append((str(reference), str(degraded)))
    return pd.DataFrame(rows, columns=["reference", "degraded"])


def one_by_one(pairs: pd.DataFrame) -> list[float]:
    values = []
    for reference, degraded in pairs[["reference", "degraded"]].itertuples(index=False):
        for key in KEYS:
            pair = Pair(reference=Clip(*read_audio(Path(reference))), degraded=Clip(*read_audio(Path(degraded))))
            values.append(get_measure(key).score(pair).value)
    return values


def test_speed_against_a_loop_that_reads_again_for_each_measure(pairs: pd.DataFrame) -> None:
    score_pairs(pairs.head(20), KEYS)  # the processes have started and imported what they need
    start = perf_counter()
    scores = score_pairs(pairs, KEYS)
    together = perf_counter() - start
    start = perf_counter()
    values = one_by_one(pairs)
    alone = perf_counter() - start
    # Ours keeps the linear algebra of each process to one thread, which sums in another order than the loop's threads.
    np.testing.assert_allclose(scores["score"].to_numpy(), np.asarray(values), rtol=1e-9, atol=1e-9)
    n = len(pairs)
    per_pair = f"{1000 * together / n:.0f} ms per pair, loop {1000 * alone / n:.0f} ms"
    print(f"\n{n} pairs × {len(KEYS)} measures: {per_pair}: {alone / together:.1f}×")
