"""Stimulus sets as folders: ``OUT/<condition>/<recording>.flac`` with its description beside it, and a manifest of all.

For people who use another test platform, and for a look at what a condition does. What is rendered lies in a store below OUT and gets
its readable name as soon as it is finished; the manifest and the list of failures are written at the end, also when somebody stops
the run. Running again goes on where the last run ended.
"""

import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import soundfile as sf
from tqdm import tqdm

from analysis.files import link_whole, write_whole
from codecs_runner.audio import inspect_audio
from codecs_runner.errors import AudioError, RunnerError
from codecs_runner.ingest import MEDIA_SUFFIXES
from codecs_runner.jobs import RenderJob, RenderResult
from codecs_runner.pipeline import render_many
from codecs_runner.registry import Condition, get_condition
from codecs_runner.store import Store

FORMATS = ("flac", "wav")
AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".aiff", ".aif"} | MEDIA_SUFFIXES
MANIFEST, FAILED = "manifest.csv", "failed.csv"
MEASURED = (
    "payload_bps",
    "n_samples",
    "sample_rate",
    "duration_s",
    "delay_samples",
    "codec_gain_db",
    "level_dbov",
    "clipped",
    "key",
)
MANIFEST_COLUMNS = ("file", "source", "condition", "label", "family", "nominal_bps", "true_bps", *MEASURED, "file_sha256")
FAILED_COLUMNS = ("file", "source", "condition", "code", "reason")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Order:
    """One file to be made: ``file`` is its path below OUT."""

    source: Path
    condition: str
    file: Path


@dataclass
class Tally:
    """What became of the orders of one condition."""

    rendered: int = 0
    failed: int = 0
    clipped: int = 0
    rates: list[float] = field(default_factory=list)


@dataclass
class Outcome:
    """What a run did; ``failed`` has a row for each file that could not be made."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    failed: list[Row] = field(default_factory=list)
    made: list[Row] = field(default_factory=list)


def plan_set(inputs: Sequence[Path], conditions: Iterable[Condition], suffix: str) -> list[Order]:
    """An order for each recording (folders are searched to the bottom) and condition; raises AudioError where there is none."""
    named = list(_named_sources(inputs))
    return [
        Order(source, condition.slug, Path(condition.slug) / name.with_name(f"{name.name}.{suffix}"))
        for source, name in named
        for condition in conditions
    ]


def plan_retry(out: Path) -> list[Order]:
    """The orders that failed last time; raises AudioError where no run has left a list."""
    if not (out / FAILED).is_file():
        raise AudioError("missing", f"{out} holds no {FAILED}; nothing has failed there.")
    return [Order(Path(row["source"]), row["condition"], Path(row["file"])) for row in _read(out / FAILED)]


def render_set(orders: Sequence[Order], out: Path, workers: int | None = None) -> Outcome:
    """Make the files, each as soon as it is finished, then the manifest; a bar shows how fast it goes and what is left."""
    outcome = Outcome(tallies={order.condition: Tally() for order in orders})
    store = Store(out / ".store")
    waiting: dict[str, list[Order]] = {}
    jobs = []
    try:
        for order, result in _jobs_for(orders):
            if isinstance(result, RenderJob):
                jobs.append(result)
                waiting.setdefault(result.key, []).append(order)
            else:
                _fail(outcome, order, result)
        results = render_many(jobs, store, workers=workers)
        for result in tqdm(results, total=len(waiting), desc="rendering", unit="clip", smoothing=0.05):
            for order in waiting[result.key]:
                _finish(outcome, order, result, store, out)
    finally:
        _write_lists(out, orders, outcome)
    return outcome


def _named_sources(inputs: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Recordings with the name, without suffix, that each will have below its condition's folder."""
    found: dict[Path, Path] = {}
    for given in inputs:
        if given.is_dir():
            files = [path for path in sorted(given.rglob("*")) if path.suffix.lower() in AUDIO_SUFFIXES]
            if not files:
                raise AudioError("missing", f"{given} holds no audio files.")
            found.update({path: path.relative_to(given) for path in files})
        else:
            found[given] = Path(given.name)
    # Where two would share a name, all keep their suffixes; if that is not enough, their whole paths.
    bare = [name.with_suffix("") for name in found.values()]
    names = bare if len(set(bare)) == len(bare) else list(found.values())
    if len(set(names)) < len(names):
        names = [path.resolve().relative_to(path.resolve().anchor) for path in found]
    yield from zip(found, names, strict=True)


