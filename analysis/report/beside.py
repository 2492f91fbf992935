"""A comparison of machines with people as files of its own, without the rest of a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.compare import Recogniser, compare, is_falling
from analysis.report.conditions import describe_conditions
from analysis.report.machines import TABLE_HEADS, machines
from analysis.report.page import file_styles
from analysis.report.tables import markdown_table
from analysis.schema import read_ratings, select_usable, split_panels


def write_comparison(
    scores: pd.DataFrame,
    ratings: Path,
    out: Path,
    *,
    reference: str,
    emotions: Sequence[str] | None,
    recogniser: Recogniser | None,
    replicates: int,
    seed: int,
) -> list[str]:
    """Write comparison.csv, comparison_by_emotion.csv, comparison_ranks.csv, comparison.md and figures; returns its sentences.

    Raises SchemaError when the files cannot be compared, and OSError.
    """
    used = select_usable(split_panels(read_ratings(ratings), reference)).used
    found = compare(
        scores,
        used,
        reference=reference,
        emotions=emotions,
        recogniser=recogniser,
        falling=is_falling,
        replicates=replicates,
        seed=seed,
    )
    beside = machines(describe_conditions(used["condition"].unique(), reference, None), found)
    (out / "figures").mkdir(parents=True, exist_ok=True)
    for name, table in (("", found.overall), ("_by_emotion", found.by_emotion), ("_ranks", found.ranks)):
        table.to_csv(out / f"comparison{name}.csv", index=False, float_format="%.6f", lineterminator="\n")
    for figure in beside.figures:
        (out / "figures" / f"{figure.key}.svg").write_text(figure.wide.svg(file_styles()), encoding="utf-8")
    sentences = [*found.notes, *beside.sentences]
    figures = [f"![{figure.title}](figures/{figure.key}.svg)" for figure in beside.figures]
    parts = ["# Machines beside people", *sentences, markdown_table(TABLE_HEADS, beside.rows), *figures]
    (out / "comparison.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return sentences
