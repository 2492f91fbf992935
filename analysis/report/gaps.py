"""What a report could not compute, and why, in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from analysis.report.deeper import MOST_RATINGS
from analysis.report.study import Results
from analysis.schema import panel_slug


def find_gaps(results: Results, notes: Sequence[str] = ()) -> list[str]:
    """Sentences on what is missing from the report of these ratings; ``notes`` are what their file could not tell."""
    gaps = list(notes)
    if not results.scales:
        gaps.append("There is no mean opinion score: no scale has numbers.")
    if not results.counts["raters"]:
        gaps.append("There are no intervals, no agreement and nothing on who took part: the ratings do not name their raters.")
    elif not _any(results, "mos") and results.scales:
        reasons = sorted({note for note in results.mos.frame["note"] if note})
        gaps.append(f"No mean opinion score has an interval: {'; '.join(reasons)}.")
    large = [name for name in results.scales if len(results.scales_coded[name]) > MOST_RATINGS]
    if large:
        gaps.append(
            f"Mixed models and intraclass correlations were left out for {', '.join(large)}: over {MOST_RATINGS:,} ratings."
        )
    gaps += _emotion_gaps(results)
    rates = {info.bps for info in results.conditions if info.bps is not None and not info.is_reference}
    if len(rates) < 2 and results.counts["conditions"] > 1:
        gaps.append("No score is drawn against bit rate: fewer than two rates are known (--conditions tells them).")
    if results.counts["conditions"] < 2:
        gaps.append("Nothing is compared: all ratings are of one condition.")
    people = results.people
    if not people.reason:
        if not people.timing:
            gaps.append("How long raters took is unknown: the ratings hold no times.")
        if people.raters["pay"].isna().all():
            gaps.append("Pay per hour is unknown: no pay was given with the ratings.")
        if (people.raters["stratum"] == "").all():
            gaps.append("Raters are not counted by stratum: the ratings name none.")
    return list(dict.fromkeys(gaps))


def _any(results: Results, table: str) -> bool:
    return any(isfinite(value) for value in getattr(results, table).frame["ci_low"])


def _emotion_gaps(results: Results) -> list[str]:
    if not results.emotions:
        return ["There is no emotion retention: no rater was asked for emotions."]
    scored = results.retention.overall["macro_f1"].notna()
    if not scored.any():
        others = results.retention.overall["note"].drop_duplicates()
        reasons = "; ".join(sorted(note for note in others if note not in ("", "reference")))
        return [f"Emotion retention is undefined: {reasons or 'nothing but the reference was rated'}."]
    gaps = []
    if not results.emotions_known:
        gaps.append("The emotions on offer are not known; those that occur stand for them (--emotions tells them).")
    undefined = results.retention.by_emotion
    undefined = undefined[undefined["f1"].isna() & undefined["note"].str.contains("no label set")]
    names = sorted(undefined["emotion"].unique())
    if names:
        gaps.append(
            f"F1 is undefined for {', '.join(names)} in some conditions: the emotion is in no label set of either side."
        )
    if results.deeper["noise_ceiling"]["ceiling"].isna().all():
        reasons = "; ".join(sorted({note for note in results.deeper["noise_ceiling"]["note"] if note}))
        gaps.append(f"There is no noise ceiling of emotion retention: {reasons or 'no condition has a score'}.")
    elif panel_slug(results.reference) not in {info.slug for info in results.conditions}:
        gaps.append("The noise ceiling is a prediction from the votes: no second panel rated the reference.")
    return gaps
