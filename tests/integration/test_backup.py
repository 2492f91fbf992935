"""A backup of a study in mid-session, restored on a bare installation, holds every answer and every file."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from tests.integration.server import REPO, manage, manage_all, running_server

STUDY = ["--clips=3", "--votes-per-stratum=1", "--trials-per-session=3", "--conditions=original,opus-6kbps"]
COUNTS = """
from listening.models import *
print("COUNTS", [m.objects.count() for m in (Rating, Trial, Session, Participant, Stimulus, SourceClip, Plan, Event)])
for p in Participant.objects.all(): p.recruiter_id
from listening.services.stimuli import store
for s in Stimulus.objects.filter(status="ready"): store().verify(s.key)
"""


REFUSALS = """
import json
from django.core.management import CommandError, call_command

def refused(file):
    try:
        call_command("restore", "--replace", file)
    except CommandError as error:
        return str(error)
    raise SystemExit("taken: " + file)

print(json.dumps([refused(file) for file in {files}]))
"""


def environment_of(folder: Path, database: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    url = database or f"sqlite:///{folder / 'db.sqlite3'}"
    return {
        **kept,
        "DATABASE_URL": url,
        "DATA_DIR": str(folder),
        "SECRET_KEY": "for this test only",
        "PYTHONWARNINGS": "ignore",
    }


def counts(environment: dict[str, str]) -> str:
    said = manage(environment, "shell", "-v0", "-c", COUNTS)
    return next(line for line in said.splitlines() if line.startswith("COUNTS"))


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_study_survives_the_loss_of_its_machine(engine: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    database = request.getfixturevalue("postgres_url") if engine == "postgres" else ""
    lost, bare, file = (
        environment_of(tmp_path / "lost", database),
        environment_of(tmp_path / "bare", database),
        tmp_path / "b.tar",
    )
    corpus = str(REPO / "analysis/corpora/synthetic")
    manage_all(
        lost,
        ["migrate", "--verbosity=0"],
        ["import_corpus", "manifest", corpus, "--name=synthetic"],
        ["create_study", "--preset=emo-codec", "--corpus=synthetic", "--name=s", *STUDY],
        ["prepare_stimuli", "s"],
        ["open_study", "s"],
    )
    with running_server(lost) as url:
        manage(lost, "simulate_raters", "s", f"--base-url={url}")
        manage(lost, "backup", str(file))  # while the site serves
    before = counts(lost)
    assert not before.startswith("COUNTS [0")

    if engine == "postgres":
        manage(lost, "flush", "--no-input")
    else:
        assert "holds studies" in refused(lost, "restore", str(file))
    manage(bare, "restore", str(file))
    manage(bare, "migrate", "--verbosity=0")
    assert counts(bare) == before

    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "damaged.tar").write_bytes(content)
    (tmp_path / "short.tar").write_bytes(file.read_bytes()[: len(content) // 2])
    with tarfile.open(tmp_path / "else.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("hello"), io.BytesIO())
    damaged, short, other = replacements_refused(bare, *(tmp_path / f"{name}.tar" for name in ("damaged", "short", "else")))
    assert "damaged" in damaged and "backup" in short and "not a backup" in other
    assert "PARTICIPANT_KEYS" in refused({**bare, "SECRET_KEY": "another"}, "restore", "--replace", str(file))
    assert counts(bare) == before


def replacements_refused(environment: dict[str, str], *files: Path) -> list[str]:
    """What `restore --replace` says to each file, in one process; it fails where one is taken."""
    script = REFUSALS.format(files=[str(file) for file in files])
    said: list[str] = json.loads(manage(environment, "shell", "-v0", "-c", script).splitlines()[-1])
    return said


def refused(environment: dict[str, str], *command: str) -> str:
    with pytest.raises(AssertionError) as caught:
        manage(environment, *command)
    return str(caught.value)
