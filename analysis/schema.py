"""The tidy frame of ratings: one row per rater, stimulus and scale, checked on entry so that nothing later has to doubt it."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from analysis.labels import split_labels
from analysis.scales import SCALES

REQUIRED = ("rater_id", "stimulus_id", "clip_id", "condition", "scale", "value", "labels")
OPTIONAL = (
    *("stratum", "session_id", "trial", "submitted_at", "simulated", "role", "excluded"),
    # `panel` "2" marks a second, independent panel of the same recordings; `expected` is the right answer to a check item.
    *("panel", "speaker", "speaker_sex", "expected", "heard_share", "seconds"),
)
#: Roles whose answers check the rater instead of measuring a condition.
CHECK_ROLES = ("gold", "trap", "training")
_FILLED = ("stimulus_id", "clip_id", "condition", "scale")
_TRUE, _FALSE = {"1", "true", "1.0", "yes"}, {"", "0", "false", "0.0", "no"}


class SchemaError(ValueError):
    """A frame of ratings that cannot be used; the message is a sentence for people and names columns and rows."""


@dataclass(frozen=True)
class Selection:
    """The rows that measure conditions, and how many were left out for which reason."""

    used: pd.DataFrame
    left_out: dict[str, int]


def read_ratings(path: Path) -> pd.DataFrame:
    """Ratings from a CSV (UTF-8, comma) or Parquet file, validated.

    Raises SchemaError with a sentence when the file is absent, unreadable or breaks a rule of `validate_ratings`.
    """
    if not path.is_file():
        raise SchemaError(f"There is no ratings file at {path}.")
    if path.suffix.lower() not in {".parquet", ".pq"}:
        return validate_ratings(read_cells(path))
    try:
        return validate_ratings(pd.read_parquet(path))
    except (OSError, ValueError) as error:
        raise SchemaError(f"{path.name} could not be read as {path.suffix}: {error}") from error


def read_cells(path: Path, *, header: bool = True) -> pd.DataFrame:
    """The cells of a CSV file (UTF-8, comma) as text, none of them lost or moved.

    Raises SchemaError with a sentence when it is empty, no table, or has a row with more cells than its header (pandas by itself
    takes such a file's first column for row names, or drops what is too much).
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                header=0 if header else None,
                index_col=False,
            )
    except pd.errors.EmptyDataError:
        raise SchemaError(f"{path.name} is empty.") from None
    except pd.errors.ParserWarning:
        raise SchemaError(f"{path.name} has a row with more cells than its header has columns.") from None
    except (pd.errors.ParserError, UnicodeDecodeError, OSError, ValueError) as error:
        raise SchemaError(f"{path.name} could not be read as CSV: {error}") from error


