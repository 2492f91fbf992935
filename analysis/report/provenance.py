"""Where a report comes from: versions, seed, counts and a digest of the ratings, so that it can be made again."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.ratings.bootstrap import FEW, LEVEL
from analysis.report.findings import Finding
from analysis.report.study import Results

#: Of the deeper tables those that say something about conditions; tables of raters and of flows are files of their own.
_DEEPER = ("noise_ceiling", "relative_drop", "icc", "mixed_model", "variance_components")
_PACKAGES = ("numpy", "scipy", "pandas", "Jinja2")


def ratings_digest(frame: pd.DataFrame) -> str:
    """SHA-256 over the rows of a validated frame, whatever their order.

    >>> frame = pd.DataFrame({"rater_id": ["a", "b"], "value": [1.0, 2.0]})
    >>> ratings_digest(frame) == ratings_digest(frame[::-1])
    True
    """
    hashes = pd.util.hash_pandas_object(frame, index=False).sort_values().to_numpy()
    return hashlib.sha256(hashes.tobytes()).hexdigest()


def code_digest() -> str:
    """SHA-256 over the Python sources of this room: the code version of a report, also where there is no version control."""
    room = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for path in sorted(room.rglob("*.py")):
        digest.update(path.relative_to(room).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe_origin(results: Results, ratings: pd.DataFrame, given: Mapping[str, str]) -> dict[str, str]:
    """What made the report: versions, seed, replicates, digest, and what the caller has ``given`` to add."""
    packages = {name: version(name) for name in _PACKAGES}
    return {
        **given,
        "screening": f"{results.sieve.name}, version {results.sieve.version}",
        "ratings_digest": ratings_digest(ratings),
        "analysis_code": code_digest(),
        "seed": str(results.seed),
        "replicates": str(results.replicates),
        "python": platform.python_version(),
        **packages,
    }


def as_json(
    results: Results, finding: Finding, origin: Mapping[str, str], title: str, gaps: list[str], methods: str
) -> dict[str, Any]:
    """The report as plain values for ``report.json``; an undefined number is null, and ``reasons`` says why."""
    tables = {
        "mos": results.mos.frame,
        "retention": results.retention.overall,
        "retention_by_emotion": results.retention.by_emotion,
        "agreement": results.agreement,
        "contrasts": results.contrasts,
        "soft_labels": results.soft_labels,
        "retention_contrasts": results.retention_contrasts,
        "screening": results.sieve.checks,
        "with_and_without_screening": results.with_and_without.assign(note=""),
        **{name: results.deeper[name] for name in _DEEPER},
        "exclusions": results.sieve.exclusions.assign(note=""),
        "participants": results.people.strata.assign(note=""),
    }
    return {
        "title": title,
        "headline": finding.headline,
        "findings": list(finding.sentences),
        "simulated": results.simulated,
        "reference": results.reference,
        "emotions": list(results.emotions),
        "emotions_from": "study" if results.emotions_known else "the labels that occur",
        "counts": results.counts,
        "left_out": results.left_out,
        "conditions": [
            {"condition": c.slug, "label": c.label, "family": c.family, "bitrate_bps": c.bps, "measured": c.measured}
            | {"nominal_bps": c.nominal_bps, "weights": c.weights}
            for c in results.conditions
        ],
        "method": {
            "interval": "crossed bootstrap over raters and clips; for F1 moved by its bias; MOS: see ci_method",
            "level": LEVEL,
            "replicates": results.replicates,
            "seed": results.seed,
            "few_clusters_below": FEW,
            "threshold": f"share of votes > 1/{len(results.emotions)}" if results.emotions else None,
        },
        "methods": methods,
        "not_computed": gaps,
        "provenance": dict(origin),
        "reasons": sorted({note for table in tables.values() for note in table["note"] if note}),
        "results": {name: _records(table) for name, table in tables.items()},
    }


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value
