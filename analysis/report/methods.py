"""A methods paragraph with the numbers of a study, ready to be pasted into a paper."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from analysis.ratings.bootstrap import FEW
from analysis.report.findings import scale_title
from analysis.report.study import EMOTION_SCALE, Results
from analysis.scales import SCALES


def methods_paragraph(results: Results, origin: Mapping[str, str], questions: Mapping[str, str]) -> str:
    """Plain sentences: who rated what, how it was asked, what was left out, how it was computed, with which code.

    ``questions`` are the words of scales as raters saw them; of a scale that it does not name, none are said.
    """
    parts = [
        _design(results),
        *_questions(results, questions),
        _left_out(results),
        *_statistics(results),
        _code(results, origin),
    ]
    text = " ".join(part for part in parts if part)
    return ("These ratings are simulated. " + text) if results.simulated else text


def _design(results: Results) -> str:
    c = results.counts
    raters = f"{c['raters']:,} raters" if c["raters"] else "Raters who are not named in the data"
    names = [f"{info.label} ({info.rate})" if info.rate else info.label for info in results.conditions]
    said = (
        f"{raters} gave {c['ratings_used']:,} ratings of {c['stimuli']:,} stimuli: {c['clips']:,} clips in {c['conditions']} "
    )
    said += f"condition{'s' if c['conditions'] != 1 else ''} ({', '.join(names)})."
    strata = results.people.strata
    if len(strata) > 1:
        said += f" Raters by stratum: {', '.join(f'{s} {n:,}' for s, n in zip(strata['stratum'], strata['n_raters'], strict=True))}."
    minutes = results.people.raters["minutes"].astype("float64").median() if len(results.people.raters) else float("nan")
    if isfinite(minutes):
        said += f" The median rater took {minutes:.0f} minutes, {results.people.timing}."
    return said


def _questions(results: Results, questions: Mapping[str, str]) -> list[str]:
    said = []
    for key in results.scales_coded:
        scale, words = SCALES.get(key), questions.get(key)
        start = f"For {scale_title(key).lower()}, raters " + (f"were asked: “{words}”" if words else "answered")
        if key == EMOTION_SCALE:
            said.append(f"{start} (options: {', '.join(results.emotions)}).")
        elif scale is None:
            said.append(f"Scale “{key}” was rated.")
        else:
            said.append(f"{start} ({scale.minimum} to {scale.maximum}; {scale.source}).")
    return said


def _left_out(results: Results) -> str:
    sieve = results.sieve
    rules = f"Raters were screened by rule set {sieve.name}, version {sieve.version} ({sieve.source}). " * (
        sieve.name != "none"
    )
    return rules + _reasons(results)


def _reasons(results: Results) -> str:
    if not results.left_out:
        return "No rating was left out."
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in results.left_out.items())
    read, out = results.counts["ratings_read"], results.counts["ratings_left_out"]
    return f"Of {read:,} ratings, {out:,} ({100 * out / read:.1f} %) were left out: {reasons}."


def _statistics(results: Results) -> list[str]:
    said = []
    methods = set(results.mos.frame["ci_method"]) if results.scales else set()
    boot = f"a crossed bootstrap over raters and clips (Owen, 2007; {results.replicates:,} replicates, seed {results.seed})"
    if "crossed-percentile" in methods or "crossed-bca" in methods:
        kind = "percentiles" if "crossed-percentile" in methods else "BCa bounds"
        said.append(f"Mean opinion scores have 95 % intervals from the {kind} of {boot}.")
    if "crossed-rescaled" in methods:
        said.append(
            f"Mean opinion scores have 95 % intervals with the shape of {boot} and the width of the standard error clustered by rater "
            "and clip (Cameron, Gelbach and Miller, 2011)."
        )
    if "two-way-t" in methods:
        said.append(
            f"Conditions with fewer than {FEW} raters or clips have two-way t intervals with standard errors clustered by rater and clip "
            "(Cameron, Gelbach and Miller, 2011)."
        )
    if results.contrasts["p"].notna().any():
        said.append(
            f"Pairs of conditions were compared on the clips that both were rated on, with intervals from {boot}, p values corrected by "
            "Holm’s method within a scale, and Cliff’s delta as effect size."
        )
    if results.retention.overall["macro_f1"].notna().any():
        n = len(results.emotions)
        said.append(
            f"Emotion retention is the macro-F1 of a condition’s label sets against those of {results.reference}: an emotion is in the "
            f"label set of a clip when its share of the votes exceeds 1/{n}."
        )
    if results.retention.overall["ci_low"].notna().any():
        said.append(f"Its intervals are percentiles of {boot}, moved by its bias.")
    alphas = results.agreement[(results.agreement["condition"] == "") & results.agreement["value"].notna()]
    alphas = alphas[(alphas["label"] == "") & (alphas["level"] != "interval")]
    if len(alphas):
        told = ", ".join(
            f"{scale_title(r['scale']).lower()} {r['value']:.2f} ({r['level']})" for r in alphas.to_dict("records")
        )
        said.append(f"Agreement between raters (Krippendorff’s alpha): {told}.")
    return said


def _code(results: Results, origin: Mapping[str, str]) -> str:
    return (
        f"The analysis ran with Python {origin['python']}, NumPy {origin['numpy']} and SciPy {origin['scipy']} (analysis code "
        f"{origin['analysis_code'][:12]}, ratings {origin['ratings_digest'][:12]})."
    )
