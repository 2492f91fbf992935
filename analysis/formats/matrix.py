"""A wide table of votes: raters one way, stimuli the other, an empty cell (or nan) where a rater gave no vote."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from analysis.formats import Hints, Imported, read_table
from analysis.formats.tidy import fill_gaps
from analysis.schema import SchemaError

ROWS = ("raters", "stimuli")
_CORNERS = {
    "raters": {"rater", "rater_id", "raters", "subject", "listener", "participant", "worker", "observer", "user"},
    "stimuli": {"stimulus", "stimulus_id", "stimuli", "clip", "file", "item", "pvs", "sample", "clip_id"},
}
_MISSING = {"", "nan", "na", "none", "-"}


def read(path: Path, hints: Hints) -> Imported:
    """The cells as votes on scale ``quality``.

    Named columns and rows are names of raters and stimuli; a table of bare numbers gets numbered ones. What the rows are is told
    by ``hints.matrix_rows``, else by the word in the corner (``rater``, ``stimulus`` and the like); a table of bare numbers has
    stimuli in rows, as the demonstration data of ITU-T P.913 have; for any other table the question is put back. Names like
    ``clip__condition`` are taken apart; ``hints.stimuli`` (stimulus_id, clip_id, condition, role) says it better.
    """
    table, corner = _cells(path)
    rows, notes = _orientation(path, hints, corner)
    if rows == "raters":
        table = table.T
    table.index = _names(table.index, "s")
    table.columns = _names(table.columns, "r")
    long = table.rename_axis(index="stimulus_id", columns="rater_id").stack().rename("value").reset_index()
    long = long[~long["value"].str.lower().isin(_MISSING)].reset_index(drop=True)
    if long.empty:
        raise SchemaError(f"{path.name} holds no vote.")
    imported = fill_gaps(_located(long, hints), path.name)
    return Imported(imported.ratings, (*notes, *imported.notes))


def _cells(path: Path) -> tuple[pd.DataFrame, str]:
    """The votes with their names on index and columns (whole numbers where there were none), and the word in the corner."""
    bare = read_table(path, header=False)
    if _is_votes(bare.iloc[0]):
        if _is_votes(bare.iloc[:, 0]):
            return bare, ""
        return bare.set_index(bare.columns[0]), ""
    corner = str(bare.iat[0, 0]).lower()
    head = bare.iloc[0].tolist()
    body = bare.iloc[1:]
    if body.empty:
        raise SchemaError(f"{path.name} has no row under its header.")
    if _is_votes(body.iloc[:, 0]) and corner not in _CORNERS["raters"] | _CORNERS["stimuli"] | {""}:
        return body.set_axis(head, axis=1).reset_index(drop=True), ""
    return body.iloc[:, 1:].set_axis(head[1:], axis=1).set_axis(body.iloc[:, 0].tolist(), axis=0), corner


def _orientation(path: Path, hints: Hints, corner: str) -> tuple[str, list[str]]:
    if hints.matrix_rows:
        if hints.matrix_rows not in ROWS:
            raise SchemaError(f"The rows of a matrix are {' or '.join(ROWS)}, not '{hints.matrix_rows}'.")
        return hints.matrix_rows, []
    for rows, words in _CORNERS.items():
        if corner in words:
            return rows, []
    if not corner and _is_votes(read_table(path, header=False).iloc[0]):
        return "stimuli", [f"{path.name} names neither raters nor stimuli; its rows are taken as stimuli."]
    raise SchemaError(f"{path.name} does not say whether its rows are raters or stimuli; --matrix-rows says it.")


def _is_votes(cells: pd.Series) -> bool:
    present = cells[~cells.str.lower().isin(_MISSING)]
    return len(present) > 0 and bool(pd.to_numeric(present, errors="coerce").notna().all())


def _names(labels: pd.Index, letter: str) -> list[str]:
    """Names as they are; numbered ones, wide enough to sort, for bare positions."""
    if all(isinstance(label, int) for label in labels):
        wide = len(str(len(labels)))
        return [f"{letter}{number:0{wide}d}" for number in range(1, len(labels) + 1)]
    names = [str(label) for label in labels]
    if len(set(names)) < len(names):
        raise SchemaError(f"The name '{next(n for n in names if names.count(n) > 1)}' stands twice in the matrix.")
    return names


def _located(long: pd.DataFrame, hints: Hints) -> pd.DataFrame:
    if hints.stimuli is not None:
        known = hints.stimuli.drop_duplicates("stimulus_id").set_index("stimulus_id")
        absent = sorted(set(long["stimulus_id"]) - set(known.index))
        if absent:
            raise SchemaError(f"The table of stimuli has no row for '{absent[0]}'.")
        for column in ("clip_id", "condition", "role", "scale"):
            if column in known.columns:
                long[column] = long["stimulus_id"].map(known[column])
    elif long["stimulus_id"].str.contains("__", regex=False).all():
        parts = long["stimulus_id"].str.rsplit("__", n=1)
        long["clip_id"], long["condition"] = parts.str[0], parts.str[1]
    return long
