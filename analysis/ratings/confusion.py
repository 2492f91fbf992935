"""Where heard emotions go on their way through a codec, and how much of each is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from analysis.labels import vote_shares
from analysis.ratings.bootstrap import CrossedBootstrap
from analysis.ratings.coding import Coded, encode
from analysis.ratings.retention import COLUMNS, emotion_retention
from analysis.ratings.votes import label_votes
from analysis.schema import panel_slug

FLOW_COLUMNS = ("condition", "emotion_original", "emotion_heard", "share", "share_in_original", "n_clips", "note")
DROP_COLUMNS = ("condition", "emotion", "f1", "baseline_f1", "relative_drop", "baseline", "note")
GROUP_COLUMNS = ("grouped_by", "group", *COLUMNS)


def confusion_flow(coded: Coded, emotions: Sequence[str], reference: str) -> pd.DataFrame:
    """For every condition and pair of emotions: of what was heard as one in the reference, what share is heard as the other.

    With p_c and q_c the shares of the votes of clip c in the reference and in the condition: share = sum_c p_c(original) q_c(heard)
    / sum_c p_c(original), range 0..1, summing to 1 over ``emotion_heard``. Votes are divided even on the reference itself, so that
    its diagonal is below 1 too: ``share_in_original`` is the same sum with p_c in place of q_c, and the codec's doing is the
    difference. Over clips rated in both; NaN with a note for an emotion that nobody heard in the reference.
    """
    votes = label_votes(coded, emotions, len(coded.raters))
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    rows: list[dict[str, object]] = []
    for code in votes:
        if code == base or base not in votes:
            continue
        totals = [votes[which].totals().T for which in (base, code)]
        common = (totals[0].sum(axis=1) > 0) & (totals[1].sum(axis=1) > 0)
        p, q = (vote_shares(total[common]) for total in totals)
        weight = p.sum(axis=0)
        flows = [
            np.divide(p.T @ side, weight[:, None], out=np.full((len(emotions),) * 2, np.nan), where=weight[:, None] > 0)
            for side in (q, p)
        ]
        for i, original in enumerate(emotions):
            note = "" if weight[i] > 0 else "heard by nobody in the reference" if common.any() else "no clip rated in both"
            for j, heard in enumerate(emotions):
                head = (coded.conditions[code], original, heard, flows[0][i, j], flows[1][i, j], int(common.sum()), note)
                rows.append(dict(zip(FLOW_COLUMNS, head, strict=True)))
    return pd.DataFrame(rows, columns=list(FLOW_COLUMNS))


def relative_drop(by_emotion: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Relative change of F1 per emotion and for their mean: (F1 - baseline) / baseline in percent, frame with `DROP_COLUMNS`.

    ``by_emotion`` is `retention.Retention.by_emotion`. The baseline is the F1 of a second panel of the reference where there is one
    (`schema.panel_slug`), so that only what the codec adds counts; else 1, the reference against itself, and the drop then holds the
    panels' own disagreement too. The row with the empty emotion is the plain mean of a condition's defined drops. NaN where the
    condition or the baseline has no F1, or the baseline is 0. Source: the form of table 4 of Emo-Codec.

    >>> table = pd.DataFrame({"condition": ["x", "x"], "emotion": ["joy", "fear"], "f1": [0.5, 0.9]})
    >>> relative_drop(table, "original")["relative_drop"].round(6).tolist()
    [-50.0, -10.0, -30.0]
    """
    second = panel_slug(reference)
    baseline = by_emotion[by_emotion["condition"] == second].set_index("emotion")["f1"]
    known = bool(baseline.notna().any())
    rows: list[dict[str, object]] = []
    scored = by_emotion[~by_emotion["condition"].isin([reference, second])]
    for condition, mine in scored.groupby("condition", sort=False):
        drops = []
        for emotion, f1 in zip(mine["emotion"], mine["f1"], strict=True):
            base = float(baseline.get(emotion, np.nan)) if known else 1.0
            drop = 100 * (f1 - base) / base if base > 0 else float("nan")
            drops.append(drop)
            note = "" if np.isfinite(drop) else "no F1 on either side, or a baseline of 0"
            rows.append(
                {"condition": condition, "emotion": emotion, "f1": f1, "baseline_f1": base, "relative_drop": drop, "note": note}
            )
        finite = [drop for drop in drops if np.isfinite(drop)]
        mean = float(np.mean(finite)) if finite else float("nan")
        rows.append({"condition": condition, "emotion": "", "relative_drop": mean, "note": f"mean of {len(finite)} emotions"})
    named = "second panel" if known else "the reference against itself"
    return pd.DataFrame(rows, columns=list(DROP_COLUMNS)).assign(baseline=named)


def retention_by_group(
    ratings: pd.DataFrame,
    column: str,
    emotions: Sequence[str],
    reference: str,
    bootstrap: Callable[[Coded], CrossedBootstrap],
) -> pd.DataFrame:
    """Emotion retention within each value of a column, such as ``speaker_sex`` or ``stratum``: frame with `GROUP_COLUMNS`.

    ``ratings``: usable ratings of the label scale alone. Reference and condition are both cut to the group, so a rater stratum is
    compared with what the same stratum heard in the original; fewer votes make label sets noisier, and groups of unequal size
    are not comparable with the whole. ``bootstrap`` makes the draws for the group's raters and clips. An empty value is no group;
    the frame is empty where the column has no value.
    """
    tables = []
    for group in sorted(set(ratings[column]) - {""}):
        coded = next(iter(encode(ratings[ratings[column] == group]).values()))
        overall = emotion_retention(coded, emotions, reference, bootstrap(coded)).overall
        tables.append(overall.assign(grouped_by=column, group=group)[list(GROUP_COLUMNS)])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(GROUP_COLUMNS))
