"""Simulated studies with known raters: how often intervals hold the truth, and whom screening removes.

Votes on 1 to 5 are rounded from truth + condition + clip + rater's bias + his own noise; careless raters answer at random, repeat
one answer, or turn the scale round. What an interval must hold is what endless careful raters would answer on endless clips: the mean of
the rounded votes, which is computed exactly from the normal distribution and not from another simulation.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import encode
from analysis.ratings.contrasts import contrasts
from analysis.ratings.mos import Interval, mos_by_condition
from analysis.ratings.screening import RULE_SETS, apply_exclusions, screen
from analysis.schema import select_usable, validate_ratings

BIAS_SD, CLIP_SD, NOISE = 0.4, 0.5, (0.5, 0.9)
LATENT = {"codec-a": 3.6, "codec-b": 2.8}
RULES = RULE_SETS["p808-personalised"].without("gold").without("trap").without("play_through").without("time")
Answer = Callable[[np.ndarray, np.random.Generator], np.ndarray]

CARELESS: dict[str, Answer] = {
    "random": lambda votes, rng: rng.integers(1, 6, len(votes)),
    "same": lambda votes, rng: np.full(len(votes), 3),
    "reversed": lambda votes, rng: 6 - votes,
}


def expected_mos(latent: float) -> float:
    """Mean rounded vote of a careful rater drawn at random on a clip drawn at random; noise SD uniform over its range."""
    sds = np.linspace(*NOISE, 201)
    spread = np.sqrt(BIAS_SD**2 + CLIP_SD**2 + sds**2)[:, None]
    above = stats.norm.sf((np.arange(1.5, 5) - latent) / spread)
    return float(1 + np.trapezoid(above.sum(axis=1), sds) / (NOISE[1] - NOISE[0]))


def study(rng: np.random.Generator, n_raters: int, n_clips: int, per_rater: int, careless: int = 0) -> pd.DataFrame:
    """Every rater rates ``per_rater`` clips, each in both conditions; the last ``careless`` raters are of the three kinds in turn."""
    bias, clip_effect = rng.normal(0, BIAS_SD, n_raters), rng.normal(0, CLIP_SD, n_clips)
    noise = rng.uniform(*NOISE, n_raters)
    tables = []
    for rater in range(n_raters):
        clips = np.repeat(rng.permutation(n_clips)[:per_rater], 2)
        condition = np.tile(list(LATENT), per_rater)
        latent = np.array([LATENT[name] for name in condition]) + bias[rater] + clip_effect[clips]
        votes = np.clip(np.rint(latent + rng.normal(0, noise[rater], len(clips))), 1, 5).astype(int)
        kind = "careful"
        if rater >= n_raters - careless:
            kind = list(CARELESS)[rater % 3]
            votes = CARELESS[kind](votes, rng)
        names = {"rater_id": f"{kind}{rater:03d}", "clip_id": [f"c{c:03d}" for c in clips], "condition": condition}
        tables.append(pd.DataFrame({**names, "value": votes}))
    frame = pd.concat(tables, ignore_index=True).assign(scale="ovrl", labels="")
    return validate_ratings(frame.assign(stimulus_id=frame["clip_id"] + "/" + frame["condition"]))


def covered(rng: np.random.Generator, sizes: tuple[int, int, int], interval: Interval, studies: int) -> dict[str, float]:
    """Shares of studies whose interval holds the truth: MOS by ``interval``, the difference, and MOS with votes as independent."""
    truth = {name: expected_mos(latent) for name, latent in LATENT.items()}
    hits = {"mos": 0.0, "difference": 0.0, "independent": 0.0}
    for number in range(studies):
        scales = encode(study(rng, *sizes))
        bootstrap = CrossedBootstrap(sizes[0], sizes[1], 400, number)
        table = mos_by_condition(scales, bootstrap, interval=interval).frame.set_index("condition")
        for name, value in truth.items():
            row = table.loc[name]
            hits["mos"] += (row["ci_low"] <= value <= row["ci_high"]) / 2
            hits["independent"] += (abs(row["mos"] - value) <= 1.96 * row["sd"] / np.sqrt(row["n_ratings"])) / 2
        pair = contrasts(scales, bootstrap).iloc[0]
        hits["difference"] += pair["ci_low"] <= truth["codec-a"] - truth["codec-b"] <= pair["ci_high"]
    return {name: count / studies for name, count in hits.items()}


def removed(rng: np.random.Generator, studies: int, per_rater: int) -> tuple[dict[str, float], list[float], list[float]]:
    """Share of each kind of rater that screening removes; error of a MOS without and with screening in every study."""
    counts: dict[str, list[bool]] = {kind: [] for kind in ("careful", *CARELESS)}
    before: list[float] = []
    after: list[float] = []
    for _ in range(studies):
        frame = study(rng, 40, 24, per_rater, careless=9)
        result = screen(frame, RULES)
        out = set(result.exclusions["rater_id"])
        for rater in frame["rater_id"].unique():
            counts[rater.rstrip("0123456789")].append(rater in out)
        screened = select_usable(apply_exclusions(frame, result.exclusions)).used
        for table, errors in ((frame, before), (screened, after)):
            errors.append(float(table.loc[table["condition"] == "codec-a", "value"].mean()) - expected_mos(LATENT["codec-a"]))
    return {kind: float(np.mean(found)) for kind, found in counts.items()}, before, after


def test_the_truth_is_that_of_very_many_simulated_votes() -> None:
    rng = np.random.default_rng(0)
    for latent in LATENT.values():
        drawn = latent + rng.normal(0, BIAS_SD, 10**6) + rng.normal(0, CLIP_SD, 10**6)
        drawn += rng.normal(0, 1, 10**6) * rng.uniform(*NOISE, 10**6)
        assert np.clip(np.rint(drawn), 1, 5).mean() == pytest.approx(expected_mos(latent), abs=4e-3)


def test_intervals_of_rounded_votes_cover_at_their_level_and_independent_ones_do_not() -> None:
    shares = covered(np.random.default_rng(31), (30, 30, 20), "auto", 60)
    # three standard errors of a share of 95 % in 60 studies are 8 points
    assert shares["mos"] > 0.87 and shares["difference"] > 0.87
    assert shares["independent"] < 0.8


def test_screening_removes_the_careless_and_keeps_the_careful() -> None:
    shares, before, after = removed(np.random.default_rng(32), 12, 24)
    assert shares["same"] == 1 and shares["reversed"] > 0.95 and shares["random"] > 0.8
    assert shares["careful"] < 0.05
    assert abs(np.mean(after)) < abs(np.mean(before)), "the bias of the careless is smaller without them"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("interval", ["rescaled", "percentile", "bca", "t"])
@pytest.mark.parametrize("sizes", [(10, 10, 10), (20, 20, 20), (40, 40, 20), (60, 45, 10), (150, 45, 3)], ids=str)
def test_coverage_in_full(interval: Interval, sizes: tuple[int, int, int], capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the table of the README: 300 studies of each size, standard error of a share of 95 % 1.3 %."""
    shares = covered(np.random.default_rng(33), sizes, interval, 300)
    with capsys.disabled():
        print(f"\n{sizes} {interval}: " + ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items()))
    assert shares["mos"] > (0.88 if interval != "t" and sizes[0] == 10 else 0.91)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("per_rater", [6, 12, 24])
def test_screening_in_full(per_rater: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints the table of the README. Few votes per rater make his correlation a poor witness: the careful are then removed too."""
    shares, before, after = removed(np.random.default_rng(34), 100, per_rater)
    with capsys.disabled():
        print(
            f"\n{2 * per_rater} votes each, removed: "
            + ", ".join(f"{kind} {100 * share:.1f} %" for kind, share in shares.items())
        )
        print(f"mean error of a MOS: {np.mean(before):+.3f} without screening, {np.mean(after):+.3f} with it")
    if per_rater == 24:  # what is promised; with fewer votes the table says what screening costs
        assert shares["careful"] < 0.05
    assert min(shares[kind] for kind in CARELESS) > 0.8
