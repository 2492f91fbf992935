"""The rules of `analysis.ratings.screening`: each reads ratings and says which raters, or sessions, fail it.

A session is what gold, trap, play-through, variance and time are judged on; without session ids a rater's ratings are one
session. Straight-lining, correlation and the rules of BS.1534 are judged on a rater.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.labels import split_labels
from analysis.ratings.rater_agreement import correlations, rest_of
from analysis.schema import CHECK_ROLES

Parameters = Mapping[str, float]
_SESSION = ["rater_id", "session_id"]


class NotApplicable(Exception):
    """Why a rule cannot be applied to these ratings."""


@dataclass(frozen=True)
class Outcome:
    """``failed``: rater_id, session_id and reason of each rater or session that fails; ``n_checked`` raters were looked at."""

    failed: pd.DataFrame
    n_checked: int
    note: str = ""


def gold(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Fewer than ``minimum`` gold items (all of them where a session had fewer) answered within ``tolerance`` of ``expected``.

    Every scale asked about a gold item with an expected answer counts by itself, so that a session cannot pass on one scale.
    """
    items = _check_items(frame, "gold")
    right = _right(items, parameters["tolerance"])
    grouped = right.groupby([items["rater_id"], items["session_id"], items["scale"]])
    table = grouped.agg(["sum", "size"]).reset_index()
    short = table[table["sum"] < np.minimum(parameters["minimum"], table["size"])]
    return _sessions(short, items, "{sum} of {size} gold answers right on {scale}")


