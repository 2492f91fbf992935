"""Conditions beside one another: what people said of them in each study's report, and what machines say of the same stimuli."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan

import pandas as pd
from django.db import transaction
from django.db.models import Avg, Count, Q, QuerySet, StdDev

from analysis.objective import MEASURES, get_measure
from analysis.objective.summary import mean_interval
from analysis.report import Report
from analysis.scales import SCALES
from codecs_runner.registry import get_condition
from listening.models import ConditionResult, Stimulus, StimulusScore, Study
from listening.services.errors import ServiceError
from listening.services.studies import log

RETENTION = "retention"


@dataclass(frozen=True)
class Number:
    """A value with its 95 % interval, None where there is none, and how many votes or clips it comes from."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Column:
    key: str
    label: str
    best: str
    source: str = ""


@dataclass
class Row:
    """A condition in a study."""

    study: Study
    condition: str
    label: str
    family: str
    rate_bps: float | None
    simulated: bool = False
    numbers: dict[str, Number] = field(default_factory=dict)


@dataclass(frozen=True)
class Leaderboard:
    rows: list[Row]
    people: list[Column]
    machines: list[Column]

    def frame(self) -> pd.DataFrame:
        """One row for each condition of a study; each column of numbers with its interval and count beside it."""
        lines = []
        for row in self.rows:
            line = {
                "study": row.study.slug,
                "corpus": row.study.corpus.name,
                "condition": row.condition,
                "label": row.label,
                "family": row.family,
                "bitrate_bps": row.rate_bps,
                "simulated": row.simulated,
            }
            for column in (*self.people, *self.machines):
                number = row.numbers.get(column.key)
                for name in ("value", "low", "high", "n"):
                    suffix = {"value": "", "low": "_ci_low", "high": "_ci_high", "n": "_n"}[name]
                    line[column.key + suffix] = getattr(number, name) if number else None
            lines.append(line)
        return pd.DataFrame(lines)


def visible_studies(*, staff: bool, asked: str = "") -> QuerySet[Study]:
    """Studies that may be on the board: past the draft, and marked public unless staff look.

    A sandbox is on it for staff who ask for it by its name, and for nobody else.
    """
    studies = Study.objects.exclude(status=Study.Status.DRAFT).select_related("corpus")
    if not staff:
        return studies.filter(sandbox=None, results_public=True)
    return studies.filter(Q(sandbox=None) | Q(slug=asked))


def change_visibility(study: Study) -> bool:
    """Show a study's results to everybody, or to staff alone again; returns whether everybody sees them now.

    Raises ServiceError for a sandbox, which has nothing to say about codecs.
    """
    if study.is_sandbox:
        raise ServiceError("A sandbox's ratings are simulated; they are never shown on the public leaderboard.")
    study.results_public = not study.results_public
    with transaction.atomic():
        study.save(update_fields=["results_public"])
        log(study, "results made public" if study.results_public else "results made private")
    return study.results_public


def keep_results(study: Study, report: Report, *, simulated: bool) -> None:
    """Keep what a report says of the study's conditions; what an earlier one said is replaced whole."""
    found = [
        *_results(report.mos, "mos", "n_ratings", dict(zip(report.mos.index, report.mos["scale"], strict=True))),
        *_results(report.retention, "macro_f1", "n_clips", dict.fromkeys(report.retention.index, RETENTION)),
    ]
    with transaction.atomic():
        ConditionResult.objects.filter(study=study).delete()
        ConditionResult.objects.bulk_create([ConditionResult(study=study, simulated=simulated, **values) for values in found])


def leaderboard(studies: Iterable[Study], family: str = "") -> Leaderboard:
    """The board of some studies, by bit rate; the original, which has none, comes last."""
    by_pk = {study.pk: study for study in studies}
    rows: dict[tuple[int, str], Row] = {}
    rates = _rates(by_pk)
    for result in ConditionResult.objects.filter(study__in=by_pk):
        row = _row(rows, by_pk[result.study_id], result.condition, rates)
        row.simulated |= result.simulated
        row.numbers[result.scale] = Number(result.value, result.ci_low, result.ci_high, result.n)
    for pk, condition, measure, mean, sd, n in _means(by_pk):
        low, high = mean_interval(mean, sd or 0.0, n)
        row = _row(rows, by_pk[pk], condition, rates)
        row.numbers[measure] = Number(mean, None if isnan(low) else low, None if isnan(high) else high, n)
    shown = [row for row in rows.values() if not family or row.family == family]
    shown.sort(key=lambda row: (row.rate_bps is None, row.rate_bps or 0, row.label, row.study.slug))
    there = {key for row in shown for key in row.numbers}
    scales = [key for key in (*SCALES, RETENTION) if key in there]
    scales += sorted(there - set(scales) - set(MEASURES))
    people = [Column(key, scale_label(key), "higher") for key in scales]
    measures = {key: get_measure(key) for key in MEASURES if key in there}
    machines = [Column(key, measure.label, measure.best, measure.source) for key, measure in measures.items()]
    return Leaderboard(shown, people, machines)


def scale_label(key: str) -> str:
    return "Emotion retention" if key == RETENTION else f"MOS {key.upper() if len(key) <= 4 else key}"


def _row(rows: dict[tuple[int, str], Row], study: Study, slug: str, rates: Mapping[tuple[int, str], float | None]) -> Row:
    if (study.pk, slug) not in rows:
        try:
            condition = get_condition(slug)
            label, family, nominal = condition.label, condition.family, condition.nominal_bps
        except KeyError:  # the second panel of the original, or a condition of an older version
            label, family, nominal = slug, "", None
        rows[study.pk, slug] = Row(study, slug, label, family, rates.get((study.pk, slug)) or nominal)
    return rows[study.pk, slug]


def _rates(studies: Mapping[int, Study]) -> dict[tuple[int, str], float | None]:
    made = Stimulus.objects.filter(study_stimuli__study__in=studies).order_by()
    found = made.values_list("study_stimuli__study", "condition").annotate(Avg("payload_bps"))
    return {(study, condition): rate for study, condition, rate in found}


def _means(studies: Mapping[int, Study]) -> QuerySet:
    scores = StimulusScore.objects.filter(stimulus__study_stimuli__study__in=studies, value__isnull=False).order_by()
    return scores.values_list("stimulus__study_stimuli__study", "stimulus__condition", "measure").annotate(
        Avg("value"), StdDev("value", sample=True), Count("pk")
    )


def _results(table: pd.DataFrame, value: str, n: str, scales: Mapping[int, str]) -> list[dict]:
    return [
        {
            "condition": row["condition"],
            "scale": scales[index],
            "value": row[value],
            "ci_low": None if pd.isna(row["ci_low"]) else row["ci_low"],
            "ci_high": None if pd.isna(row["ci_high"]) else row["ci_high"],
            "n": int(row[n]),
        }
        for index, row in table[table[value].notna()].iterrows()
    ]
