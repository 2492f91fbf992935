"""From a model and pairs of files to tables, figures and sentences on what a machine still recognises in each condition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from analysis.files import write_whole
from analysis.report.conditions import ConditionInfo, describe_conditions
from analysis.report.page import file_styles
from analysis.report.provenance import code_digest, file_sha256
from analysis.ser.features import FeatureStore
from analysis.ser.figures import evaluation_figures
from analysis.ser.judging import Judgements, judge_pairs
from analysis.ser.model import DESCRIPTION, SerModel, write_table
from analysis.ser.objective_retention import ObjectiveRetention, objective_retention, scores_by_stimulus

FILES = ("ser.csv", "ser_by_emotion.csv", "ser_predictions.csv", "ser_scores.csv", "ser.json")


def evaluate_model(
    model: SerModel,
    pairs: pd.DataFrame,
    out: Path,
    store: FeatureStore,
    *,
    conditions: pd.DataFrame | None = None,
    cluster: str = "clip",
    replicates: int = 2000,
    seed: int = 0,
    workers: int | None = None,
    given: Mapping[str, str] | None = None,
) -> tuple[ObjectiveRetention, list[str]]:
    """Judge the pairs and write `FILES` and ``figures/`` into ``out``; returns the scores and sentences that say them.

    ``conditions`` tells labels, families and bit rates, in the columns that a report's table of conditions has. ``given`` is
    provenance that the caller knows.
    """
    n_files = len(set(pairs["reference"]) | set(pairs["degraded"]))
    with tqdm(total=n_files, desc="judging", unit="file", delay=2, leave=False, disable=None) as bar:
        judged = judge_pairs(model, pairs, store, workers, bar.update)
    scores = objective_retention(judged, cluster=cluster, replicates=replicates, seed=seed)
    infos = describe_conditions(scores.overall["condition"], judged.reference, conditions)
    rates = {info.slug: info.bps for info in infos if info.bps is not None}
    order = {info.slug: place for place, info in enumerate(infos)}
    overall = scores.overall.sort_values("condition", key=lambda column: column.map(order))
    write_table(out, "ser.csv", overall.assign(bitrate_bps=overall["condition"].map(rates)))
    write_table(out, "ser_by_emotion.csv", scores.by_emotion)
    write_table(out, "ser_predictions.csv", _predictions(judged))
    write_table(out, "ser_scores.csv", scores_by_stimulus(judged))
    for name, drawing in evaluation_figures(scores, infos).items():
        write_whole(out / "figures" / name, drawing.svg(file_styles()).encode())
    described: dict[str, Any] = {
        "model": dict(model.settings),
        "model_sha256": file_sha256(model.folder / DESCRIPTION),
        "reached_on_recordings": model.description["reached"],
        "reference": judged.reference,
        "method": {"interval": f"95 %, bootstrap over {cluster}s", "replicates": replicates, "seed": seed},
        "notes": list(judged.notes),
        "analysis_code": code_digest(),
        **(given or {}),
    }
    write_whole(out / "ser.json", (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode())
    return scores, [*judged.notes, *(_said(row, infos) for row in overall.to_dict("records"))]


def _predictions(judged: Judgements) -> pd.DataFrame:
    """Every judged file with the labels of its clip (``labels:``) and what the model hears in it."""
    labels = pd.DataFrame(judged.shares, columns=[f"labels:{name}" for name in judged.emotions])
    return judged.rows.join(pd.DataFrame(judged.chances, columns=list(judged.emotions))).join(labels)


def _said(row: Mapping[Any, Any], infos: list[ConditionInfo]) -> str:
    info = next(info for info in infos if info.slug == row["condition"])
    words = f"{info.label}: macro-F1 {_spread(row['macro_f1'], row['ci_low'], row['ci_high'], 2)} on {row['n_clips']} clips"
    if not info.is_reference and pd.notna(row["relative_drop"]):
        change = _spread(row["relative_drop"], row["drop_low"], row["drop_high"], 0)
        words += f"; change against the originals {change} %, p = {row['p_holm']:.2g} (Holm)"
    return words + "."


def _spread(value: float, low: float, high: float, digits: int) -> str:
    """A number with its interval.

    >>> _spread(-12.3, -20.0, -4.0, 0)
    '-12 [-20, -4]'
    """
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
