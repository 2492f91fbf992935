"""How far machines agree with people: scores of measures beside opinion scores and emotion retention, per stimulus and per condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.correlation import COEFFICIENTS, Correlation, least_telling, over_clusters, over_conditions
from analysis.labels import threshold_votes
from analysis.objective import MEASURES, get_measure
from analysis.opinions import EMOTION_SCALE, RETENTION, Opinion, opinions_of, ratio
from analysis.p1401 import errors, first_order, monotone_third_order
from analysis.ratings.bootstrap import CrossedBootstrap, percentile_interval
from analysis.ratings.coding import Coded, encode
from analysis.ratings.retention import Retention
from analysis.ratings.votes import label_votes
from analysis.schema import SchemaError, label_options

FloatArray = npt.NDArray[np.float64]

#: A machine that recognises emotions, by its macro-F1; known per condition alone.
RECOGNISER = "ser_macro_f1"
_INTERVALS = tuple(f"{name}{end}" for name in COEFFICIENTS for end in ("", "_ci_low", "_ci_high"))
_ERRORS = ("rmse", "rmse_star", "outlier_ratio")
COLUMNS = (
    *("measure", "scale", "level", "n", *_INTERVALS, *_ERRORS),
    *("rmse_third", "rmse_star_third", "outlier_ratio_third", "mse", "least_telling", "note"),
)
EMOTION_COLUMNS = ("measure", "emotion", "level", "n", *_INTERVALS, "note")
RANK_COLUMNS = (
    *("measure", "scale", "condition", "people", "people_ci_low", "people_ci_high", "score", "score_ci_low", "score_ci_high"),
    *("rank_people", "rank_machine", "difference", "ci_low", "ci_high", "note"),
)


@dataclass(frozen=True)
class Recogniser:
    """Emotion recognition by machine: macro-F1 by condition, and F1 by condition and emotion (condition, emotion, f1).

    ``overall`` may hold relative_drop, drop_low and drop_high too: the change against the originals in per cent, with its interval.
    """

    overall: pd.DataFrame
    by_emotion: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=["condition", "emotion", "f1"]))


@dataclass(frozen=True)
class Comparison:
    """``overall`` (`COLUMNS`), ``by_emotion`` (`EMOTION_COLUMNS`), ``ranks`` (`RANK_COLUMNS`); ``stimuli`` holds the pairs behind them.

    ``recogniser`` is what was given, and ``notes`` are sentences on what could not be compared.
    """

    overall: pd.DataFrame
    by_emotion: pd.DataFrame
    ranks: pd.DataFrame
    stimuli: pd.DataFrame
    emotions: pd.DataFrame
    notes: list[str]
    recogniser: Recogniser | None = None


def compare(
    scores: pd.DataFrame,
    ratings: pd.DataFrame,
    *,
    reference: str,
    emotions: Sequence[str] | None = None,
    recogniser: Recogniser | None = None,
    falling: Callable[[str], bool] = lambda measure: False,
    replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Every measure in ``scores`` beside every scale in usable ``ratings`` (`schema.select_usable`).

    ``scores``: clip_id, condition, measure, score (NaN: undefined, left out). Ratings of clips in conditions that no measure scored
    are left out, those of ``reference`` kept, since retention rests on them. ``falling`` says of which measures lower is better:
    ranks are turned round for them, correlations are not. Intervals: `correlation.over_clusters` over clips for stimuli,
    `correlation.over_conditions` over raters, clips and conditions. rmse, rmse_star and outlier_ratio are those after a
    straight line (`p1401`), those with ``_third`` after a monotone cubic; mse compares the bare numbers, for measures that speak in
    opinion scores. ``least_telling`` is the correlation that as many unrelated pairs exceed one time in twenty.

    Raises SchemaError when no rated stimulus is scored.
    """
    scores = _checked(scores)
    notes: list[str] = []
    used = _common(scores, ratings, reference, notes)
    scales = encode(used)
    first = next(iter(scales.values()))
    bootstrap = CrossedBootstrap(len(first.raters), len(first.clips), replicates, seed)
    drawn_clips = np.concatenate([clips for _, clips in bootstrap.blocks()], axis=1)
    options = list(emotions or label_options(used[used["scale"] == EMOTION_SCALE]))
    people, retention = opinions_of(scales, options, reference, bootstrap, drawn_clips)
    machines = {str(name): _Machine(table, first.clips, drawn_clips) for name, table in scores.groupby("measure", sort=True)}
    rows, ranks, pairs = [], [], []
    for i, (measure, machine) in enumerate(machines.items()):
        for j, opinion in enumerate(people):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i, j)))
            joined = opinion.stimuli.merge(machine.table, on=["clip_id", "condition"])
            if len(joined):
                pairs.append(joined.assign(measure=measure, scale=opinion.scale))
            head = {"measure": measure, "scale": opinion.scale}
            rows.append(head | _of_stimuli(joined, replicates, rng))
            rows.append(head | _of_conditions(opinion, machine, rng))
            ranks += [head | row for row in _ranks(opinion, machine, falling(measure))]
    by_emotion = _by_emotion(scales, options, reference, machines, people, replicates, seed)
    if recogniser is not None:
        rows += _recognised(recogniser, people, np.random.default_rng([seed, 1]))
        by_emotion += _recognised_emotions(recogniser, retention, np.random.default_rng([seed, 2]))
    return Comparison(
        _frame(rows, COLUMNS),
        _frame(by_emotion, EMOTION_COLUMNS),
        _frame(ranks, RANK_COLUMNS),
        pd.concat(pairs, ignore_index=True) if pairs else pd.DataFrame(columns=["clip_id", "condition", "measure", "scale"]),
        _beside(recogniser, retention),
        notes,
        recogniser,
    )