def validate_ratings(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with all columns of the schema, in order: text columns as str, ``value`` float, ``simulated`` bool.

    Rules, each broken one a SchemaError that names the rows (numbered from 1, without the header): the required columns are
    there; stimulus, clip, condition and scale are filled; a row has a value or labels, not both; a value is a finite number
    and, on a known category scale, one of its categories; a labels scale has labels; a stimulus has one clip and one
    condition; (rater, stimulus, scale) occurs once among the rows that are not excluded. ``rater_id`` may be empty. Unknown
    scales are accepted without a range. Other columns are dropped.

    >>> import pandas as pd
    >>> row = dict(rater_id="r1", stimulus_id="s1", clip_id="c1", condition="original", scale="ovrl", value="4", labels="")
    >>> validate_ratings(pd.DataFrame([row]))["value"].tolist()
    [4.0]
    >>> validate_ratings(pd.DataFrame([row | {"value": "9"}]))
    Traceback (most recent call last):
        ...
    analysis.schema.SchemaError: Scale 'ovrl' takes whole values 1 to 5, but column 'value' has 9 (row 1).
    """
    frame = frame.reset_index(drop=True)
    missing = [name for name in REQUIRED if name not in frame.columns]
    if missing:
        raise SchemaError(f"Missing column{_s(len(missing))} {_quoted(missing)}; there are {_quoted(frame.columns)}.")
    tidy = pd.DataFrame({name: _text(frame[name]) for name in REQUIRED if name != "value"})
    tidy.insert(REQUIRED.index("value"), "value", _numbers(frame["value"]))
    for name in OPTIONAL:
        tidy[name] = _text(frame[name]) if name in frame.columns else ""
    tidy["simulated"] = _flags(tidy["simulated"])
    for name in _FILLED:
        _refuse(tidy[name] == "", f"Column '{name}' is empty in {{}}.")
    has_value, has_labels = tidy["value"].notna(), tidy["labels"] != ""
    _refuse(~has_value & ~has_labels, "Columns 'value' and 'labels' are both empty in {}; a rating needs one of them.")
    _refuse(has_value & has_labels, "Columns 'value' and 'labels' are both filled in {}; a rating has one of them.")
    _check_scales(tidy, has_value)
    _check_keys(tidy)
    return tidy


def select_usable(frame: pd.DataFrame) -> Selection:
    """Rows that count: neither excluded nor answers to check items (roles gold, trap, training). Free text is never counted."""
    frame = frame[~_is_text(frame)]
    checks = frame["role"].isin(CHECK_ROLES)
    reasons = frame["excluded"].mask(checks & (frame["excluded"] == ""), "role " + frame["role"])
    out = reasons != ""
    counts = reasons[out].value_counts()
    return Selection(frame[~out].reset_index(drop=True), {str(k): int(counts[k]) for k in sorted(counts.index)})


def panel_slug(reference: str) -> str:
    """The condition that a second panel's ratings of ``reference`` count as: 'original' -> 'original-panel-2'."""
    return f"{reference}-panel-2"


def split_panels(frame: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Ratings of the reference with ``panel`` "2" as a condition of their own, `panel_slug`, with stimuli of their own.

    That condition is analysed like any other: its emotion retention against the reference is the noise ceiling. A file whose
    ratings have that condition already stays as it is.
    """
    second = (frame["condition"] == reference) & (frame["panel"] == "2")
    return frame.assign(
        condition=frame["condition"].mask(second, panel_slug(reference)),
        stimulus_id=frame["stimulus_id"].mask(second, frame["stimulus_id"] + "@panel-2"),
    )


def count_excluded(frame: pd.DataFrame) -> dict[tuple[str, str], int]:
    """(condition, scale) -> how many ratings of it, check items aside, carry a reason in ``excluded``."""
    out = frame[(frame["excluded"] != "") & ~frame["role"].isin(CHECK_ROLES)]
    return {(str(c), str(s)): int(n) for (c, s), n in out.groupby(["condition", "scale"]).size().items()}


def require_condition(frame: pd.DataFrame, reference: str) -> None:
    """Raise SchemaError when no row has the condition ``reference``; the sentence lists those there are."""
    present = sorted(frame["condition"].unique())
    if reference not in present:
        raise SchemaError(f"No rating is of the reference condition '{reference}'; the conditions are {_quoted(present)}.")


def label_options(frame: pd.DataFrame) -> list[str]:
    """Every label name that occurs, sorted: the options of a study when nothing else says what was on offer."""
    return sorted({name for cell in frame.loc[~_is_text(frame), "labels"].unique() for name in split_labels(cell)})


def _is_text(frame: pd.DataFrame) -> pd.Series:
    return frame["scale"].isin([key for key, scale in SCALES.items() if scale.kind == "text"])


def _check_scales(tidy: pd.DataFrame, has_value: pd.Series) -> None:
    for key in tidy["scale"].unique():
        rows = tidy["scale"] == key
        scale = SCALES.get(key)
        if scale is None:
            _refuse(rows & (has_value != has_value[rows].iloc[0]), f"Scale '{key}' has values and labels mixed, as in {{}}.")
        elif scale.kind != "category":
            _refuse(rows & has_value, f"Scale '{key}' takes names in column 'labels', but {{}} has a number in 'value'.")
        else:
            _refuse(rows & ~has_value, f"Scale '{key}' takes a number in column 'value', but {{}} has none.")
            wrong = rows & ~tidy["value"].isin(list(scale.labels))
            if wrong.any():
                shown = ", ".join(f"{v:g}" for v in tidy.loc[wrong, "value"].unique()[:3])
                spelt = f"Scale '{key}' takes whole values {scale.minimum} to {scale.maximum}, but column 'value' has {shown}"
                _refuse(wrong, spelt + " ({}).")


def _check_keys(tidy: pd.DataFrame) -> None:
    countable = tidy[(tidy["rater_id"] != "") & (tidy["excluded"] == "")]
    repeated = countable.index[countable.duplicated(["rater_id", "stimulus_id", "scale"], keep=False)]
    _refuse(tidy.index.isin(repeated), "The same rater rated the same stimulus on the same scale more than once: {}.")
    pairs = tidy[["stimulus_id", "clip_id", "condition"]].drop_duplicates()
    torn = pairs.loc[pairs.duplicated("stimulus_id"), "stimulus_id"]
    _refuse(tidy["stimulus_id"].isin(torn), "A stimulus is one clip in one condition, but its id has several: {}.")


def _text(column: pd.Series) -> pd.Series:
    """Values as stripped text; missing ones as the empty string; whole floats (a key column with gaps) without '.0'."""
    if pd.api.types.is_float_dtype(column) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    return column.astype("string").fillna("").str.strip().astype("str")


def _numbers(column: pd.Series) -> pd.Series:
    if pd.api.types.is_numeric_dtype(column):
        numbers = column.astype("float64")
        _refuse(np.isinf(numbers), "Column 'value' is not a finite number in {}.")
        return numbers
    text = _text(column)
    numbers = pd.to_numeric(text, errors="coerce").astype("float64")
    _refuse((text != "") & ~np.isfinite(numbers), "Column 'value' is not a finite number in {}.")
    return numbers


def _flags(column: pd.Series) -> pd.Series:
    lowered = column.str.lower()
    _refuse(~lowered.isin(_TRUE | _FALSE), "Column 'simulated' takes 0 or 1, but not what stands in {}.")
    return lowered.isin(_TRUE)


def _refuse(wrong: pd.Series | npt.NDArray[np.bool_], sentence: str) -> None:
    """Raise SchemaError when any row is wrong; ``{}`` in the sentence becomes the rows."""
    if not wrong.any():
        return
    rows = (np.flatnonzero(wrong) + 1).tolist()
    shown = ", ".join(str(row) for row in rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    raise SchemaError(sentence.format(f"row{_s(len(rows))} {shown}"))


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _s(count: int) -> str:
    return "s" if count > 1 else ""
