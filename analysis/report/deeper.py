"""Tables that stand behind the main ones: ceilings, drops, confusions, groups, rater models and mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.ceiling import COLUMNS as CEILING_COLUMNS
from analysis.ratings.ceiling import noise_ceiling
from analysis.ratings.coding import Coded
from analysis.ratings.confusion import (
    DROP_COLUMNS,
    FLOW_COLUMNS,
    GROUP_COLUMNS,
    confusion_flow,
    relative_drop,
    retention_by_group,
)
from analysis.ratings.mixed import mixed_model
from analysis.ratings.rater_agreement import intraclass, rater_rest
from analysis.ratings.rater_models import bias_and_inconsistency, vote_matrix
from analysis.ratings.recognition import COLUMNS as RECOGNITION_COLUMNS
from analysis.ratings.recognition import recognition
from analysis.ratings.retention import Retention

#: The model of raters works on a full table of stimuli and raters; one of more cells than this is not made.
MOST_CELLS = 20_000_000
#: Mixed models, and the intraclass correlations made from them, are left out of a report for scales with more ratings than this.
MOST_RATINGS = 200_000
#: Columns by which retention is told apart, where the ratings have them.
GROUPS = ("speaker_sex", "stratum")
_EMPTY = {
    "noise_ceiling": CEILING_COLUMNS,
    "relative_drop": DROP_COLUMNS,
    "confusion": FLOW_COLUMNS,
    "retention_by_group": GROUP_COLUMNS,
    "recognition": RECOGNITION_COLUMNS,
}


def deeper_tables(
    scales: Mapping[str, Coded],
    labels: pd.DataFrame,
    emotions: Sequence[str],
    reference: str,
    retention: Retention,
    bootstrap: CrossedBootstrap,
) -> dict[str, pd.DataFrame]:
    """Name -> table. ``labels``: the usable ratings of the emotion scale, empty where nobody was asked for emotions."""
    tables = {name: pd.DataFrame(columns=list(columns)) for name, columns in _EMPTY.items()}
    if len(labels):
        coded = scales[str(labels["scale"].iloc[0])]

        def draws(group: Coded) -> CrossedBootstrap:
            return CrossedBootstrap(len(group.raters), len(group.clips), min(bootstrap.replicates, 500), bootstrap.seed)

        tables["noise_ceiling"] = noise_ceiling(coded, emotions, reference, retention, bootstrap.seed)
        tables["relative_drop"] = relative_drop(retention.by_emotion, reference)
        tables["confusion"] = confusion_flow(coded, emotions, reference)
        tables["recognition"] = recognition(coded, emotions, reference, bootstrap.replicates, bootstrap.seed)
        groups = [retention_by_group(labels, column, emotions, reference, draws) for column in GROUPS]
        groups = [group for group in groups if len(group)]
        if groups:
            tables["retention_by_group"] = pd.concat(groups, ignore_index=True)
    small = {name: coded for name, coded in scales.items() if len(coded) <= MOST_RATINGS}
    tables["mixed_model"], tables["variance_components"] = mixed_model(small)
    tables["icc"] = intraclass(small)
    tables["rater_agreement"] = rater_rest(scales)
    tables["rater_model"] = _rater_model(scales)
    return tables


def _rater_model(scales: Mapping[str, Coded]) -> pd.DataFrame:
    """Bias and inconsistency of every rater on every numeric scale (ITU-T P.913, clause 12.6), where the table fits."""
    tables = []
    for name, coded in scales.items():
        if coded.has_labels or len(coded.raters) * len(coded.stimuli) > MOST_CELLS or (coded.rater >= 0).sum() < 2:
            continue
        votes = vote_matrix(coded)
        model = bias_and_inconsistency(votes.to_numpy())
        tables.append(
            pd.DataFrame(
                {
                    "rater_id": votes.columns,
                    "scale": name,
                    "bias": model.bias,
                    "inconsistency": model.inconsistency,
                    "n_votes": votes.notna().sum().to_numpy(),
                }
            )
        )
    columns = ["rater_id", "scale", "bias", "inconsistency", "n_votes"]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=columns)
