"""Signal measures of many pairs against a loop that reads both files for each measure, with equal scores.

Without DNSMOS, whose model would be nearly all of the time, and with more conditions than cores. Stimuli are 48 kHz files. They are
measured at the rate that their recordings had, as jobs do: 16 kHz for most corpora of emotional speech, and 48 kHz.
"""

from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
import soundfile as sf

from analysis.audio import read_audio, resample
from analysis.objective import MEASURES, Clip, Pair, get_measure
from analysis.objective.pairs import Group, measure_groups

AUDIO = sorted((Path(__file__).resolve().parents[2] / "analysis/corpora/synthetic/audio").glob("*_a.flac"))[:6]
N_CONDITIONS, FILE_RATE = 10, 48_000
KEYS = tuple(key for key in MEASURES if not key.startswith("dnsmos") and not get_measure(key).missing)


def make_groups(folder: Path, rate: int) -> list[Group]:
    """Clips with the stimuli that noise makes of them, to be measured at ``rate``."""
    groups = []
    for clip in AUDIO:
        samples = resample(*read_audio(clip), FILE_RATE)
        reference = folder / f"{clip.stem}.flac"
        sf.write(reference, samples, FILE_RATE)
        wanted = []
        for condition in range(N_CONDITIONS):
            noise = 0.003 * (1 + condition) * np.random.default_rng(condition).standard_normal(len(samples))
            degraded = folder / f"{clip.stem}_{condition}.flac"
            sf.write(degraded, samples + noise, FILE_RATE)
            wanted.append((str(degraded), KEYS))
        groups.append(Group(str(reference), tuple(wanted), rate))
    return groups


def read_at(path: str, rate: int) -> Clip:
    return Clip(resample(*read_audio(Path(path)), rate), rate)


def one_by_one(groups: list[Group], rate: int) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for group in groups:
        for path, keys in group.wanted:
            for key in keys:
                pair = Pair(reference=read_at(group.reference, rate), degraded=read_at(path, rate))
                values.setdefault(path, []).append(get_measure(key).score(pair).value)
    return values


@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_speed_against_a_loop_that_reads_again_for_each_measure(tmp_path: Path, rate: int) -> None:
    groups = make_groups(tmp_path, rate)
    list(measure_groups(groups[:2]))  # the processes have started and imported what they need
    start = perf_counter()
    results = list(measure_groups(groups))
    together = perf_counter() - start
    start = perf_counter()
    values = one_by_one(groups, rate)
    alone = perf_counter() - start
    for group, found in results:
        for (path, _), scores in zip(group.wanted, found, strict=True):
            # Ours keeps the linear algebra of each process to one thread, which sums in another order than the loop's threads.
            mine = [score.value for score in scores.values()]
            np.testing.assert_allclose(mine, values[path], rtol=1e-9, atol=1e-9)
    n = len(values)
    per_pair = f"{1000 * together / n:.0f} ms per pair, loop {1000 * alone / n:.0f} ms"
    print(f"\n{n} pairs × {len(KEYS)} measures at {rate // 1000} kHz: {per_pair}: {alone / together:.1f}×")