def is_falling(measure: str) -> bool:
    """Whether lower is better in a measure; one that `analysis.objective` does not know is taken to rise.

    >>> is_falling("mel_distance"), is_falling("pesq_wb"), is_falling("our_own")
    (True, False, False)
    """
    return measure in MEASURES and get_measure(measure).best == "lower"


class _Machine:
    """A measure's scores: by stimulus, by condition, and by condition in every replicate."""

    def __init__(self, table: pd.DataFrame, clips: Sequence[str], drawn_clips: FloatArray) -> None:
        self.table = table[["clip_id", "condition", "score"]]
        place = {clip: index for index, clip in enumerate(clips)}
        self.means, self.drawn = {}, {}
        for condition, mine in table.groupby("condition", sort=True):
            mine = mine[mine["clip_id"].isin(place)]
            if len(mine):
                weights = drawn_clips[[place[clip] for clip in mine["clip_id"]]]
                self.means[str(condition)] = float(mine["score"].mean())
                self.drawn[str(condition)] = ratio(mine["score"].to_numpy() @ weights, weights.sum(axis=0))


def _checked(scores: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in ("clip_id", "condition", "measure", "score") if name not in scores.columns]
    if missing:
        raise SchemaError(
            f"The scores have no column {', '.join(map(repr, missing))}: a score is joined to votes by clip and condition."
        )
    number = pd.to_numeric(scores["score"], errors="coerce")
    table = scores[["clip_id", "condition", "measure"]].astype(str).assign(score=number)[np.isfinite(number)]
    return table.groupby(["measure", "clip_id", "condition"], as_index=False, sort=True)["score"].mean()


def _common(scores: pd.DataFrame, ratings: pd.DataFrame, reference: str, notes: list[str]) -> pd.DataFrame:
    scored = pd.MultiIndex.from_frame(scores[["clip_id", "condition"]].drop_duplicates())
    rated = pd.MultiIndex.from_frame(ratings[["clip_id", "condition"]])
    both = rated.isin(scored)
    if not both.any():
        raise SchemaError("No stimulus has both ratings and scores; clip_id and condition must be the same in both files.")
    without = len(rated[~both].drop_duplicates())
    if without:
        notes.append(
            f"{without} of {len(rated.drop_duplicates())} rated stimuli have no score and are left out of the comparison."
        )
    clips = set(ratings.loc[both, "clip_id"])
    return ratings[both | ((ratings["condition"] == reference) & ratings["clip_id"].isin(clips))].reset_index(drop=True)


