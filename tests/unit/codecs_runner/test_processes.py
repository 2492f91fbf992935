"""Programs in processes of their own: they see no secret of ours, no network, and nothing survives them."""

import socket
import sys

import pytest

from codecs_runner import processes
from codecs_runner.processes import ProcessFailed, run_limited


def test_a_program_is_not_told_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "our secret")
    monkeypatch.setenv("DATABASE_URL", "postgres://user:our secret@host/name")
    told = run_limited([sys.executable, "-c", "import os; print(dict(os.environ))"], timeout_s=20)
    assert b"our secret" not in told and b"PATH" in told


def test_a_program_reaches_no_network_where_the_machine_can_keep_it_away() -> None:
    if not processes.without_network():
        pytest.skip("this machine lets nobody make a network of their own (unshare)")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ask = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        with pytest.raises(ProcessFailed, match=r"unreachable|refused"):
            run_limited([sys.executable, "-c", ask], timeout_s=20)
        socket.create_connection(("127.0.0.1", port), 2).close()


def test_where_it_cannot_be_kept_away_programs_run_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "without_network", lambda: ())
    assert run_limited(["echo", "here"], timeout_s=5) == b"here\n"


def test_it_leaves_no_core_and_writes_no_large_file(tmp_path) -> None:
    ask = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE), resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
    told = run_limited([sys.executable, "-c", f"import time; time.sleep(0.3); {ask}"], timeout_s=20)
    assert told.split() == [b"(0,", b"0)", str(processes.OUTPUT_BYTES).encode()]
