"""Damaged tables are refused in a sentence, or read; no reader and no report ever ends in a traceback."""

import shutil
from pathlib import Path

import pytest
import soundfile as sf

from analysis.__main__ import BAD_INPUT, main
from analysis.corpora import CorpusError, read_corpus
from analysis.formats import FORMATS, read_input
from analysis.schema import SchemaError
from tests.damage import Search, damaged_table, searches
from tests.unit.analysis.test_formats import MATRIX, MUSHRA, PER_CLIP, PER_WORKER, RAW

TIDY = (
    "rater_id,stimulus_id,clip_id,condition,scale,value,labels,stratum,session_id,trial,role,excluded,panel,heard_share,seconds\n"
    + "".join(
        f"r{rater},{clip}-{condition},{clip},{condition},{scale},{value},{labels},female,s{rater},1,,,,1.0,3.5\n"
        for rater in range(4)
        for clip in ("c1", "c2", "c3")
        for condition in ("original", "opus-6kbps")
        for scale, value, labels in (
            ("ovrl", 1 + (rater + len(condition)) % 5, ""),
            ("emotion", "", "anger|joy" if rater % 2 else "anger"),
        )
    )
)
FILES = {"tidy": [TIDY], "p808": [PER_WORKER, PER_CLIP, RAW], "webmushra": [MUSHRA], "matrix": [MATRIX, "5,4\n3,\n1,2\n"]}
CASES = [(kind, text) for kind, texts in FILES.items() for text in texts]
NAMES = [f"{kind}-{number}" for kind, texts in FILES.items() for number in range(len(texts))]


def test_every_format_has_files_here() -> None:
    assert FILES.keys() == FORMATS.keys()


@searches(fast=60, slow=3_000)
@pytest.mark.parametrize(("kind", "text"), CASES, ids=NAMES)
def test_ratings(search: Search, kind: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / "ratings.csv"
    path.write_text(text)
    read_input(path, kind)

    def check(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read_input(path, kind)
        except SchemaError as error:
            assert str(error)

    search(check, damaged_table(text))


@searches(fast=5, slow=150)
@pytest.mark.parametrize(("kind", "text"), CASES, ids=NAMES)
def test_the_command_that_writes_a_report(
    search: Search, kind: str, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "ratings.csv", tmp_path / "report"

    def check(content: bytes) -> None:
        path.write_bytes(content)
        shutil.rmtree(out, ignore_errors=True)
        arguments = ["report", str(path), "--input-format", kind, "--out", str(out), "--replicates", "20", "--no-pdf"]
        status = main(arguments)
        said = capsys.readouterr()
        assert (status == 0 and (out / "report.html").exists()) or (status == BAD_INPUT and said.err.startswith("Error: "))

    check(text.encode())
    assert (out / "report.html").exists()
    search(check, damaged_table(text))


@searches(fast=150, slow=5_000)
def test_manifests(search: Search, tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        sf.write(tmp_path / name, [0.1, -0.1] * 4_000, 8_000)
    manifest = "clip_id,path,speaker,sex,language,transcript,labels,votes,session,split,licence\n" + "".join(
        f"{name},{name}.wav,s1,F,en,hello,{labels},{votes},1,train,CC0\n"
        for name, labels, votes in (("a", "anger|joy", ""), ("b", "", "anger:3|joy:2"))
    )
    path = tmp_path / "manifest.csv"
    path.write_text(manifest)
    assert len(read_corpus("manifest", tmp_path).clips) == 2

    def check(content: bytes) -> None:
        path.write_bytes(content)
        try:
            read_corpus("manifest", tmp_path)
        except CorpusError as error:
            assert str(error)

    search(check, damaged_table(manifest))
