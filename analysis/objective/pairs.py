"""Many pairs of files at once: each file decoded once for all measures, a reference once for all its conditions, over all cores."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import nan
from pathlib import Path

import pandas as pd
from threadpoolctl import threadpool_limits

from analysis.audio import AudioReadError, read_audio, resample
from analysis.objective import get_measure
from analysis.objective.base import Clip, Pair, Score
from analysis.objective.memory import ScoreMemory
from analysis.pool import spread
from analysis.schema import SchemaError, read_cells

FEW = 4  # pairs that are done before other processes have started
KILLED = "The process that measured it was killed, perhaps for want of memory; run again with fewer workers."

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Group:
    """Everything that has one reference: its path ("" for none), each degraded file with its measures, and the rate in Hz to which
    all are brought first (None for each file's own)."""

    reference: str
    wanted: tuple[tuple[str, tuple[str, ...]], ...]
    rate: int | None = None


def read_pairs(path: Path) -> pd.DataFrame:
    """A CSV of pairs: ``reference`` (empty for measures without one), ``degraded``, and whatever else says what they are.

    Paths are taken from the working directory, else from the CSV's folder. ``clip_id`` is the reference's name where it is not given,
    ``condition`` stays empty. Raises SchemaError.
    """
    if not path.is_file():
        raise SchemaError(f"There is no file of pairs at {path}.")
    pairs = read_cells(path)
    missing = [name for name in ("reference", "degraded") if name not in pairs.columns]
    if missing:
        raise SchemaError(f"{path.name} has no column '{missing[0]}'; there are {', '.join(pairs.columns)}.")
    taken = [name for name in ("measure", "score", "reason") if name in pairs.columns]
    if taken:
        raise SchemaError(f"{path.name} has a column '{taken[0]}', which is what the scores will be called; rename it.")
    for name in ("reference", "degraded"):
        pairs[name] = [_found(text.strip(), path.parent) for text in pairs[name]]
    if "clip_id" not in pairs.columns:
        pairs["clip_id"] = [
            Path(reference or degraded).stem for reference, degraded in zip(pairs["reference"], pairs["degraded"], strict=True)
        ]
    if "condition" not in pairs.columns:
        pairs["condition"] = ""
    return pairs


def score_pairs(
    pairs: pd.DataFrame,
    measures: Sequence[str],
    *,
    memory: ScoreMemory | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Every measure of every pair, tidy: the columns of ``pairs`` and ``measure, score, reason``, in the order of the pairs.

    A row that cannot be measured has NaN and a reason, and stops nothing. What ``memory`` knows is not computed again, and what is
    computed is told to it at once, so a run that was cut short goes on where it ended. ``workers`` is the number of processes, by
    default one for each core; ``progress`` is told (done, to do) in pairs.
    """
    measures = tuple(measures)
    unique = dict.fromkeys(zip(pairs["reference"], pairs["degraded"], strict=True))
    known = _recall(unique, measures, memory)
    groups = _groups(unique, measures, known)
    done, total = len(unique) - sum(len(group.wanted) for group in groups), len(unique)
    if progress and done:
        progress(done, total)
    for group, results in measure_groups(groups, workers):
        for (degraded, keys), scores in zip(group.wanted, results, strict=True):
            known.setdefault((group.reference, degraded), {}).update(scores)
            if memory is not None:
                memory.keep(group.reference, degraded, {key: scores[key] for key in keys})
            done += 1
        if progress:
            progress(done, total)
    found = [known[pair] for pair in zip(pairs["reference"], pairs["degraded"], strict=True)]
    tidy = pairs.loc[pairs.index.repeat(len(measures))].reset_index(drop=True)
    return tidy.assign(
        measure=[key for _ in found for key in measures],
        score=[scores[key].value for scores in found for key in measures],
        reason=[scores[key].reason for scores in found for key in measures],
    )


def score_group(group: Group) -> list[dict[str, Score]]:
    """The scores of each degraded file of a group, in order; what cannot be read has that as its reason."""
    reference = _load(group.reference, group.rate) if group.reference else None
    with threadpool_limits(1):
        return [_score_file(group, reference, path, keys) for path, keys in group.wanted]


def _score_file(group: Group, reference: Clip | str | None, path: str, keys: Sequence[str]) -> dict[str, Score]:
    degraded = reference if path == group.reference else _load(path, group.rate)
    if isinstance(degraded, str):
        return {key: Score(nan, degraded) for key in keys}
    assert degraded is not None
    pair = Pair(reference=reference if isinstance(reference, Clip) else degraded, degraded=degraded)
    scores = {}
    for key in keys:
        measure = get_measure(key)
        if measure.needs_reference and not isinstance(reference, Clip):
            scores[key] = Score(nan, reference or f"{measure.label} needs a reference, and none is given.")
        else:
            scores[key] = measure.score(pair)
    return scores


def _load(path: str, rate: int | None) -> Clip | str:
    """A recording, or why it cannot be used."""
    try:
        samples, own_rate = read_audio(Path(path))
        return Clip(samples if rate is None else resample(samples, own_rate, rate), rate or own_rate)
    except AudioReadError as error:
        return str(error)


def measure_groups(groups: Sequence[Group], workers: int | None = None) -> Iterator[tuple[Group, list[dict[str, Score]]]]:
    """`score_group` of each group, over several processes unless there is little to do; groups come in whatever order."""
    workers = workers or os.cpu_count() or 1
    if workers == 1 or sum(len(group.wanted) for group in groups) <= FEW:
        yield from ((group, score_group(group)) for group in groups)
        return
    for group, results in spread(sorted(groups, key=_work, reverse=True), score_group, workers):
        killed = [{key: Score(nan, KILLED) for key in keys} for _, keys in group.wanted]
        yield group, results if results is not None else killed


def _work(group: Group) -> int:
    """How much there is to do in a group, roughly; the most first, so that no process is left with it at the end."""
    with suppress(OSError):
        return len(group.wanted) * Path(group.reference).stat().st_size
    return 0


def _recall(
    unique: Iterable[tuple[str, str]], measures: Sequence[str], memory: ScoreMemory | None
) -> dict[tuple[str, str], dict[str, Score]]:
    if memory is None:
        return {}
    return {(reference, degraded): memory.recall(reference, degraded, measures) for reference, degraded in unique}


def _groups(
    unique: Iterable[tuple[str, str]], measures: Sequence[str], known: Mapping[tuple[str, str], Mapping[str, Score]]
) -> list[Group]:
    wanted: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
    for reference, degraded in unique:
        missing = tuple(key for key in measures if key not in known.get((reference, degraded), {}))
        if missing:
            wanted.setdefault(reference, []).append((degraded, missing))
    return [Group(reference, tuple(rows)) for reference, rows in wanted.items()]


def _found(text: str, folder: Path) -> str:
    return str(folder / text) if text and not Path(text).exists() and (folder / text).exists() else text
