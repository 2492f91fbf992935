"""Which file is the coded version of which."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.ser.errors import SerError


def read_pairs(path: Path) -> pd.DataFrame:
    """A CSV of reference, degraded, condition and optional clip_id (default: the reference's name); raises SerError.

    Paths are taken from the working directory, else from the CSV's folder.
    """
    try:
        pairs = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SerError(f"{path.name} could not be read as CSV: {error}") from error
    missing = [name for name in ("reference", "degraded", "condition") if name not in pairs.columns]
    if missing:
        raise SerError(f"{path.name} has no column '{missing[0]}'; there are {', '.join(pairs.columns)}.")
    for name in ("reference", "degraded"):
        pairs[name] = [text if Path(text).is_file() else str(path.parent / text) for text in pairs[name]]
    if "clip_id" not in pairs.columns:
        pairs["clip_id"] = [Path(reference).stem for reference in pairs["reference"]]
    return pairs
