"""Codec-SUPERB's overall scores.

The paper describes them ("normalised, sigmoid, harmonic mean") and publishes no code. The formula below is the one that reproduces
its tables; others that fit the words miss them by 0.04 and more.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import exp

import numpy as np
import pandas as pd

DOMAINS = {
    "speech": ("stft", "mel", "pesq", "stoi"),
    "audio": ("stft", "mel"),
    "music": ("stft", "mel", "pesq", "stoi", "f0corr"),
}
OF_KEY = {f"codec_superb_{name}": name for name in DOMAINS["music"]}


def harmonic_mean(values: Iterable[float]) -> float:
    """n / Σ(1/x); 0 where one of them is 0, NaN where one is.

    >>> harmonic_mean([1.0, 0.5])
    0.6666666666666666
    """
    numbers = np.asarray(list(values), dtype=np.float64)
    if np.isnan(numbers).any() or len(numbers) == 0:
        return float("nan")
    return float(len(numbers) / np.sum(1 / numbers)) if (numbers > 0).all() else 0.0


def normalise(measure: str, value: float) -> float:
    """A mean of Codec-SUPERB's on its scale from 0 to 1: distances d as 1 / (1 + exp(−1/d)), PESQ as (p + 0.5) / 5, the rest as is.

    Cut off at 0 and 1, because PESQ of identical signals would stand above 1.

    >>> normalise("stft", 0.0), normalise("pesq", 2.0), normalise("stoi", 0.9)
    (1.0, 0.5, 0.9)
    """
    if measure in ("stft", "mel"):
        value = 1 / (1 + exp(-min(1 / value, 700))) if value > 0 else 1.0
    elif measure == "pesq":
        value = (value + 0.5) / 5
    return min(1.0, max(0.0, value)) if value == value else value


def overall_score(means: Mapping[str, float], domain: str) -> float:
    """One data set's overall score, 0 to 1: the harmonic mean of the normalised means of the domain's measures.

    >>> round(overall_score({"stft": 1.9304, "mel": 0.8989, "pesq": 2.4514, "stoi": 0.9146}, "speech"), 4)
    0.7003
    """
    return harmonic_mean(normalise(measure, means[measure]) for measure in DOMAINS[domain])


def domain_score(overall_of_dataset: Mapping[str, float]) -> float:
    """A domain's score: the harmonic mean over its data sets."""
    return harmonic_mean(overall_of_dataset.values())


def benchmark_table(scores: pd.DataFrame, domain: str = "speech", by: Sequence[str] = ("condition",)) -> pd.DataFrame:
    """From scores (condition, measure, score, optionally dataset) to each condition's overall score, as the benchmark aggregates.

    Means over the clips of a data set first (clips without a value left out), then the data set's overall score, then their harmonic
    mean. Columns: those of ``by``, the normalised measures of ``domain`` are not repeated; ``overall`` (NaN where a measure is
    missing) and ``n_datasets``.
    """
    frame = scores[scores["measure"].isin(OF_KEY)].assign(part=lambda rows: rows["measure"].map(OF_KEY))
    if "dataset" not in frame.columns:
        frame = frame.assign(dataset="")
    rows = []
    for key, of_condition in frame.groupby(list(by), sort=True):
        per_dataset = {
            str(dataset): _of_means(part.groupby("part")["score"].mean(), domain)
            for dataset, part in of_condition.groupby("dataset")
        }
        rows.append((*key, domain_score(per_dataset), len(per_dataset)))
    return pd.DataFrame(rows, columns=[*by, "overall", "n_datasets"])


def _of_means(means: "pd.Series[float]", domain: str) -> float:
    if not set(DOMAINS[domain]) <= set(means.index):
        return float("nan")
    return overall_score({str(name): float(value) for name, value in means.items()}, domain)
