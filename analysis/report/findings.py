"""The answer in sentences: which condition keeps quality and emotion best, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

import pandas as pd

from analysis.ratings.bootstrap import percentile_interval, share_first
from analysis.ratings.ceiling import PREDICTED, SECOND_PANEL
from analysis.ratings.coding import FloatArray
from analysis.report.dots import Mark
from analysis.report.study import Results
from analysis.scales import MEAN_TITLES, SCALES

#: A first place in at least this share of the replicates is called clear.
CLEAR = 0.95
#: Scales in the order in which they speak for quality as a whole.
_LEADING = ("ovrl", "p835_ovrl", "quality", "dcr", "ccr")
_CEILINGS = {SECOND_PANEL: "measured with a second panel", PREDICTED: "predicted from its votes"}


@dataclass(frozen=True)
class Finding:
    """The headline and the sentences under it."""

    headline: str
    sentences: tuple[str, ...]


def leading_scale(results: Results) -> str | None:
    """The scale that stands for overall quality; None where there is none."""
    return leading(results.scales)


def leading(scales: Sequence[str]) -> str | None:
    """The scale among ``scales`` that stands for overall quality, else the first of any quality; None where there is none."""
    return next((key for key in (*_LEADING, *scales) if key in scales and scale_mean(key) != "mean"), None)


def scale_title(key: str) -> str:
    """The printed title of a scale; unknown scales are called by their key."""
    return SCALES[key].title if key in SCALES else key


def scale_mean(key: str) -> str:
    """What the mean of a scale is called: MOS, DMOS for DCR, CMOS for CCR, plain mean for what is no quality."""
    return SCALES[key].mean_name if key in SCALES else "MOS"


def mean_title(key: str) -> str:
    """The mean's name in full."""
    return MEAN_TITLES[SCALES[key].mean_name if key in SCALES else "MOS"]


def quality_marks(results: Results, scale: str) -> list[Mark]:
    """Mean of every condition on a scale, for figures; conditions without a rating on it are absent."""
    return _marks(results, results.mos.frame[results.mos.frame["scale"] == scale], "mos")


def retention_marks(results: Results) -> list[Mark]:
    """Macro-F1 of every condition, for figures."""
    return _marks(results, results.retention.overall, "macro_f1")


def ceiling_mark(results: Results) -> Mark | None:
    """The noise ceiling of emotion retention, for figures; None where there is none."""
    table = results.deeper["noise_ceiling"]
    table = table[table["ceiling"].notna()]
    if table.empty:
        return None
    row = table.iloc[0]
    return Mark(
        "ceiling",
        "Noise ceiling",
        row["method"],
        row["ceiling"],
        row["ceiling_ci_low"],
        row["ceiling_ci_high"],
        -1,
        row["note"],
    )


def emotion_marks(results: Results, slug: str) -> list[Mark]:
    """F1 of every emotion in a condition, for figures: marks labelled by emotion, in the order of the options."""
    frame = results.retention.by_emotion
    rows = frame[frame["condition"] == slug].to_dict("records")
    return [Mark(slug, row["emotion"], "", row["f1"], row["ci_low"], row["ci_high"], 0, row["note"]) for row in rows]


def find(results: Results) -> Finding:
    """Headline and sentences for a study; cautious where a first place is not clear in the bootstrap."""
    scale = leading_scale(results)
    quality = quality_marks(results, scale) if scale else []
    emotion = [mark for mark in retention_marks(results) if isfinite(mark.value) and mark.colour >= 0]
    measure = _Measure(mean_title(scale or ""), "sounds best")
    firsts = [
        _first([mark for mark in quality if mark.colour >= 0], results.mos.replicates.get(scale or "", {}), measure),
        _first(emotion, results.retention.replicates, _EMOTION),
    ]
    found = [first for first in firsts if first is not None]
    sentences = [first.sentence for first in found]
    sentences += [_cheapest(results, quality, results.mos.replicates.get(scale or "", {}), measure)]
    sentences += [_cheapest(results, emotion, results.retention.replicates, _EMOTION)]
    sentences += [_against_reference(results, mark, scale or "", quality) for mark in quality if mark.colour < 0]
    sentences = [sentence for sentence in sentences if sentence]
    if ceiling := ceiling_mark(results):
        sentences.append(
            f"The original heard by another panel scores {_spread(ceiling)} in macro-F1 ({_CEILINGS[ceiling.detail]}): that, not 1, "
            "is what perfect retention looks like."
        )
    elif emotion:
        sentences.append(
            "Macro-F1 stays below 1 even for a codec nobody can hear, because no two panels vote alike: compare codecs with "
            "each other before comparing them with 1."
        )
    return Finding(_headline(found), tuple(sentences))


@dataclass(frozen=True)
class _Measure:
    name: str
    praise: str


_EMOTION = _Measure("macro-F1", "keeps most emotion")


@dataclass(frozen=True)
class _First:
    """Who comes first in a measure, how sure that is, and the sentence that says so."""

    label: str
    praise: str
    doubt: str
    sentence: str


