"""``python -m analysis compare SCORES.csv RATINGS.csv --out DIR``, and the files of machines that a report reads too."""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

from analysis.compare import Recogniser
from analysis.report.beside import write_comparison
from analysis.schema import SchemaError, read_cells

REPLICATES = 1000


def add_compare_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The sub-command ``compare``."""
    parser = commands.add_parser("compare", help="say how far measures agree with people")
    parser.set_defaults(command=_compare)
    parser.add_argument("scores", type=Path, metavar="SCORES", help="CSV: clip_id, condition, measure, score")
    parser.add_argument("ratings", type=Path, metavar="RATINGS", help="tidy CSV or Parquet file of ratings")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    parser.add_argument("--reference", default="original", metavar="CONDITION", help="yardstick of emotion retention")
    parser.add_argument("--emotions", default="", metavar="A,B,…", help="emotions that raters could choose")
    parser.add_argument(
        "--replicates", type=int, default=REPLICATES, metavar="N", help=f"of the bootstrap (default {REPLICATES})"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the bootstrap (default 0)")
    add_recogniser_option(parser)


def add_recogniser_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ser", type=Path, metavar="DIR", help="folder with ser.csv and ser_by_emotion.csv of a recogniser")


def read_scores(path: Path) -> pd.DataFrame:
    """A file of scores; what is wrong with its columns is said where they are used. Raises SchemaError, OSError."""
    try:
        return read_cells(path)
    except SchemaError as error:
        raise SchemaError(f"The scores in {path} could not be read: {error}") from error


def read_recogniser(folder: Path | None) -> Recogniser | None:
    """``ser.csv`` and, where it is there, ``ser_by_emotion.csv`` of a folder. Raises SchemaError, OSError."""
    if folder is None:
        return None
    overall = _table(folder / "ser.csv", ("condition", "macro_f1"))
    detail = folder / "ser_by_emotion.csv"
    if not detail.exists():
        return Recogniser(overall)
    return Recogniser(overall, _table(detail, ("condition", "emotion", "f1")))


def _table(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype={"condition": str, "emotion": str})
    except ValueError as error:
        raise SchemaError(f"{path} could not be read as CSV: {error}") from error
    if missing := [name for name in columns if name not in table.columns]:
        raise SchemaError(f"{path} has no column {', '.join(map(repr, missing))}.")
    return table


def _compare(options: argparse.Namespace) -> None:
    for sentence in write_comparison(
        read_scores(options.scores),
        options.ratings,
        options.out,
        reference=options.reference,
        emotions=[name.strip() for name in options.emotions.split(",") if name.strip()] or None,
        recogniser=read_recogniser(options.ser),
        replicates=options.replicates,
        seed=options.seed,
    ):
        print(sentence)
