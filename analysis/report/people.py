"""Who took part: counts by stratum, ratings and minutes per rater, and pay where it is known."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

COLUMNS = ("rater_id", "stratum", "n_ratings", "n_stimuli", "minutes", "pay")


@dataclass(frozen=True)
class People:
    """``raters``: one row per rater (`COLUMNS`; minutes and pay NaN where unknown). ``strata``: one row per stratum.

    ``timing`` says where the minutes come from, ``currency`` what pay is in; ``reason`` says why there is nobody.
    """

    raters: pd.DataFrame
    strata: pd.DataFrame
    timing: str
    currency: str
    reason: str = ""


def describe_people(used: pd.DataFrame, participants: pd.DataFrame | None) -> People:
    """The raters of the ratings that count, with what ``participants`` adds (rater_id, minutes, pay, currency).

    Without it the minutes are those from a sitting's first to its last answer in ``submitted_at``, summed over the sittings of a
    rater; sittings with one time tell none. Ratings without rater ids tell nothing about people.
    """
    named = used[used["rater_id"] != ""]
    if named.empty:
        empty = pd.DataFrame(columns=list(COLUMNS))
        return People(empty, _strata(empty), "", "", "the ratings do not name their raters")
    groups = named.groupby("rater_id", sort=True)
    raters = pd.DataFrame(
        {
            "stratum": groups["stratum"].first(),
            "n_ratings": groups.size(),
            "n_stimuli": groups["stimulus_id"].nunique(),
            "minutes": float("nan"),
            "pay": float("nan"),
        }
    )
    timing, currency = "", ""
    if participants is not None and {"rater_id", "minutes"} <= set(participants.columns):
        known = participants.assign(rater_id=participants["rater_id"].astype(str)).drop_duplicates("rater_id")
        known = known.set_index("rater_id").reindex(raters.index)
        raters["minutes"] = pd.to_numeric(known["minutes"], errors="coerce")
        timing = "from consent to the last answer"
        if "pay" in known and known["pay"].notna().any():
            raters["pay"] = pd.to_numeric(known["pay"], errors="coerce")
            currencies = known["currency"].dropna().unique() if "currency" in known else []
            currency = str(currencies[0]) if len(currencies) == 1 else ""
    elif (minutes := _sitting_minutes(named)) is not None:
        raters["minutes"] = minutes.reindex(raters.index)
        timing = "from the first to the last answer of a sitting"
    raters = raters.reset_index()
    return People(raters[list(COLUMNS)], _strata(raters), timing, currency)


def hourly(pay: float, minutes: float) -> float:
    """Pay per hour.

    >>> hourly(3.0, 20.0)
    9.0
    """
    return 60 * pay / minutes


def _sitting_minutes(named: pd.DataFrame) -> pd.Series | None:
    timed = named[named["submitted_at"] != ""]
    if timed.empty:
        return None
    stamps, places = pd.factorize(timed["submitted_at"]), timed[["rater_id", "session_id"]]
    parsed = pd.to_datetime(pd.Series(stamps[1]), errors="coerce", utc=True, format="ISO8601")
    when = places.assign(at=parsed.to_numpy()[stamps[0]])
    spans = when.groupby(["rater_id", "session_id"])["at"].agg(lambda at: (at.max() - at.min()).total_seconds() / 60)
    spans = spans[spans > 0]
    return spans.groupby("rater_id").sum() if len(spans) else None


def _strata(raters: pd.DataFrame) -> pd.DataFrame:
    """One row per stratum: raters, ratings, median minutes and hourly pay."""
    rows = []
    for name, group in raters.groupby("stratum", sort=True):
        wage = 60 * group["pay"] / group["minutes"]
        rows.append(
            {
                "stratum": name or "not told",
                "n_raters": len(group),
                "n_ratings": int(group["n_ratings"].sum()),
                "median_minutes": group["minutes"].median(),
                "median_pay": group["pay"].median(),
                "median_hourly_pay": wage.median(),
            }
        )
    columns = ["stratum", "n_raters", "n_ratings", "median_minutes", "median_pay", "median_hourly_pay"]
    return pd.DataFrame(rows, columns=columns)
