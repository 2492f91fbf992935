"""The room from a shell: ``python -m codecs_runner list | render | retry | weights``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from codecs_runner import weights
from codecs_runner.errors import RunnerError
from codecs_runner.fetch import fetch, fetch_missing_weights
from codecs_runner.registry import availability, get_condition, list_conditions, weights_licence
from codecs_runner.stimulus_set import FORMATS, Outcome, plan_retry, plan_set, render_set
from codecs_runner.weight_files import FILES


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 all done, 1 some files failed, 2 nothing could be done, 130 stopped by the user."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except (RunnerError, KeyError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is rendered is kept; run again to go on.", file=sys.stderr)
        return 130


def list_all(_arguments: argparse.Namespace) -> int:
    rows = []
    for condition in list_conditions():
        found = availability(condition.slug)
        rows.append(
            (
                condition.slug,
                " ".join(condition.aliases),
                _kbps(condition.nominal_bps),
                _kbps(condition.true_bps),
                str(condition.sample_rate),
                condition.licence or "–",
                weights_licence(condition) or "–",
                "available" if found.ok else found.reason,
            )
        )
    _print_table(("condition", "aliases", "kbps", "true", "Hz", "licence of code", "of weights", "status"), rows)
    return 0


def render(arguments: argparse.Namespace) -> int:
    conditions = list({get_condition(name.strip()): None for name in arguments.condition.split(",") if name.strip()})
    _complain(fetch_missing_weights(condition.slug for condition in conditions))
    usable = []
    for condition in conditions:
        found = availability(condition.slug)
        if found.ok:
            usable.append(condition)
        else:
            print(f"{condition.slug} is left out. {found.reason}", file=sys.stderr)
    if not usable:
        return 2
    orders = plan_set(arguments.inputs, usable, arguments.format)
    return _summarise(render_set(orders, arguments.out, arguments.workers), arguments.out) or len(usable) < len(conditions)


def retry(arguments: argparse.Namespace) -> int:
    orders = plan_retry(arguments.out)
    if not orders:
        print("Nothing has failed.")
        return 0
    return _summarise(render_set(orders, arguments.out, arguments.workers), arguments.out)


def list_weights(_arguments: argparse.Namespace) -> int:
    rows = [(key, file.name, file.licence, str(weights.find(key) or f"missing: {file.url}")) for key, file in FILES.items()]
    _print_table(("weights", "file", "licence", "found"), rows)
    return 0


def verify_weights(_arguments: argparse.Namespace) -> int:
    rows, wrong = [], 0
    for key, file in FILES.items():
        path = weights.find(key)
        complaint = weights.problem(key, path) if path else "missing"
        wrong += bool(path and complaint)
        good = "matches its published checksum" if file.sha256 else "no checksum is published"
        rows.append((key, weights.sha256(path)[:16] if path else "–", complaint or good))
    _print_table(("weights", "SHA-256", "verdict"), rows)
    return 1 if wrong else 0


def download_weights(arguments: argparse.Namespace) -> int:
    unknown = set(arguments.keys) - set(FILES)
    if unknown:
        raise KeyError(f"Unknown weights: {', '.join(sorted(unknown))}; known are {', '.join(FILES)}.")
    keys = arguments.keys or list(FILES)
    return _complain(fetch([key for key in keys if (path := weights.find(key)) is None or weights.problem(key, path)]))


def _complain(sentences: Sequence[str]) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


def _summarise(outcome: Outcome, out: Path) -> int:
    """One table, and each file that could not be made; returns 1 where there are such."""
    rows = [
        (slug, str(tally.rendered), str(tally.failed), _kbps(fmean(tally.rates)) if tally.rates else "–", str(tally.clipped))
        for slug, tally in outcome.tallies.items()
    ]
    _print_table(("condition", "rendered", "failed", "measured kbps", "clipped"), rows)
    if not outcome.failed:
        return 0
    print("\nNot rendered:")
    _print_table(("file", "condition", "reason"), [(row["source"], row["condition"], row["reason"]) for row in outcome.failed])
    print(f"\nTo try these again: python -m codecs_runner retry {out}")
    return 1


def _kbps(bps: float | None) -> str:
    return f"{bps / 1000:.4g}" if bps else "–"


def _print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m codecs_runner", description="Speech through codecs, for listening tests.")
    commands = parser.add_subparsers(required=True)

    command = commands.add_parser("list", help="conditions, and which of them can be rendered here")
    command.set_defaults(run=list_all)

    command = commands.add_parser("render", help="render recordings through conditions")
    command.add_argument("inputs", nargs="+", type=Path, metavar="IN", help="audio files or folders")
    command.add_argument("--condition", required=True, metavar="SLUG[,SLUG]", help="slugs or aliases; see list")
    command.add_argument(
        "--out", required=True, type=Path, metavar="OUT", help="OUT/<condition>/<name>.flac and OUT/manifest.csv"
    )
    command.add_argument("--format", choices=FORMATS, default="flac", help="of the stimuli; both are 48 kHz, 16 bit")
    command.add_argument("--workers", type=int, metavar="N", help="processes; by default one for each core")
    command.set_defaults(run=render)

    command = commands.add_parser("retry", help="render again what failed in OUT")
    command.add_argument("out", type=Path, metavar="OUT")
    command.add_argument("--workers", type=int, metavar="N")
    command.set_defaults(run=retry)

    actions = commands.add_parser("weights", help="trained weights of the neural codecs").add_subparsers(required=True)
    command = actions.add_parser("list", help="files and where they were found")
    command.set_defaults(run=list_weights)
    command = actions.add_parser("verify", help="check the files that are here")
    command.set_defaults(run=verify_weights)
    command = actions.add_parser("download", help="fetch what is missing or damaged into CODEC_WEIGHTS")
    command.add_argument("keys", nargs="*", metavar="WEIGHTS", help="keys from weights list; all by default")
    command.set_defaults(run=download_weights)
    return parser


if __name__ == "__main__":
    sys.exit(main())