def trap(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Less than ``minimum_share`` of the trap answers, on all scales that expect one, are exactly as asked for."""
    items = _check_items(frame, "trap")
    table = _right(items, 0).groupby([items["rater_id"], items["session_id"]]).agg(["sum", "size"]).reset_index()
    short = table[table["sum"] < parameters["minimum_share"] * table["size"]]
    return _sessions(short, items, "{sum} of {size} trap answers right")


def play_through(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Less than ``minimum_share`` of a session's recordings were heard to at least ``heard_share`` of their length."""
    trials = _measured(frame).assign(heard=lambda f: pd.to_numeric(f["heard_share"], errors="coerce"))
    trials = trials[trials["heard"].notna()].drop_duplicates([*_SESSION, "stimulus_id"])
    if trials.empty:
        raise NotApplicable("no rating says how much was heard (column 'heard_share')")
    whole = trials["heard"] >= parameters["heard_share"]
    table = whole.groupby([trials["rater_id"], trials["session_id"]]).agg(["sum", "size"]).reset_index()
    short = table[table["sum"] < parameters["minimum_share"] * table["size"]]
    return _sessions(short, trials, "only {sum} of {size} recordings heard to the end")


def session_variance(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Sample variance of all numeric votes of a session, over all scales, below ``minimum``."""
    votes = _numeric(frame)
    table = votes.groupby(_SESSION)["value"].agg(["var", "size"]).reset_index()
    table = table[table["size"] > 1]
    short = table[table["var"] < parameters["minimum"]]
    return _sessions(short, votes, "variance {var:.2f} over {size} votes")


def straight_lining(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """On one scale at least ``share`` of a rater's answers (``minimum_ratings`` or more) are the same answer."""
    votes = _measured(frame)
    answer = votes["labels"].where(votes["labels"] != "", votes["value"].map("{:g}".format))
    counts = votes.assign(answer=answer).groupby(["rater_id", "scale", "answer"]).size().reset_index(name="n")
    table = counts.sort_values("n", kind="stable").groupby(["rater_id", "scale"]).tail(1)
    table = table.merge(counts.groupby(["rater_id", "scale"])["n"].sum().rename("all").reset_index())
    table = table[table["all"] >= parameters["minimum_ratings"]]
    short = table[table["n"] >= parameters["share"] * table["all"]]
    return _raters(short, table, "{n} of {all} answers on {scale} are {answer}")


def rest_correlation(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Pearson's r between a rater and the mean of the *other* raters below ``minimum``, on any numeric scale.

    Stimuli with at least two other votes count, ``minimum_stimuli`` of them or more are needed. Undefined for a rater
    without any spread, whom straight-lining names.
    """
    table = rest_correlations(frame)
    if table.empty:
        raise NotApplicable("no numeric scale has stimuli with three votes")
    table = table[table["n_stimuli"] >= parameters["minimum_stimuli"]]
    short = table[table["r"] < parameters["minimum"]]
    return _raters(short, table, "r {r:.2f} with the others on {scale}")


def time(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """Median time per trial below ``minimum_seconds`` in a session of ``minimum_trials`` or more.

    From ``seconds`` where it is given, else from the gaps between ``submitted_at`` of one trial and the next.
    """
    trials = frame[frame["role"] != "training"].drop_duplicates([*_SESSION, "stimulus_id"])
    given = pd.to_numeric(trials["seconds"], errors="coerce")
    if given.isna().all():
        moments = pd.to_datetime(trials["submitted_at"].replace("", None), errors="coerce", utc=True, format="ISO8601")
        trials = trials.assign(moment=moments).sort_values("moment", kind="stable")
        given = trials.groupby(_SESSION)["moment"].diff().dt.total_seconds()
    if given.isna().all():
        raise NotApplicable("neither 'seconds' nor 'submitted_at' tells the time of a trial")
    table = given.groupby([trials["rater_id"], trials["session_id"]]).agg(["median", "count"]).reset_index()
    table = table[table["count"] >= parameters["minimum_trials"]]
    short = table[table["median"] < parameters["minimum_seconds"]]
    return _sessions(short, table, "median {median:.1f} s per trial")


def hidden_reference(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """The hidden reference rated lower than ``below`` for more than ``share`` of a rater's items."""
    votes = _numeric(frame)
    votes = votes[(votes["condition"] == reference) | (votes["role"] == "reference")]
    if votes.empty:
        raise NotApplicable("no rating of a hidden reference")
    return _too_often(
        votes, votes["value"] < parameters["below"], parameters, f"hidden reference below {parameters['below']:g}"
    )


def mid_anchor(frame: pd.DataFrame, parameters: Parameters, reference: str) -> Outcome:
    """The mid anchor (role ``anchor``, "7k" or "mid" in its condition) rated above ``above`` for more than ``share`` of the items.

    Items that more than ``common_share`` of the raters put above it are not held against anybody: there the anchor is good.
    """
    votes = _numeric(frame)
    named = votes["condition"].str.contains("7k|7000|mid", case=False, regex=True)
    votes = votes[(votes["role"] == "anchor") & named]
    if votes.empty:
        raise NotApplicable("no rating of a mid anchor (role 'anchor', condition named after 7 kHz or mid)")
    high = votes["value"] > parameters["above"]
    common = high.groupby(votes["stimulus_id"]).transform("mean") > parameters["common_share"]
    return _too_often(votes, high & ~common, parameters, f"mid anchor above {parameters['above']:g}")


def rest_correlations(frame: pd.DataFrame) -> pd.DataFrame:
    """Pearson's r of every rater with the mean of the others, who never include himself: rater_id, scale, r, n_stimuli.

    Over the stimuli that he and at least two others rated; NaN with fewer than three of them or where a side does not vary.
    """
    votes = _numeric(frame)
    unit = votes.groupby(["scale", "stimulus_id"]).ngroup().to_numpy()
    rest, others = rest_of(unit, votes["value"].to_numpy())
    votes = votes.assign(rest=rest)[others >= 2]
    groups = votes.groupby(["rater_id", "scale"])
    names = groups.size().reset_index(name="n_stimuli")
    r, _, _ = correlations(groups.ngroup().to_numpy(), votes["value"].to_numpy(), votes["rest"].to_numpy(), len(names))
    return names.assign(r=r)[["rater_id", "scale", "r", "n_stimuli"]]


#: rule key -> rule.
RULES: Mapping[str, Callable[[pd.DataFrame, Parameters, str], Outcome]] = {
    "gold": gold,
    "trap": trap,
    "play_through": play_through,
    "session_variance": session_variance,
    "straight_lining": straight_lining,
    "rest_correlation": rest_correlation,
    "time": time,
    "hidden_reference": hidden_reference,
    "mid_anchor": mid_anchor,
}


def _check_items(frame: pd.DataFrame, role: str) -> pd.DataFrame:
    items = frame[(frame["role"] == role) & (frame["expected"] != "")]
    if items.empty:
        raise NotApplicable(f"no rating with role '{role}' and an answer in 'expected'")
    return items


def _right(items: pd.DataFrame, tolerance: float) -> pd.Series:
    """Whether each answer is the expected one: a number within ``tolerance``, or the same set of labels."""
    near = (items["value"] - pd.to_numeric(items["expected"], errors="coerce")).abs() <= tolerance
    pairs = zip(items["labels"], items["expected"], strict=True)
    same = [bool(given) and set(split_labels(given)) == set(split_labels(right)) for given, right in pairs]
    return near | pd.Series(same, index=items.index)


def _measured(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame["role"].isin(CHECK_ROLES)]


def _numeric(frame: pd.DataFrame) -> pd.DataFrame:
    votes = _measured(frame)
    votes = votes[votes["value"].notna()]
    if votes.empty:
        raise NotApplicable("no rating on a numeric scale")
    return votes


def _too_often(votes: pd.DataFrame, wrong: pd.Series, parameters: Parameters, what: str) -> Outcome:
    table = wrong.groupby(votes["rater_id"]).agg(["sum", "size"]).reset_index()
    short = table[table["sum"] > parameters["share"] * table["size"]]
    return _raters(short, table, what + " in {sum} of {size} items")


def _sessions(short: pd.DataFrame, checked: pd.DataFrame, reason: str) -> Outcome:
    """Sessions that fail, each with its reasons: ``reason`` filled in from every row of ``short``."""
    said: dict[tuple[str, str], list[str]] = {}
    for row in short.to_dict("records"):
        said.setdefault((row["rater_id"], row["session_id"]), []).append(reason.format(**row))
    rows = [(rater, session, "; ".join(reasons)) for (rater, session), reasons in said.items()]
    return Outcome(pd.DataFrame(rows, columns=[*_SESSION, "reason"]), checked["rater_id"].nunique())


def _raters(short: pd.DataFrame, checked: pd.DataFrame, reason: str) -> Outcome:
    return _sessions(short.assign(session_id=""), checked, reason)
