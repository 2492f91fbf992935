"""Every number of a report, computed from a frame of ratings before any of it is drawn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock

import pandas as pd

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded, encode
from analysis.ratings.contrasts import contrasts
from analysis.ratings.mos import MosTable, mos_by_condition, mos_by_stimulus
from analysis.ratings.reliability import agreement
from analysis.ratings.retention import COLUMNS, EMOTION_COLUMNS, Retention, emotion_retention
from analysis.ratings.retention_tests import COLUMNS as TEST_COLUMNS
from analysis.ratings.retention_tests import retention_contrasts
from analysis.ratings.soft_labels import COLUMNS as SOFT_COLUMNS
from analysis.ratings.soft_labels import soft_labels
from analysis.report.conditions import ConditionInfo, describe_conditions
from analysis.report.deeper import deeper_tables
from analysis.report.people import People, describe_people
from analysis.report.sieve import Sieve
from analysis.schema import SchemaError, count_excluded, label_options, select_usable, split_panels

#: The label scale that emotion retention is computed from.
EMOTION_SCALE = "emotion"
REPLICATES = 2000


@dataclass(frozen=True)
class Results:
    """Tables of a study with what is needed to read them."""

    conditions: list[ConditionInfo]
    reference: str
    emotions: tuple[str, ...]
    emotions_known: bool
    counts: dict[str, int]
    left_out: dict[str, int]
    mos: MosTable
    by_stimulus: pd.DataFrame
    retention: Retention
    agreement: pd.DataFrame
    contrasts: pd.DataFrame
    retention_contrasts: pd.DataFrame
    soft_labels: pd.DataFrame
    sieve: Sieve
    with_and_without: pd.DataFrame
    deeper: Mapping[str, pd.DataFrame]
    scales_coded: Mapping[str, Coded]
    people: People
    seed: int
    replicates: int

    @property
    def simulated(self) -> bool:
        """Whether any rating that counts came from a simulated rater."""
        return self.counts["simulated_ratings"] > 0

    @property
    def scales(self) -> list[str]:
        """Category scales, in the order of the tables."""
        return list(self.mos.replicates)

    def scale_number(self, key: str) -> int:
        """The place of a scale among all that were asked: what its colour is told by."""
        return list(self.scales_coded).index(key)


def analyse(
    sieve: Sieve,
    *,
    reference: str,
    seed: int,
    replicates: int,
    conditions: pd.DataFrame | None,
    emotions: Sequence[str] | None,
    participants: pd.DataFrame | None,
    progress: Callable[[int, int], None] | None,
) -> Results:
    """All results of the ratings in a `Sieve`. ``progress`` is told (replicates done, replicates to do) as work goes on.

    Without ``emotions`` the options are the labels that occur, which makes the threshold 1/n depend on the votes; the report
    says so. Raises SchemaError when no rating is left, or when a label is not among ``emotions``.
    """
    ratings = sieve.ratings
    selection = select_usable(split_panels(ratings, reference))
    used = selection.used
    if used.empty:
        raise SchemaError(
            f"None of the {len(ratings)} ratings can be used: {_reasons(selection.left_out) or 'there are none'}."
        )
    scales = encode(used)
    infos = describe_conditions(used["condition"].unique(), reference, conditions)
    label_scales = [name for name, coded in scales.items() if coded.has_labels]
    options = {name: label_options(used[used["scale"] == name]) for name in label_scales}
    if emotions is not None and EMOTION_SCALE in options:
        options[EMOTION_SCALE] = list(emotions)
    passes = 2 * (len(scales) - len(label_scales)) + (EMOTION_SCALE in options) + 1
    any_scale = next(iter(scales.values()))
    bootstrap = CrossedBootstrap(
        len(any_scale.raters), len(any_scale.clips), replicates, seed, _counter(progress, passes * replicates)
    )
    mos = mos_by_condition(scales, bootstrap, excluded=count_excluded(ratings))
    retention = Retention(pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=list(EMOTION_COLUMNS)), {})
    soft, tests = pd.DataFrame(columns=list(SOFT_COLUMNS)), pd.DataFrame(columns=list(TEST_COLUMNS))
    order = [info.slug for info in infos]
    # Of what takes long, half runs beside the rest: most of it is within numpy, which lets the other thread go on.
    with ThreadPoolExecutor(1) as beside:
        if EMOTION_SCALE in options:
            heard = scales[EMOTION_SCALE], options[EMOTION_SCALE], reference
            later = beside.submit(lambda: (soft_labels(*heard, bootstrap), retention_contrasts(*heard, seed)))
            retention = emotion_retention(*heard, bootstrap)
        agreed = beside.submit(lambda: agreement(scales, options, bootstrap))
        heard_rows = used[used["scale"] == EMOTION_SCALE]
        deeper = deeper_tables(scales, heard_rows, options.get(EMOTION_SCALE, ()), reference, retention, bootstrap)
        pairs = contrasts(scales, bootstrap, order)
        if EMOTION_SCALE in options:
            soft, tests = later.result()
    return Results(
        conditions=infos,
        reference=reference,
        emotions=tuple(options.get(EMOTION_SCALE, ())),
        emotions_known=emotions is not None,
        counts=_counts(ratings, used),
        left_out=selection.left_out,
        mos=MosTable(_ordered(mos.frame, order, "scale"), mos.replicates),
        by_stimulus=mos_by_stimulus(scales),
        retention=Retention(_ordered(retention.overall, order), _ordered(retention.by_emotion, order), retention.replicates),
        agreement=agreed.result(),
        contrasts=pairs,
        retention_contrasts=tests,
        soft_labels=_ordered(soft, order),
        sieve=sieve,
        with_and_without=_ordered(sieve.compare(mos.frame, reference, replicates, seed), order, "scale"),
        deeper=deeper,
        scales_coded=scales,
        people=describe_people(used, participants),
        seed=seed,
        replicates=replicates,
    )


def _ordered(frame: pd.DataFrame, order: list[str], *before: str) -> pd.DataFrame:
    """Rows with conditions in the order of the report, within the columns ``before``; otherwise as they stand."""
    place = frame["condition"].map({slug: index for index, slug in enumerate(order)})
    return frame.assign(_place=place).sort_values([*before, "_place"], kind="stable", ignore_index=True).drop(columns="_place")


def _counts(ratings: pd.DataFrame, used: pd.DataFrame) -> dict[str, int]:
    return {
        "ratings_read": len(ratings),
        "ratings_used": len(used),
        "ratings_left_out": len(ratings) - len(used),
        "simulated_ratings": int(used["simulated"].sum()),
        "raters": used.loc[used["rater_id"] != "", "rater_id"].nunique(),
        "clips": used["clip_id"].nunique(),
        "stimuli": used["stimulus_id"].nunique(),
        "conditions": used["condition"].nunique(),
    }


def _counter(progress: Callable[[int, int], None] | None, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    done, one_at_a_time = 0, Lock()

    def count(size: int) -> None:
        nonlocal done
        with one_at_a_time:
            done += size
            progress(done, total)

    return count


def _reasons(left_out: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in left_out.items())