def _of_stimuli(joined: pd.DataFrame, replicates: int, rng: np.random.Generator) -> dict[str, object]:
    x, y = joined["score"].to_numpy(dtype=np.float64), joined["value"].to_numpy(dtype=np.float64)
    _, clip = np.unique(joined["clip_id"].to_numpy(dtype=str), return_inverse=True)
    found = over_clusters(x, y, clip.astype(np.int64), replicates, rng)
    return (
        {"level": "stimulus", "n": len(joined)}
        | found.row()
        | _mapped(x, y, joined["half"].to_numpy(dtype=np.float64), found.note)
    )


def _of_conditions(opinion: Opinion, machine: _Machine, rng: np.random.Generator) -> dict[str, object]:
    names = [name for name in opinion.conditions.index if name in machine.means]
    shown = opinion.conditions.loc[names]
    x, y = np.array([machine.means[name] for name in names]), shown["value"].to_numpy(dtype=np.float64)
    if names:
        found = over_conditions(
            x, y, np.stack([machine.drawn[name] for name in names]), np.stack([opinion.drawn[name] for name in names]), rng
        )
    else:
        found = over_conditions(x, y, np.empty((0, 1)), np.empty((0, 1)), rng)
    half = ((shown["high"] - shown["low"]) / 2).to_numpy(dtype=np.float64)
    return {"level": "condition", "n": len(names)} | found.row() | _mapped(x, y, half, found.note)


def _mapped(x: FloatArray, y: FloatArray, half: FloatArray, note: str) -> dict[str, object]:
    """Errors after both mappings; NaN where there are too few different scores."""
    mse = float(((x - y) ** 2).mean()) if len(x) else np.nan
    row: dict[str, object] = {"mse": mse, "least_telling": least_telling(len(x)), "note": note}
    for ending, fit in (("", first_order), ("_third", monotone_third_order)):
        try:
            mapping = fit(x, y)
        except ValueError:
            continue
        found = errors(y, mapping(x), half, mapping.parameters)
        row |= {
            f"rmse{ending}": found.rmse,
            f"rmse_star{ending}": found.rmse_star,
            f"outlier_ratio{ending}": found.outlier_ratio,
        }
    return row


def _ranks(opinion: Opinion, machine: _Machine, falls: bool) -> list[dict[str, object]]:
    """Places of the conditions, 1 the best, by people and by the machine, with the interval of their difference over raters and clips."""
    names = [name for name in opinion.conditions.index if name in machine.means]
    if len(names) < 2:
        return []
    sign = 1 if falls else -1
    score, drawn = np.array([machine.means[name] for name in names]), np.stack([machine.drawn[name] for name in names])
    people, heard = (
        opinion.conditions.loc[names, "value"].to_numpy(dtype=np.float64),
        np.stack([opinion.drawn[name] for name in names]),
    )
    places = [scipy.stats.rankdata(values, axis=0) for values in (-people, sign * score, -heard, sign * drawn)]
    bounds, spread = percentile_interval(places[3] - places[2]), percentile_interval(drawn)
    return [
        {
            "condition": name,
            "people": people[i],
            "people_ci_low": opinion.conditions.at[name, "low"],
            "people_ci_high": opinion.conditions.at[name, "high"],
            "score": score[i],
            "score_ci_low": spread[i, 0],
            "score_ci_high": spread[i, 1],
            "rank_people": places[0][i],
            "rank_machine": places[1][i],
            "difference": places[1][i] - places[0][i],
            "ci_low": bounds[i, 0],
            "ci_high": bounds[i, 1],
            "note": "",
        }
        for i, name in enumerate(names)
    ]