def _first(marks: list[Mark], replicates: Mapping[str, FloatArray], measure: _Measure) -> _First | None:
    if len(marks) < 2:
        return None
    ranked = sorted(marks, key=lambda mark: -mark.value)
    best, worst = ranked[0], ranked[-1]
    shown = f"{_named(best)} has the highest {measure.name}, {_spread(best)}; {_named(worst)} has the lowest, {_spread(worst)}."
    unsure = [mark for mark in marks if not isfinite(mark.low)]
    if unsure:
        doubt, said = "but how sure that is cannot be told", f"An interval is missing: {unsure[0].note}."
    else:
        shares = share_first({mark.slug: replicates[mark.slug] for mark in marks})
        rival = max(ranked[1:], key=lambda mark: shares[mark.slug])
        share = shares[best.slug]
        doubt = "" if share >= CLEAR else "though not clearly"
        said = f"{best.label} comes first in {100 * share:.0f} % of the resampled studies"
        said += f", {rival.label} in {100 * shares[rival.slug]:.0f} %: these votes do not settle the order." if doubt else "."
    return _First(best.label, measure.praise, doubt, f"{shown} {said}")


def _cheapest(results: Results, marks: list[Mark], replicates: Mapping[str, FloatArray], measure: _Measure) -> str:
    """The condition of lowest rate that the bootstrap does not tell from the best one; nothing where rates are unknown."""
    rates = {info.slug: info.bps for info in results.conditions if info.bps is not None}
    able = [mark for mark in marks if mark.colour >= 0 and mark.slug in rates and mark.slug in replicates]
    if len({rates[mark.slug] for mark in able}) < 2 or not all(isfinite(mark.low) for mark in able):
        return ""
    best = max(able, key=lambda mark: mark.value)
    gaps = {mark.slug: percentile_interval(replicates[best.slug] - replicates[mark.slug]) for mark in able}
    level = [mark for mark in able if mark is best or gaps[mark.slug][0] <= 0]
    cheapest = min(level, key=lambda mark: (rates[mark.slug], -mark.value))
    if cheapest is best:
        return f"Nothing at a lower bit rate than {_named(best)} comes level with it in {measure.name}."
    low, high = gaps[cheapest.slug]
    return (
        f"The lowest bit rate that these votes cannot tell from the best in {measure.name} is that of {_named(cheapest)}: it is "
        f"{best.value - cheapest.value:.2f} below (95 % interval of the difference {_signed(low)} to {_signed(high)})."
    )


def _against_reference(results: Results, reference: Mark, scale: str, quality: list[Mark]) -> str:
    """Where the reference stands, and how far the best codec is from it on the clips that both were rated on."""
    said = f"The reference, {reference.label}, is at {_spread(reference)} on {scale_title(scale).lower()}"
    codecs = [mark for mark in quality if mark.colour >= 0]
    if not codecs:
        return said + "."
    best = max(codecs, key=lambda mark: mark.value)
    table = results.contrasts
    pair = table[(table["scale"] == scale) & (table["condition_a"] == reference.slug) & (table["condition_b"] == best.slug)]
    if pair.empty or not isfinite(pair["ci_low"].iloc[0]):
        return said + "."
    low, high = pair["ci_low"].iloc[0], pair["ci_high"].iloc[0]
    told = "which these votes do not tell from no difference" if low <= 0 <= high else "a difference these votes do tell"
    gap = f"{pair['difference'].iloc[0]:.2f} above {best.label} (95 % interval {_signed(low)} to {_signed(high)}), {told}."
    return f"{said}, {gap}"


def _named(mark: Mark) -> str:
    """A condition with its bit rate, where that is known and the label does not say it.

    >>> _named(Mark("opus-6kbps", "Opus", "6.04 kbit/s measured", 1, 1, 1, 0)), _named(Mark("a", "A", "", 1, 1, 1, 0))
    ('Opus (6.04 kbit/s measured)', 'A')
    """
    said = not mark.detail or mark.colour < 0 or "kbit/s" in mark.label
    return mark.label if said else f"{mark.label} ({mark.detail})"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _headline(found: list[_First]) -> str:
    """One line; a condition that leads in everything is named once.

    >>> clear, vague = _First("A", "sounds best", "", ""), _First("A", "keeps most emotion", "though not clearly", "")
    >>> _headline([clear, vague])
    'A sounds best and keeps most emotion, the latter though not clearly'
    >>> _headline([_First("B", "sounds best", "", ""), vague])
    'B sounds best; A keeps most emotion, though not clearly'
    """
    if not found:
        return "Too little to compare: fewer than two conditions have a score"
    if len({first.label for first in found}) == 1 and len(found) == 2:
        first, second = found
        if first.doubt == second.doubt:
            return f"{first.label} {first.praise} and {second.praise}" + f", {first.doubt}" * bool(first.doubt)
        if not first.doubt:
            return f"{first.label} {first.praise} and {second.praise}, the latter {second.doubt}"
    return "; ".join(f"{first.label} {first.praise}" + f", {first.doubt}" * bool(first.doubt) for first in found)


def _marks(results: Results, frame: pd.DataFrame, column: str) -> list[Mark]:
    rows = {row["condition"]: row for row in frame.to_dict("records")}
    return [
        Mark(info.slug, info.label, info.rate, row[column], row["ci_low"], row["ci_high"], info.colour, row["note"])
        for info in results.conditions
        if (row := rows.get(info.slug)) is not None
    ]


def _spread(mark: Mark) -> str:
    if not isfinite(mark.low):
        return f"{mark.value:.2f} (no interval)"
    return f"{mark.value:.2f} (95 % interval {mark.low:.2f} to {mark.high:.2f})"
