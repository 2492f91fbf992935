"""Scores that were computed once, by the content of the files: what an interrupted run leaves, and why running again is quick."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import isnan, nan
from pathlib import Path
from types import TracebackType
from typing import Self

from analysis.objective import get_measure
from analysis.objective.base import Score


class ScoreMemory:
    """A file (SQLite) of scores. A score's name is the SHA-256 of both files' bytes, the measure and its version.

    A renamed file is found again, a changed one is measured anew, and so is everything after an update of a measure or of a package
    that it rests on. What could not be computed for want of a package or of a readable file is not kept.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path)
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS scores (name TEXT PRIMARY KEY, value REAL, reason TEXT) WITHOUT ROWID"
        )
        self._digests: dict[str, str] = {}
        self._versions: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    def recall(self, reference: str, degraded: str, measures: Sequence[str]) -> dict[str, Score]:
        """The scores of a pair that are known."""
        key_of = {self._name(reference, degraded, key): key for key in measures if self._can_be_kept(reference, degraded, key)}
        # Nothing is written into the statement but its question marks.
        rows = self._database.execute(
            f"SELECT name, value, reason FROM scores WHERE name IN ({','.join('?' * len(key_of))})",  # nosec B608
            list(key_of),
        )
        return {key_of[name]: Score(nan if value is None else value, reason) for name, value, reason in rows}

    def keep(self, reference: str, degraded: str, scores: Mapping[str, Score]) -> None:
        """Keep the scores of a pair, durably."""
        rows = [
            (self._name(reference, degraded, key), None if isnan(score.value) else score.value, score.reason)
            for key, score in scores.items()
            if self._can_be_kept(reference, degraded, key)
        ]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO scores VALUES (?, ?, ?)", rows)

    def _can_be_kept(self, reference: str, degraded: str, key: str) -> bool:
        measure = get_measure(key)
        needed = [degraded, reference] if measure.needs_reference else [degraded]
        return not measure.missing and all(self._digest(path) for path in needed)

    def _name(self, reference: str, degraded: str, key: str) -> str:
        measure = get_measure(key)
        version = self._versions.setdefault(key, measure.version)
        beside = self._digest(reference) if measure.needs_reference else ""
        return hashlib.sha256("|".join([beside, self._digest(degraded), key, version]).encode()).hexdigest()

    def _digest(self, path: str) -> str:
        """SHA-256 of a file's bytes; empty where there is none to read."""
        if path not in self._digests:
            self._digests[path] = ""
            with suppress(OSError), Path(path).open("rb") as file:
                self._digests[path] = hashlib.file_digest(file, "sha256").hexdigest()
        return self._digests[path]