def _jobs_for(orders: Sequence[Order]) -> Iterator[tuple[Order, RenderJob | RunnerError]]:
    """A job for each order, or why its recording cannot be used; each recording is read once."""
    read: dict[Path, str | RunnerError] = {}
    for order in tqdm(orders, desc="reading", unit="clip", delay=2):
        if order.source not in read:
            try:
                read[order.source] = inspect_audio(order.source).pcm_sha256
            except RunnerError as error:
                read[order.source] = error
        found = read[order.source]
        yield order, RenderJob(str(order.source), found, order.condition) if isinstance(found, str) else found


def _finish(outcome: Outcome, order: Order, result: RenderResult, store: Store, out: Path) -> None:
    if not result.ok:
        _fail(outcome, order, RunnerError(result.code, result.message))
        return
    tally, sidecar = outcome.tallies[order.condition], result.sidecar
    tally.rendered += 1
    tally.clipped += bool(sidecar["clipped"])
    if sidecar["payload_bps"] is not None:
        tally.rates.append(sidecar["payload_bps"])
    condition = get_condition(order.condition)
    outcome.made.append(
        {
            "file": order.file.as_posix(),
            "source": str(order.source),
            "condition": condition.slug,
            "label": condition.label,
            "family": condition.family,
            "nominal_bps": condition.nominal_bps,
            "true_bps": condition.true_bps,
            **{name: sidecar[name] for name in MEASURED},
            "file_sha256": _place(store, result.key, out / order.file) or sidecar["audio_sha256"],
        }
    )


def _fail(outcome: Outcome, order: Order, error: RunnerError) -> None:
    outcome.tallies[order.condition].failed += 1
    outcome.failed.append(
        dict(
            zip(
                FAILED_COLUMNS,
                (order.file.as_posix(), str(order.source), order.condition, error.code, error.sentence),
                strict=True,
            )
        )
    )


def _place(store: Store, key: str, target: Path) -> str:
    """Give a stimulus and its description readable names; returns the SHA-256 of the file where it is not the store's own."""
    link_whole(store.sidecar_path(key), target.with_name(target.stem + ".json"))
    if target.suffix == ".flac":
        link_whole(store.flac_path(key), target)
        return ""
    pcm, rate = sf.read(store.flac_path(key), dtype="int16")
    memory = io.BytesIO()
    sf.write(memory, pcm, rate, format="WAV", subtype="PCM_16")
    write_whole(target, memory.getvalue())
    return hashlib.sha256(memory.getvalue()).hexdigest()


def _write_lists(out: Path, orders: Sequence[Order], outcome: Outcome) -> None:
    """The manifest keeps what earlier runs made and this one did not; failures of earlier runs stay unless tried again."""
    made = {row["file"]: row for row in [*_read(out / MANIFEST), *outcome.made] if (out / row["file"]).is_file()}
    tried = {order.file.as_posix() for order in orders}
    failed = [row for row in _read(out / FAILED) if row["file"] not in tried] + outcome.failed
    _write(out / MANIFEST, MANIFEST_COLUMNS, [made[file] for file in sorted(made)])
    if failed or (out / FAILED).exists():
        _write(out / FAILED, FAILED_COLUMNS, failed)


def _read(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    text = io.StringIO()
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    write_whole(path, text.getvalue().encode())
