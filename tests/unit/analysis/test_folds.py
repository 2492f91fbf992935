from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.corpora import CorpusError, read_corpus
from analysis.corpora.base import clip_frame, clip_row
from analysis.corpora.folds import folds


def clips(speakers: list[str], **columns: Sequence[object]) -> pd.DataFrame:
    rows = [clip_row(f"c{n}", Path(f"c{n}.wav"), speaker=speaker) for n, speaker in enumerate(speakers)]
    return clip_frame(rows).assign(**columns)


@pytest.mark.parametrize("n_speakers", [3, 10, 23])
def test_no_speaker_is_on_two_sides_and_every_clip_is_tested_once(n_speakers: int) -> None:
    frame = clips(
        [f"s{n % n_speakers}" for n in range(3 * n_speakers)], sex=["female", "male"] * n_speakers + ["male"] * n_speakers
    )
    drawn = folds(frame)
    assert len(drawn) == (5 if n_speakers == 23 else n_speakers)
    for fold in drawn:
        assert (fold.train.astype(int) + fold.development + fold.test == 1).all()
        sides = [set(frame["speaker"][mask]) for mask in (fold.train, fold.development, fold.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert (np.sum([fold.test for fold in drawn], axis=0) == 1).all()


def test_sessions_are_not_torn_apart() -> None:
    drawn = folds(clips(["a", "b", "c", "d"], session=["1", "1", "2", "3"]))
    assert [fold.test.sum() for fold in drawn] == [2, 1, 1]


def test_published_splits_are_taken_as_they_stand_and_further_test_sets_stay_out() -> None:
    [fold] = folds(clips(["a"] * 4, splits=[{"1": side} for side in ("train", "development", "test", "test2")]))
    assert [fold.train.tolist(), fold.development.tolist(), fold.test.tolist()] == np.eye(3, 4, dtype=bool).tolist()


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (clips(["a", "b"]), "at least 3 are needed"),
        (clips(["a", ""]), "some clips of this corpus have none"),
        (clips(["a", "b"], splits=[{"1": "train"}, {"1": "test"}]), "Fold 1 of this corpus has no development clips"),
    ],
)
def test_too_little_for_folds_is_told(frame: pd.DataFrame, sentence: str) -> None:
    with pytest.raises(CorpusError, match=sentence):
        folds(frame)


def test_the_real_emodb_speakers_each_test_once(shared: Path) -> None:
    drawn = folds(read_corpus("emodb", shared / "data" / "emodb").clips)
    assert [fold.name for fold in drawn] == ["03", "08", "11", "13", "15", "16"]
