"""What a model learns from and is judged on: clips of a corpus with a distribution over emotions each, and the corpus's folds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.corpora import Corpus
from analysis.corpora.folds import Fold, folds
from analysis.labels import FloatArray, vote_shares
from analysis.ser.errors import SerError


@dataclass(frozen=True)
class Examples:
    """``clips``: clip_id, path, speaker, sex. ``shares``: what share of each clip's votes each emotion has, array (n_clips, K).

    ``notes`` say what of the corpus is not among them.
    """

    corpus: str
    emotions: tuple[str, ...]
    clips: pd.DataFrame
    shares: FloatArray
    folds: tuple[Fold, ...]
    notes: tuple[str, ...]

    def digest(self) -> str:
        """SHA-256 over clips, labels and folds: whether two runs are about the same thing."""
        rows = zip(self.clips["clip_id"], self.clips["path"], self.shares.round(9).tolist(), strict=True)
        masks = [(fold.name, fold.train.tolist(), fold.development.tolist(), fold.test.tolist()) for fold in self.folds]
        return hashlib.sha256(repr((self.emotions, list(rows), masks)).encode()).hexdigest()


def examples_of(corpus: Corpus, emotions: Sequence[str] = (), merged: Mapping[str, str] | None = None) -> Examples:
    """The clips of a corpus that carry one of ``emotions`` (default: all that occur), with its folds over those clips.

    ``merged`` puts emotions together first, as ``{"excitement": "happiness"}`` does. The number of emotions sets the threshold
    1/K, so an option of the corpus that no clip carries is left out and named. Raises SerError for fewer than two emotions, and
    CorpusError where there are no folds to be had.
    """
    corpus = corpus.merged(merged) if merged else corpus
    unknown = [name for name in emotions if name not in corpus.emotions]
    if unknown:
        raise SerError(f"This corpus has no emotion '{unknown[0]}'; it has {', '.join(corpus.emotions)}.")
    votes = corpus.vote_matrix()
    occurring = votes.sum(axis=0) > 0
    chosen = [i for i, name in enumerate(corpus.emotions) if occurring[i] and (not emotions or name in emotions)]
    if len(chosen) < 2:
        raise SerError("Recognition takes at least two emotions that clips of the corpus carry.")
    labelled = votes[:, chosen].sum(axis=1) > 0
    clips = corpus.clips[labelled].reset_index(drop=True)
    names = tuple(corpus.emotions[i] for i in chosen)
    missing = [name for name in emotions or corpus.emotions if name not in names]
    notes = [
        f"{len(corpus.left_out)} files of the corpus could not be used; the first: {one.reason}." for one in corpus.left_out[:1]
    ]
    notes += [f"{(~labelled).sum()} clips carry none of the emotions and are left out."] * bool((~labelled).any())
    notes += [f"No clip carries {', '.join(missing)}: the model knows {len(names)} emotions."] * bool(missing)
    shares = vote_shares(votes[labelled][:, chosen])
    return Examples(
        corpus.name_hint,
        names,
        clips[["clip_id", "path", "speaker", "sex"]],
        shares,
        tuple(folds(clips)),
        (*notes, *corpus.notes),
    )


def without(examples: Examples, problems: Mapping[Path, str]) -> Examples:
    """The examples without clips whose recording has a problem, and a note on how many there were."""
    kept = ~examples.clips["path"].map(Path).isin(problems).to_numpy()
    if kept.all():
        return examples
    cut = [Fold(one.name, one.train[kept], one.development[kept], one.test[kept]) for one in examples.folds]
    empty = next((one.name for one in cut if not (one.train.any() and one.development.any() and one.test.any())), None)
    first = next(iter(problems.values()))
    if empty is not None:
        raise SerError(f"Too many recordings cannot be used: fold {empty} has a part without any. The first problem: {first}")
    note = f"{(~kept).sum()} recordings cannot be used. {first}"
    clips = examples.clips[kept].reset_index(drop=True)
    return Examples(examples.corpus, examples.emotions, clips, examples.shares[kept], tuple(cut), (*examples.notes, note))
