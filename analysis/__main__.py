"""Command line: ``python -m analysis report RATINGS.csv --out DIR``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from analysis.report import write_report
from analysis.report.provenance import file_sha256
from analysis.schema import SchemaError, read_ratings, require_condition

BAD_INPUT = 2
DEFAULT_REFERENCE = "original"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, or 2 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        _report(options)
    except (SchemaError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


def _report(options: argparse.Namespace) -> None:
    ratings = read_ratings(options.ratings)
    if options.reference is not None:
        require_condition(ratings, options.reference)
    with tqdm(desc="Resampling", unit=" replicates", delay=2, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = write_report(
            ratings,
            options.out,
            reference=options.reference or DEFAULT_REFERENCE,
            seed=options.seed,
            title=options.title or options.ratings.stem,
            conditions=_conditions(options.conditions),
            emotions=options.emotions.split(",") if options.emotions else None,
            provenance={"input": options.ratings.name, "input_sha256": file_sha256(options.ratings)},
            progress=progress,
        )
    print(report.finding.headline)
    print(report.html)


def _conditions(path: Path | None) -> pd.DataFrame | None:
    if path is None:
        return None
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SchemaError(f"The table of conditions {path} could not be read: {error}") from error
    if "condition" not in table.columns:
        raise SchemaError(f"The table of conditions {path} has no column 'condition'.")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description="Statistics of listening tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="write tables, figures and a page for a file of ratings")
    report.add_argument("ratings", type=Path, metavar="RATINGS", help="tidy CSV or Parquet file of ratings")
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    report.add_argument(
        "--reference", metavar="CONDITION", help=f"condition that is the yardstick (default {DEFAULT_REFERENCE})"
    )
    report.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the bootstrap (default 0)")
    report.add_argument("--title", default="", help="title of the page (default: the name of the file)")
    report.add_argument(
        "--emotions", default="", metavar="A,B,…", help="emotions that raters could choose (default: those that occur)"
    )
    report.add_argument("--conditions", type=Path, metavar="CSV", help="condition, label, family, nominal_bps, measured_bps")
    return parser


if __name__ == "__main__":
    sys.exit(main())
