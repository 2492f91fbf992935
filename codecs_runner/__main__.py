"""The room from a shell: ``python -m codecs_runner list | render | weights``."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from codecs_runner import weights
from codecs_runner.audio import inspect_audio
from codecs_runner.errors import RunnerError
from codecs_runner.fetch import fetch, fetch_missing_weights
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render_many
from codecs_runner.registry import Condition, availability, get_condition, list_conditions
from codecs_runner.store import Store
from codecs_runner.weight_files import FILES

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".aiff", ".aif", ".mp3"}


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
        status = "available" if found.ok else found.reason
        nominal = f"{condition.nominal_bps / 1000:g}" if condition.nominal_bps else "–"
        rows.append(
            (condition.slug, " ".join(condition.aliases), condition.family, nominal, str(condition.sample_rate), status)
        )
    _print_table(("condition", "aliases", "family", "kbps", "Hz", "status"), rows)
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

    failed: list[tuple[str, str, str]] = []
    targets: dict[str, list[Path]] = {}
    jobs = []
    for source, name in tqdm(_sources(arguments.inputs), desc="reading", unit="file", delay=2):
        try:
            sha256 = inspect_audio(source).pcm_sha256
        except RunnerError as error:
            failed.append((str(source), "all", error.sentence))
            continue
        for condition in usable:
            job = RenderJob(str(source), sha256, condition.slug)
            jobs.append(job)
            targets.setdefault(job.key, []).append(arguments.out / condition.slug / name)

    store = Store(arguments.out / ".store")
    sources = {job.key: job for job in jobs}
    results = []
    for result in tqdm(render_many(jobs, store, workers=arguments.workers), total=len(sources), desc="rendering", unit="clip"):
        results.append(result)
        if result.ok:
            for target in targets[result.key]:
                _place(store, result.key, target)
        else:
            failed.append((sources[result.key].source, sources[result.key].condition, result.message))
    _summarise(usable, results, failed, sources)
    return 1 if failed or len(usable) < len(conditions) else 0


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
    return _complain(fetch([key for key in keys if weights.find(key) is None]))


def _complain(sentences: Sequence[str]) -> int:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return 1 if sentences else 0


def _sources(inputs: Sequence[Path]) -> list[tuple[Path, Path]]:
    """Audio files with the name each stimulus will have below its condition's folder; folders are searched to the bottom."""
    found: dict[Path, Path] = {}
    for given in inputs:
        if given.is_dir():
            files = [path for path in sorted(given.rglob("*")) if path.suffix.lower() in AUDIO_SUFFIXES]
            if not files:
                raise KeyError(f"{given} holds no audio files.")
            found.update({path: path.relative_to(given) for path in files})
        else:
            found[given] = Path(given.name)
    names = list(found.values())
    doubled = {name for name in names if names.count(name) > 1}
    unique = {path: path.relative_to(path.anchor) if name in doubled else name for path, name in found.items()}
    return [
        (path, name.with_name(f"{name.name}.flac") if name.suffix == "" else name.with_suffix(".flac"))
        for path, name in unique.items()
    ]


def _place(store: Store, key: str, target: Path) -> None:
    """Give a stimulus and its description readable names beside one another."""
    for stored, named in ((store.flac_path(key), target), (store.sidecar_path(key), target.with_suffix(".json"))):
        named.parent.mkdir(parents=True, exist_ok=True)
        named.unlink(missing_ok=True)
        try:
            named.hardlink_to(stored)
        except OSError:  # a file system without links
            shutil.copyfile(stored, named)


def _summarise(
    conditions: Sequence[Condition],
    results: Sequence[RenderResult],
    failed: Sequence[tuple[str, str, str]],
    jobs: dict[str, RenderJob],
) -> None:
    rows = []
    for condition in conditions:
        mine = [result for result in results if jobs[result.key].condition == condition.slug]
        done = [result.sidecar for result in mine if result.ok]
        rates = [sidecar["payload_bps"] for sidecar in done if sidecar["payload_bps"] is not None]
        measured = f"{sum(rates) / len(rates) / 1000:.2f}" if rates else "–"
        clipped = sum(sidecar["clipped"] for sidecar in done)
        rows.append((condition.slug, str(len(done)), str(len(mine) - len(done)), measured, str(clipped)))
    _print_table(("condition", "rendered", "failed", "measured kbps", "clipped"), rows)
    if failed:
        print("\nNot rendered:")
        _print_table(("file", "condition", "reason"), failed)


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
    command.add_argument("--out", required=True, type=Path, metavar="DIR", help="DIR/<condition>/<name>.flac and .json")
    command.add_argument("--workers", type=int, metavar="N", help="processes; by default one for each core")
    command.set_defaults(run=render)

    actions = commands.add_parser("weights", help="trained weights of the neural codecs").add_subparsers(required=True)
    command = actions.add_parser("list", help="files and where they were found")
    command.set_defaults(run=list_weights)
    command = actions.add_parser("verify", help="check the files that are here")
    command.set_defaults(run=verify_weights)
    command = actions.add_parser("download", help="fetch what is missing into CODEC_WEIGHTS")
    command.add_argument("keys", nargs="*", metavar="WEIGHTS", help="keys from weights list; all by default")
    command.set_defaults(run=download_weights)
    return parser


if __name__ == "__main__":
    sys.exit(main())
