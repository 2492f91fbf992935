"""Who may be left out, by rules with names, versions and numbers that a study can change and a paper can cite.

A rule looks at ratings and names raters (or single sessions of raters) with a reason; it never removes a row. Every rule set of
`RULE_SETS` lists its rules with their parameters. A rule whose columns are missing says so and excludes nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from analysis.ratings.screening_rules import RULES, NotApplicable
from analysis.schema import CHECK_ROLES, SchemaError

EXCLUSION_COLUMNS = ("rater_id", "rule", "reason", "n_ratings", "session_id")
CHECK_COLUMNS = ("rule", "parameters", "n_checked", "n_excluded", "note")
SIDE_BY_SIDE = ("condition", "scale", "mos_all", "mos_screened", "change", "width_all", "width_screened", "n_all", "n_screened")

Parameters = Mapping[str, float]


@dataclass(frozen=True)
class RuleSet:
    """Named, versioned rules: rule key -> parameters. ``source`` says where the numbers come from."""

    name: str
    version: str
    source: str
    rules: Mapping[str, Parameters]

    def with_parameters(self, rule: str, **parameters: float) -> RuleSet:
        """A set with some numbers of a rule changed (or the rule added); its version says that it was changed.

        >>> RULE_SETS["p808-acr"].with_parameters("gold", tolerance=0).version
        '1-changed'
        """
        if rule not in RULES:
            raise SchemaError(f"There is no screening rule '{rule}'; the rules are {', '.join(RULES)}.")
        changed = {**self.rules, rule: {**self.rules.get(rule, {}), **parameters}}
        return replace(self, version=f"{self.version.removesuffix('-changed')}-changed", rules=MappingProxyType(changed))

    def without(self, rule: str) -> RuleSet:
        """A set that leaves a rule out."""
        left = {key: value for key, value in self.rules.items() if key != rule}
        return replace(self, version=f"{self.version.removesuffix('-changed')}-changed", rules=MappingProxyType(left))


_TOOLKIT = "acceptance and use criteria of the ITU-T P.808 toolkit"
_P808: dict[str, Parameters] = {
    "gold": {"tolerance": 1, "minimum": 1},
    "trap": {"minimum_share": 1},
    "play_through": {"heard_share": 0.98, "minimum_share": 1},
    "session_variance": {"minimum": 0.1},
    # Two additions: the toolkit pools the scales in its variance, so that 5/3/4 on every clip passes, and it times nothing.
    "straight_lining": {"share": 1.0, "minimum_ratings": 8},
    "time": {"minimum_seconds": 2, "minimum_trials": 5},
}
#: name -> rule set. ``none`` checks nothing; results without screening are always shown beside those with it.
RULE_SETS: Mapping[str, RuleSet] = MappingProxyType(
    {
        "none": RuleSet("none", "1", "no screening", MappingProxyType({})),
        "p808-acr": RuleSet("p808-acr", "1", f"{_TOOLKIT}, ACR; straight-lining per scale and time are ours", _P808),
        "p808-p804": RuleSet(
            "p808-p804",
            "1",
            f"{_TOOLKIT}, P.804: two gold answers and a correlation of 0.5 with the others",
            MappingProxyType(
                {**_P808, "gold": {"tolerance": 1, "minimum": 2}, "rest_correlation": {"minimum": 0.5, "minimum_stimuli": 6}}
            ),
        ),
        "p808-personalised": RuleSet(
            "p808-personalised",
            "1",
            f"{_TOOLKIT}, personalised P.835: a correlation of 0.4 with the others",
            MappingProxyType({**_P808, "rest_correlation": {"minimum": 0.4, "minimum_stimuli": 6}}),
        ),
        "bs1534": RuleSet(
            "bs1534",
            "1",
            "post-screening of ITU-R BS.1534 (hidden reference and mid anchor)",
            MappingProxyType(
                {
                    "hidden_reference": {"below": 90, "share": 0.15},
                    "mid_anchor": {"above": 90, "share": 0.15, "common_share": 0.25},
                }
            ),
        ),
    }
)


@dataclass(frozen=True)
class Screening:
    """``exclusions``: one row per rater (or session), and rule (`EXCLUSION_COLUMNS`). ``checks``: one row per rule, with how
    many raters it looked at, how many it named, and why it could not look (`CHECK_COLUMNS`)."""

    rule_set: RuleSet
    exclusions: pd.DataFrame
    checks: pd.DataFrame


def rule_set(name: str) -> RuleSet:
    """The rule set of that name; a SchemaError that lists the names where there is none.

    >>> rule_set("p808-acr").rules["trap"]
    {'minimum_share': 1}
    """
    if name not in RULE_SETS:
        raise SchemaError(f"There is no screening rule set '{name}'; the sets are {', '.join(RULE_SETS)}.")
    return RULE_SETS[name]


def screen(ratings: pd.DataFrame, rules: RuleSet | str, reference: str = "original") -> Screening:
    """Apply every rule to a validated frame, check items included; rows already excluded are not looked at.

    ``n_ratings`` counts the ratings of conditions (check items aside) that the exclusion would take out. ``session_id`` is empty
    where all of a rater's ratings are meant. Ratings without a rater id cannot be screened and are passed over.
    """
    chosen = rule_set(rules) if isinstance(rules, str) else rules
    frame = ratings[(ratings["excluded"] == "") & (ratings["rater_id"] != "")]
    found, checks = [], []
    for key, parameters in chosen.rules.items():
        check = {"rule": key, "parameters": ", ".join(f"{name} {value:g}" for name, value in parameters.items())}
        try:
            result = RULES[key](frame, parameters, reference)
        except NotApplicable as why:
            checks.append(check | {"n_checked": 0, "n_excluded": 0, "note": f"not applied: {why}"})
            continue
        named = result.failed.assign(rule=key)
        found.append(named)
        checks.append(check | {"n_checked": result.n_checked, "n_excluded": named["rater_id"].nunique(), "note": result.note})
    exclusions = (
        pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["rater_id", "session_id", "rule", "reason"])
    )
    exclusions["n_ratings"] = _counts(frame, exclusions)
    exclusions = exclusions[list(EXCLUSION_COLUMNS)].sort_values(["rater_id", "session_id", "rule"], ignore_index=True)
    return Screening(chosen, exclusions, pd.DataFrame(checks, columns=list(CHECK_COLUMNS)))


def apply_exclusions(ratings: pd.DataFrame, exclusions: pd.DataFrame) -> pd.DataFrame:
    """The ratings with ``excluded`` filled by "rule: reason" where an exclusion holds; earlier reasons stay."""
    reasons = exclusions.assign(text=exclusions["rule"] + ": " + exclusions["reason"]).drop_duplicates(
        ["rater_id", "session_id"]
    )
    whole = reasons[reasons["session_id"] == ""].set_index("rater_id")["text"]
    parts = reasons[reasons["session_id"] != ""].set_index(["rater_id", "session_id"])["text"]
    keys = pd.MultiIndex.from_frame(ratings[["rater_id", "session_id"]])
    by_session = pd.Series(parts.reindex(keys).to_numpy() if len(parts) else np.full(len(ratings), None), index=ratings.index)
    reason = ratings["rater_id"].map(whole).where(lambda text: text.notna(), by_session)
    return ratings.assign(excluded=ratings["excluded"].mask((ratings["excluded"] == "") & reason.notna(), reason))


def exclude_raters(ratings: pd.DataFrame, raters: list[str], reason: str = "excluded by request") -> pd.DataFrame:
    """Exclusions (`EXCLUSION_COLUMNS`) of raters named by hand; a SchemaError names those who are not in the data."""
    unknown = sorted(set(raters) - set(ratings["rater_id"]))
    if unknown:
        raise SchemaError(f"No rating is by {', '.join(unknown)}.")
    frame = pd.DataFrame({"rater_id": raters, "session_id": "", "rule": "by_hand", "reason": reason})
    frame["n_ratings"] = _counts(ratings[ratings["excluded"] == ""], frame)
    return frame[list(EXCLUSION_COLUMNS)]


def side_by_side(everybody: pd.DataFrame, screened: pd.DataFrame) -> pd.DataFrame:
    """Two tables of `mos.mos_by_condition`, without and with screening, beside one another: frame with `SIDE_BY_SIDE`.

    ``change`` = MOS with screening - MOS without; the widths are those of the intervals. A condition that screening leaves
    without votes stays, with NaN.
    """
    tables = []
    for table, tag in ((everybody, "all"), (screened, "screened")):
        width = table["ci_high"] - table["ci_low"]
        kept = table[["condition", "scale", "mos"]].assign(width=width, n=table["n_ratings"])
        tables.append(kept.rename(columns={name: f"{name}_{tag}" for name in ("mos", "width", "n")}))
    both = tables[0].merge(tables[1], on=["condition", "scale"], how="left")
    both["n_screened"] = both["n_screened"].fillna(0).astype("int64")
    return both.assign(change=both["mos_screened"] - both["mos_all"])[list(SIDE_BY_SIDE)]


def _counts(frame: pd.DataFrame, exclusions: pd.DataFrame) -> list[int]:
    measured = frame[~frame["role"].isin(CHECK_ROLES)]
    by_rater, by_session = measured.groupby("rater_id").size(), measured.groupby(["rater_id", "session_id"]).size()
    pairs = zip(exclusions["rater_id"], exclusions["session_id"], strict=True)
    return [int(by_session.get((rater, session), 0) if session else by_rater.get(rater, 0)) for rater, session in pairs]
