"""Importing recorded speech: every file is checked, nothing is refused silently, and twice is once."""

import errno
import os
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import soundfile
from django.conf import settings
from django.core.management import CommandError, call_command

from listening.models import Corpus, SourceClip

RATE = 16_000


def speechlike(seconds: float = 1.0, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.1, int(seconds * RATE))
    return np.convolve(noise, np.hanning(16) / 8, "same")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A manifest corpus of two sound clips and one of every kind of trouble."""
    root = tmp_path / "corpus"
    root.mkdir()
    soundfile.write(root / "good1.wav", speechlike(seed=1), RATE)
    soundfile.write(root / "good2.flac", np.stack([speechlike(seed=2)] * 2, axis=1), RATE)
    soundfile.write(root / "twin.wav", speechlike(seed=1), RATE)
    soundfile.write(root / "silent.wav", np.zeros(RATE), RATE)
    soundfile.write(root / "nothing.wav", np.zeros(0), RATE)
    soundfile.write(root / "nan.wav", np.full(RATE, np.nan), RATE, subtype="FLOAT")
    soundfile.write(root / "eight.wav", np.stack([speechlike()] * 8, axis=1), RATE)
    soundfile.write(root / "hour.flac", np.zeros(3600 * 8000, dtype="int16"), 8000)
    (root / "corrupt.wav").write_bytes(b"RIFF this is no sound")
    names = [
        "good1.wav",
        "good2.flac",
        "twin.wav",
        "silent.wav",
        "nothing.wav",
        "nan.wav",
        "eight.wav",
        "hour.flac",
        "corrupt.wav",
        "gone.wav",
    ]
    rows = "\n".join(f"{name},sp1,F,en,hello,{'anger' if i % 2 else 'joy'}" for i, name in enumerate(names))
    (root / "manifest.csv").write_text(f"path,speaker,sex,language,transcript,labels\n{rows}\n")
    return root


def run(*arguments: object, name: str) -> str:
    out = StringIO()
    call_command(*map(str, arguments), name=name, stdout=out, verbosity=0)
    return out.getvalue()


def test_sound_files_come_in_and_each_other_file_is_named_with_its_reason(db, folder):
    said = run("import_corpus", "manifest", folder, name="mine")
    assert "2 clips added, 0 there already, 8 left out" in said
    for name, reason in {
        "twin.wav": "same recording",
        "silent.wav": "silent",
        "nothing.wav": "sample",
        "nan.wav": "not numbers",
        "eight.wav": "channel",
        "hour.flac": "3600 s",
        "corrupt.wav": "decode",
        "gone.wav": "",
    }.items():
        (line,) = [line for line in said.splitlines() if line.strip().startswith(name)]
        assert reason in line.lower()
    clip = SourceClip.objects.get(clip_id__contains="good1")
    assert (settings.SOURCE_STORE / clip.file).read_bytes() == (folder / "good1.wav").read_bytes()
    assert (clip.sex, clip.sample_rate, clip.duration_s) == ("female", RATE, 1.0)
    assert len(Corpus.objects.get().left_out) == 8


def test_importing_twice_adds_nothing(db, folder):
    run("import_corpus", "manifest", folder, name="mine")
    assert "0 clips added, 2 there already" in run("import_corpus", "manifest", folder, name="mine")
    assert SourceClip.objects.count() == 2


def test_only_clips_of_a_selection_come_in(db, folder):
    said = run("import_corpus", "manifest", folder, "--select", "emotion=anger; duration=..2", name="mine")
    assert "1 clips added" in said and "clips are selected by 'emotion=anger; duration=..2'" in said
    assert SourceClip.objects.get().emotion == "anger"
    with pytest.raises(CommandError, match="No clip has the emotion 'fear'; there are anger, joy"):
        run("import_corpus", "manifest", folder, "--select", "emotion=fear", name="mine")


def test_a_file_that_changed_under_its_old_name_is_told(db, folder):
    run("import_corpus", "manifest", folder, name="mine")
    soundfile.write(folder / "good1.wav", speechlike(seed=9), RATE)
    said = run("import_corpus", "manifest", folder, name="mine")
    assert "with other audio" in said


@pytest.mark.parametrize("reader", ["manifest", "emodb"])
def test_a_folder_that_is_not_there_or_empty_or_of_another_corpus_is_told(db, tmp_path, reader):
    with pytest.raises(CommandError, match="gone"):
        run("import_corpus", reader, tmp_path / "gone", name="mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="empty"):
        run("import_corpus", reader, tmp_path / "empty", name="mine")
    other = tmp_path / "other"
    other.mkdir()
    soundfile.write(other / "song.wav", speechlike(), RATE)
    with pytest.raises(CommandError, match="other"):
        run("import_corpus", reader, other, name="mine")
    assert not Corpus.objects.exists()


def test_a_corpus_without_one_usable_file_is_refused(db, folder):
    (folder / "manifest.csv").write_text("path,speaker,sex,language,transcript,labels\nsilent.wav,a,F,en,x,joy\n")
    with pytest.raises(CommandError, match=r"No usable clip.*silent"):
        run("import_corpus", "manifest", folder, name="mine")
    assert not Corpus.objects.exists()


def test_a_name_taken_by_another_reader_is_told(corpus, tmp_path):
    Corpus.objects.update(reader="emodb")
    with pytest.raises(CommandError, match="taken"):
        run("import_corpus", "manifest", settings.BASE_DIR / "analysis/corpora/synthetic", name="synthetic")


def test_a_full_disk_stops_the_import_in_a_sentence_and_leaves_nothing_half(db, folder, monkeypatch):
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CommandError, match=r"The disk that holds .* is full.*Nothing was imported"):
        run("import_corpus", "manifest", folder, name="mine")
    assert not Corpus.objects.exists()
    assert not [path for path in settings.SOURCE_STORE.rglob("*") if path.is_file()]
