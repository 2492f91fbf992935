"""Command line: ``python -m analysis report|power|score …``; ``--help`` after each says more."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from analysis.compare_command import add_compare_command, add_recogniser_option, read_recogniser, read_scores
from analysis.corpora import CorpusError
from analysis.corpus_check import add_commands as add_corpora_commands
from analysis.formats import FORMATS, Hints, read_input
from analysis.formats.matrix import ROWS
from analysis.formats.webmushra import REFERENCE as WEBMUSHRA_REFERENCE
from analysis.objective.command import add_score_command
from analysis.ratings.power import say, votes_needed
from analysis.ratings.screening import RULE_SETS
from analysis.report import write_report
from analysis.report.provenance import file_sha256
from analysis.report.sieve import NO_RULES
from analysis.report.study import REPLICATES
from analysis.schema import SchemaError, read_cells, read_ratings, require_condition
from analysis.ser.command import add_commands as add_ser_commands
from analysis.ser.errors import SerError

BAD_INPUT = 2
DEFAULT_REFERENCE = "original"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; the exit status is 0, or 2 after a sentence on standard error."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except (SchemaError, CorpusError, SerError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return BAD_INPUT
    return 0


def _report(options: argparse.Namespace) -> None:
    imported = read_input(options.ratings, options.input_format, _hints(options))
    ratings = imported.ratings
    if options.reference is not None:
        require_condition(ratings, options.reference)
    for note in imported.notes:
        print(note)
    with tqdm(desc="Resampling", unit=" replicates", delay=2, leave=False, disable=None) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = write_report(
            ratings,
            options.out,
            reference=options.reference or _default_reference(options.input_format),
            seed=options.seed,
            replicates=options.replicates,
            screening=options.screening,
            exclude=options.exclude_rater,
            participants=_table(options.participants, "rater_id"),
            notes=imported.notes,
            make_pdf=not options.no_pdf,
            title=options.title or options.ratings.stem,
            conditions=_table(options.conditions, "condition"),
            emotions=options.emotions.split(",") if options.emotions else None,
            provenance={"input": options.ratings.name, "input_sha256": file_sha256(options.ratings)},
            progress=progress,
            scores=read_scores(options.scores) if options.scores else None,
            recogniser=read_recogniser(options.ser),
        )
    for gap in report.gaps:
        if gap not in imported.notes:
            print(gap)
    print(report.finding.headline)
    print(report.html)


def _power(options: argparse.Namespace) -> None:
    table = votes_needed(read_ratings(options.ratings), options.half_width)
    if options.out is not None:
        table.to_csv(options.out, index=False, float_format="%.6f", lineterminator="\n")
    for row in table.to_dict("records"):
        print(say(row))


def _hints(options: argparse.Namespace) -> Hints:
    return Hints(
        columns=_pairs(options.columns, "--columns"),
        labels=_pairs(options.label_columns, "--label-columns"),
        keep=_pairs(options.keep, "--keep"),
        stimuli=_table(options.stimuli, "stimulus_id"),
        pattern=options.pattern,
        matrix_rows=options.matrix_rows,
    )


def _default_reference(input_format: str) -> str:
    return WEBMUSHRA_REFERENCE if input_format == "webmushra" else DEFAULT_REFERENCE


def _pairs(text: str, option: str) -> dict[str, str]:
    """``a=b,c=d`` as a dict; a name without a value stands for itself.

    >>> _pairs("rater_id=who,happy", "--columns")
    {'rater_id': 'who', 'happy': 'happy'}
    """
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if any(not name.strip() for name, _, _ in pairs):
        raise SchemaError(f"{option} takes NAME=VALUE,…, not '{text}'.")
    return {name.strip(): (value if sign else name).strip() for name, sign, value in pairs}


def _table(path: Path | None, key: str) -> pd.DataFrame | None:
    """A table that goes with the ratings, by the column that it must have."""
    if path is None:
        return None
    try:
        table = read_cells(path)
    except SchemaError as error:
        raise SchemaError(f"The table of {key.removesuffix('_id')}s {path} could not be read: {error}") from error
    if key not in table.columns:
        raise SchemaError(f"The table of {key.removesuffix('_id')}s {path} has no column '{key}'.")
    return table


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m analysis", description="Statistics of listening tests.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    report = commands.add_parser("report", help="write tables, figures and a page for a file of ratings")
    report.set_defaults(command=_report)
    report.add_argument("ratings", type=Path, metavar="RATINGS", help="file of ratings")
    report.add_argument("--input-format", choices=FORMATS, default="tidy", help="what kind of file it is (default tidy)")
    report.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write into")
    report.add_argument(
        "--reference", metavar="CONDITION", help=f"condition that is the yardstick (default {DEFAULT_REFERENCE})"
    )
    report.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the bootstrap (default 0)")
    report.add_argument("--replicates", type=_positive, default=REPLICATES, metavar="N", help="of the bootstrap")
    report.add_argument(
        "--exclude-rater", action="append", default=[], metavar="ID", help="leave this rater out; may be repeated"
    )
    report.add_argument("--screening", default=NO_RULES, metavar="RULESET", help=f"rules for raters: {', '.join(RULE_SETS)}")
    report.add_argument("--title", default="", help="title of the page (default: the name of the file)")
    report.add_argument(
        "--emotions", default="", metavar="A,B,…", help="emotions that raters could choose (default: those that occur)"
    )
    report.add_argument("--conditions", type=Path, metavar="CSV", help="condition, label, family, nominal_bps, measured_bps")
    report.add_argument("--participants", type=Path, metavar="CSV", help="rater_id, minutes, pay, currency")
    report.add_argument("--no-pdf", action="store_true", help="leave out report.pdf")
    report.add_argument("--scores", type=Path, metavar="CSV", help="scores of measures: clip_id, condition, measure, score")
    add_recogniser_option(report)
    files = report.add_argument_group("files of other kinds")
    files.add_argument("--columns", default="", metavar="OURS=THEIRS,…", help="tidy: our column = the file's column")
    files.add_argument("--label-columns", default="", metavar="COLUMN=LABEL,…", help="tidy: one column for each label")
    files.add_argument("--keep", default="", metavar="COLUMN=VALUE,…", help="tidy: only rows with this value count")
    files.add_argument("--pattern", default="", metavar="REGEX", help="p808: groups condition and clip in file names")
    files.add_argument("--stimuli", type=Path, metavar="CSV", help="matrix: stimulus_id, clip_id, condition, role")
    files.add_argument("--matrix-rows", choices=ROWS, default="", help="matrix: what its rows are")
    add_compare_command(commands)
    add_score_command(commands)
    power = commands.add_parser("power", help="say how many more votes a half-width of the intervals takes")
    power.set_defaults(command=_power)
    power.add_argument("ratings", type=Path, metavar="RATINGS", help="tidy CSV or Parquet file of ratings")
    power.add_argument("--half-width", type=float, required=True, metavar="X", help="half of the 95 %% interval, in points")
    power.add_argument("--out", type=Path, metavar="CSV", help="write the table there too")
    add_corpora_commands(commands)
    add_ser_commands(commands)
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
