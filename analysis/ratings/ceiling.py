"""The noise ceiling of emotion retention: what score the reference itself gets when another panel hears it.

Two panels do not agree fully on the same recording, so a codec that changes nothing still scores below 1. With a second panel of
the reference (`schema.split_panels`) its score against the first is the ceiling. Without one, a second panel is predicted: the
shares of emotions vary between clips by a Dirichlet distribution fitted to the reference's own votes, and a panel is drawn from
what is then known of each clip. Split halves are not used: a half has other label sets than the whole, since the threshold falls
between other counts, and neither their score nor a line through several sizes leads to the score at all votes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy

from analysis.labels import f1_scores, macro_mean, threshold_votes
from analysis.ratings.bootstrap import centred_interval, percentile_interval
from analysis.ratings.coding import Coded, FloatArray
from analysis.ratings.retention import Retention
from analysis.ratings.votes import label_votes
from analysis.schema import panel_slug

COLUMNS = (
    *("condition", "macro_f1", "ceiling", "ceiling_ci_low", "ceiling_ci_high", "share_of_ceiling", "share_ci_low"),
    *("share_ci_high", "gap", "gap_ci_low", "gap_ci_high", "method", "note"),
)
SECOND_PANEL, PREDICTED = "second panel", "predicted second panel"
PANELS = 400
_STEPS, _SMALLEST_SHARE = 300, 1e-3
_TYPES = dict.fromkeys(COLUMNS[1:11], "float64")


def noise_ceiling(
    coded: Coded, emotions: Sequence[str], reference: str, retention: Retention, seed: int = 0, panels: int = PANELS
) -> pd.DataFrame:
    """Every scored condition beside the noise ceiling: frame with `COLUMNS`.

    ``share_of_ceiling`` = macro_f1 / ceiling, ``gap`` = ceiling - macro_f1. With a second panel all intervals come from the
    replicates of ``retention`` that codec and second panel share, moved by the bootstrap's bias. Without one, the ceiling is that
    of `predicted_panel_score`, and share and gap have no interval. NaN with a note where neither can be had.
    """
    overall = retention.overall.set_index("condition")["macro_f1"].dropna()
    second = panel_slug(reference)
    codecs = [str(name) for name in overall.index if name != second]
    if second in overall.index:
        return _frame([_beside_panel(name, overall, second, retention) for name in codecs])
    ceiling, bounds, note = _predicted(coded, emotions, reference, seed, panels)
    rows: list[dict[str, object]] = []
    for name in codecs:
        score = float(overall[name])
        row: dict[str, object] = {"condition": name, "macro_f1": score, "ceiling": ceiling, "method": "", "note": note}
        if np.isfinite(ceiling):
            row |= {"ceiling_ci_low": bounds[0], "ceiling_ci_high": bounds[1], "method": PREDICTED}
            row |= {"share_of_ceiling": score / ceiling, "gap": ceiling - score}
        rows.append(row)
    return _frame(rows)


def predicted_panel_score(votes: npt.ArrayLike, panels: int, rng: np.random.Generator) -> FloatArray:
    """Macro-F1 of predicted second panels against the panel at hand, ``votes`` (clips, emotions): array (panels,).

    Each clip's shares are drawn from Dirichlet(a + votes), with a fitted to all clips (`dirichlet_of`), and as many votes as the
    clip has from those shares. Votes are taken as independent within a clip, so raters who name several emotions, or have
    habits of their own, are not in it. NaN where no emotion is in a label set.

    >>> certain = [[10, 0], [0, 10], [10, 0]]
    >>> bool(predicted_panel_score(certain, 50, np.random.default_rng(0)).mean() > 0.95)
    True
    """
    counts = np.asarray(votes, dtype=np.float64)
    truth = threshold_votes(counts)
    shape = dirichlet_of(counts) + counts
    scores = []
    for _ in range(panels):
        drawn = rng.standard_gamma(shape)
        heard = rng.multinomial(counts.sum(axis=1).astype(np.int64), drawn / drawn.sum(axis=1, keepdims=True))
        sets = threshold_votes(heard)
        both = (sets & truth).sum(axis=0)
        scores.append(macro_mean(f1_scores(both, sets.sum(axis=0) - both, truth.sum(axis=0) - both)))
    return np.array(scores, dtype=np.float64)


def dirichlet_of(votes: FloatArray) -> FloatArray:
    """Maximum-likelihood parameters of a Dirichlet-multinomial for votes (clips, emotions), by Minka's fixed point (2000).

    >>> rng = np.random.default_rng(0)
    >>> drawn = np.array([rng.multinomial(12, share) for share in rng.dirichlet([2.0, 1.0, 0.5], 3000)])
    >>> dirichlet_of(drawn).round(1).tolist()
    [2.0, 1.0, 0.5]
    """
    total = votes.sum(axis=1)
    parameters = np.maximum(votes.sum(axis=0) / max(total.sum(), 1.0), _SMALLEST_SHARE)
    for _ in range(_STEPS):
        rise = (scipy.special.digamma(votes + parameters) - scipy.special.digamma(parameters)).sum(axis=0)
        fall = (scipy.special.digamma(total + parameters.sum()) - scipy.special.digamma(parameters.sum())).sum()
        parameters = np.clip(parameters * rise / max(fall, 1e-12), _SMALLEST_SHARE, 1e4)
    result: FloatArray = parameters
    return result


def _predicted(
    coded: Coded, emotions: Sequence[str], reference: str, seed: int, panels: int
) -> tuple[float, tuple[float, float], str]:
    """Mean score of predicted panels, its 95 % bounds, and what to know about it; NaN and the reason where undefined."""
    base = coded.conditions.index(reference) if reference in coded.conditions else -1
    votes = label_votes(coded, emotions, len(coded.raters))
    nothing = (float("nan"), float("nan"))
    if base not in votes:
        return float("nan"), nothing, f"no ratings of the reference '{reference}'"
    counts = votes[base].totals().T
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2 or np.median(counts.sum(axis=1)) < 2:
        return float("nan"), nothing, "no second panel, and too few clips or votes to predict one"
    scores = predicted_panel_score(counts, panels, np.random.default_rng(np.random.SeedSequence(seed)))
    low, high = percentile_interval(scores).ravel()
    return float(macro_mean(scores)), (float(low), float(high)), "no second panel: predicted from the votes of the first"


def _beside_panel(name: str, overall: pd.Series, second: str, retention: Retention) -> dict[str, object]:
    score, ceiling = float(overall[name]), float(overall[second])
    mine, other = retention.replicates[name], retention.replicates[second]
    share, gap = score / ceiling if ceiling > 0 else float("nan"), ceiling - score
    ratio = np.divide(mine, other, out=np.full_like(mine, np.nan), where=other > 0)
    known = bool(retention.overall.set_index("condition").loc[[name, second], "ci_low"].notna().all())
    bounds = np.full((3, 2), np.nan)
    if known:
        bounds[0] = centred_interval(other, np.asarray(ceiling))
        for row, drawn, point in ((1, ratio, share), (2, other - mine, gap)):
            bounds[row] = percentile_interval(drawn) - (np.nanmean(drawn) - point)
    return {
        "condition": name,
        "macro_f1": score,
        "ceiling": ceiling,
        "share_of_ceiling": share,
        "gap": gap,
        **dict(zip(("ceiling_ci_low", "ceiling_ci_high"), bounds[0], strict=True)),
        **dict(zip(("share_ci_low", "share_ci_high"), bounds[1], strict=True)),
        **dict(zip(("gap_ci_low", "gap_ci_high"), bounds[2], strict=True)),
        "method": SECOND_PANEL,
        "note": "" if known else "no interval: see retention",
    }


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(_TYPES)