def _by_emotion(
    scales: Mapping[str, Coded],
    options: Sequence[str],
    reference: str,
    machines: Mapping[str, _Machine],
    people: Sequence[Opinion],
    replicates: int,
    seed: int,
) -> list[dict[str, object]]:
    """How a measure goes with the retention of the clips whose original carries an emotion."""
    kept = next((opinion.stimuli for opinion in people if opinion.scale == RETENTION), None)
    if kept is None:
        return []
    coded = scales[EMOTION_SCALE]
    votes = label_votes(coded, options, len(coded.raters))[coded.conditions.index(reference)].totals()
    carried = threshold_votes(votes, axis=0)
    rows = []
    for i, (measure, machine) in enumerate(machines.items()):
        for j, emotion in enumerate(options):
            clips = set(np.array(coded.clips, dtype=object)[carried[j]])
            joined = kept[kept["clip_id"].isin(clips)].merge(machine.table, on=["clip_id", "condition"])
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(i, j, 1)))
            row = _of_stimuli(joined, replicates, rng)
            rows.append(
                {"measure": measure, "emotion": emotion} | {name: row[name] for name in ("level", "n", *_INTERVALS, "note")}
            )
    return rows


def _recognised(recogniser: Recogniser, people: Sequence[Opinion], rng: np.random.Generator) -> list[dict[str, object]]:
    table = recogniser.overall.set_index("condition")["macro_f1"].astype(float).dropna()
    rows = []
    for opinion in people:
        names = [name for name in opinion.conditions.index if name in table.index]
        x, y = table.loc[names].to_numpy(), opinion.conditions.loc[names, "value"].to_numpy(dtype=np.float64)
        found = _fixed(x, y, [opinion.drawn[name] for name in names], rng)
        shown = opinion.conditions.loc[names]
        half = ((shown["high"] - shown["low"]) / 2).to_numpy(dtype=np.float64)
        head = {"measure": RECOGNISER, "scale": opinion.scale, "level": "condition", "n": len(names)}
        rows.append(head | found.row() | _mapped(x, y, half, found.note))
    return rows


def _recognised_emotions(
    recogniser: Recogniser, retention: Retention | None, rng: np.random.Generator
) -> list[dict[str, object]]:
    """Machine's F1 of an emotion beside people's, over conditions; only conditions are drawn, since neither side's replicates are here."""
    if retention is None:
        return []
    joined = _beside(recogniser, retention)
    rows = []
    for emotion, mine in joined.groupby("emotion", sort=True):
        x, y = (mine[name].to_numpy(dtype=np.float64) for name in ("f1_machine", "f1_people"))
        found = _fixed(x, y, [np.array([value]) for value in y], rng)
        head = {"measure": RECOGNISER, "emotion": emotion, "level": "condition", "n": len(mine)}
        rows.append(head | found.row() | {"note": found.note})
    return rows


def _beside(recogniser: Recogniser | None, retention: Retention | None) -> pd.DataFrame:
    """F1 of each emotion in each condition, by people and by the machine, where both are defined."""
    if recogniser is None or retention is None:
        return pd.DataFrame(columns=["condition", "emotion", "f1_people", "f1_machine"])
    people = retention.by_emotion[["condition", "emotion", "f1"]].rename(columns={"f1": "f1_people"})
    machine = recogniser.by_emotion[["condition", "emotion", "f1"]].rename(columns={"f1": "f1_machine"})
    return people.merge(machine, on=["condition", "emotion"]).dropna(ignore_index=True)


def _fixed(x: FloatArray, y: FloatArray, drawn: Sequence[FloatArray], rng: np.random.Generator) -> Correlation:
    """Over conditions, with scores of a machine that is the same in every replicate."""
    replicates = max([1000, *(len(one) for one in drawn)])
    heard = np.stack([np.resize(one, replicates) for one in drawn]) if drawn else np.empty((0, replicates))
    return over_conditions(x, y, np.repeat(x[:, None], replicates, axis=1), heard, rng)


def _frame(rows: list[dict[str, object]], columns: Sequence[str]) -> pd.DataFrame:
    words = {"measure", "scale", "level", "emotion", "condition", "note", "n"}
    table = pd.DataFrame(rows, columns=list(columns))
    return table.astype({name: "float64" for name in columns if name not in words}) if len(table) else table
