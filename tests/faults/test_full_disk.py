"""No byte can be written for a while, by one part of the installation after another: raters lose nothing, and no half file is left."""

import hashlib
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.installation import Installation, installation, open_a_study, until
from tests.faults.under_load import check, check_jobs_end, prepare, rate_under
from tests.integration.server import REPO, manage

FULL_S = 3.0
# So few are made by the worker's own process, which is the one that finds the disk full.
JOBS = 8


@pytest.mark.slow
@pytest.mark.parametrize("writer", ["web", "postgres"], ids=["sqlite", "postgres"])
def test_a_database_that_cannot_write_loses_no_answer(writer: str, tmp_path: Path) -> None:
    began, raters, trials, died = time.monotonic(), 10, 5, list[bool]()
    with installation(tmp_path, postgres=writer == "postgres") as site:
        prepare(site, raters, trials)

        def trouble(over: threading.Event) -> None:
            over.wait(1.5)
            site.fill_disk(writer)
            over.wait(FULL_S)
            site.fill_disk(writer, full=False)
            died.append(site.revive(writer))

        history = rate_under(site, trouble, raters, over_s=3, pace_s=1.0)
        what = f"disk of {writer} full for {FULL_S:.0f} s{', which it did not survive' * died[0]}"
        check(site, history, f"{what}, {history.told_to_wait} told to wait", trials=trials, raters=raters, began=began)
        assert history.told_to_wait > 0, "nobody noticed the full disk, or nobody was told"


def test_a_worker_that_cannot_write_fails_its_jobs_with_the_reason_and_makes_them_later(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    began, raters, trials = time.monotonic(), 6, 4
    with installation(tmp_path_factory.mktemp("full")) as site:
        prepare(site, raters, trials, clips=JOBS // 2 + trials)
        failed = list[tuple[Any, ...]]()

        def trouble(over: threading.Event) -> None:
            site.start("worker")
            site.fill_disk("worker")
            open_a_study(site, raters=2, trials=JOBS // 2 + trials, slug="later", make=False)
            check_jobs_end(site, 60)
            failed.extend(site.ask("SELECT DISTINCT error FROM listening_stimulus WHERE status = 'failed'"))
            site.fill_disk("worker", full=False)
            manage(site.environment, "shell", "-v0", "-c", AGAIN)

        history = rate_under(site, trouble, raters, over_s=2, pace_s=1.0)
        jobs = check_jobs_end(site, 60)
        assert [("cannot be written to" in error) for (error,) in failed] == [True], failed
        assert site.ask("SELECT count(*) FROM listening_job WHERE state <> 'done'") == [(0,)]
        files = whole_files(site)
        what = f"no room for stimuli, then {jobs} jobs done, {files} files whole"
        check(site, history, what, trials=trials, raters=raters, began=began)


AGAIN = """
from listening.models import Study
from listening.services.studies import queue_stimuli
queue_stimuli(Study.objects.get(slug="later"))
"""


def whole_files(site: Installation) -> int:
    """How many stimuli the store holds, having looked that each is what its row says and that nothing else lies there."""
    rows = dict(site.ask("SELECT key, audio_sha256 FROM listening_stimulus WHERE status = 'ready'"))
    files = {path for path in (site.folder / "data/stimuli").rglob("*") if path.is_file()}
    assert {path.stem for path in files} == set(rows) and len(files) == 2 * len(rows)
    for path in files:
        if path.suffix == ".flac":
            assert hashlib.sha256(path.read_bytes()).hexdigest() == rows[path.stem]
    return len(rows)


@pytest.mark.slow
@pytest.mark.parametrize("postgres", [False, True], ids=["sqlite", "postgres"])
def test_an_export_without_room_says_so_and_leaves_what_was_there(postgres: bool, tmp_path: Path) -> None:
    """With SQLite no command reads where it can write nothing at all; there it is the backup, which is large, that finds no room."""
    began, raters, trials, out = time.monotonic(), 6, 4, tmp_path / "out"
    commands = {
        "ratings.csv": ["export_ratings", "s", "--out"],
        "ratings.parquet": ["export_ratings", "s", "--out"],
        "report": ["report", "s", "-v0", "--out"],
        "all.tar": ["backup"],
    }
    room, commands = (0, commands) if postgres else (65536, {"all.tar": commands["all.tar"]})
    out.mkdir()
    with installation(tmp_path, postgres=postgres) as site:
        prepare(site, raters, trials)
        refused, made = list[str](), list[Path]()

        def trouble(over: threading.Event) -> None:
            until(lambda: site.ask("SELECT count(*) FROM listening_rating") > [(5,)], 60, "nobody rates")
            for name, command in commands.items():
                for earlier in (False, True):
                    before = contents(out)
                    refused.append(without_room(site, room, *command, str(out / name)))
                    assert contents(out) == before, f"{name} left something else than was there"
                    if not earlier:
                        manage(site.environment, *command, str(out / name))
            made.extend(contents(out))

        history = rate_under(site, trouble, raters, over_s=2, pace_s=3.0)
        what = f"{len(refused)} exports without room refused, {len(made)} files kept whole"
        check(site, history, what, trials=trials, raters=raters, began=began)
        assert all("CommandError" in sentence and "Traceback" not in sentence for sentence in refused), refused


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def without_room(site: Installation, room: int, *command: str) -> str:
    """What a command says that finds the disk full after so many bytes of a file."""

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = subprocess.run(
        [sys.executable, "manage.py", *command], cwd=REPO, env=site.environment, capture_output=True, text=True, preexec_fn=fill
    )
    assert done.returncode != 0, f"{command[0]} wrote where nothing can be written"
    return done.stderr
