"""Foreign programs, each in a process of its own that is thrown away: limited in time, memory and output, without a shell, without
our environment (where secrets may stand), and, where the machine can do that for us, without a network.

Media that arrived from outside are read, and codecs that PyAV's libraries lack are run, by FFmpeg in such a process: what a
damaged file may do to it ends there.
"""

import os
import resource
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, lru_cache
from subprocess import DEVNULL, PIPE

MEMORY_BYTES = 2 << 30
OUTPUT_BYTES = 1 << 30  # of a file it writes
LAST_LINE = 200  # characters of a program's complaint that are passed on
#: All that a program is told of its surroundings.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")


class ProcessFailed(Exception):
    """The program ended badly or was ended; the text says how, for the end of a sentence."""


def run_limited(command: Sequence[str], content: bytes = b"", *, timeout_s: float) -> bytes:
    """Run a program with ``content`` as its standard input and return its standard output.

    Raises:
        ProcessFailed: if it cannot be started, takes longer than ``timeout_s`` (of the clock, or one more of a core's time), or
            ends with an error, be it for want of memory; the text ends with the last line of its complaint.
    """
    if shutil.which(command[0]) is None:
        raise ProcessFailed(f"{command[0]} could not be run: there is no such program")
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    kept_away = [*without_network(), *command]
    try:
        with subprocess.Popen(
            kept_away, stdin=PIPE if content else DEVNULL, stdout=PIPE, stderr=PIPE, env=environment
        ) as process:
            for kind, limit in (
                (resource.RLIMIT_AS, MEMORY_BYTES),
                (resource.RLIMIT_FSIZE, OUTPUT_BYTES),
                (resource.RLIMIT_CPU, int(timeout_s) + 1),
                (resource.RLIMIT_CORE, 0),
            ):
                _limit(process.pid, kind, limit)
            try:
                out, complaint = process.communicate(content or None, timeout_s)
            except subprocess.TimeoutExpired as error:
                process.kill()
                raise ProcessFailed(f"it took longer than {timeout_s:g} s") from error
    except OSError as error:
        raise ProcessFailed(f"{command[0]} could not be run: {error.strerror}") from error
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines() or [f"it ended with status {process.returncode}"]
        raise ProcessFailed(lines[-1].strip()[:LAST_LINE].rstrip("."))
    return out


@cache
def without_network() -> tuple[str, ...]:
    """What starts a program in a network of its own that leads nowhere; nothing where the machine does not let us.

    Containers often forbid it; there the network that the container is given is the limit.
    """
    start = ("unshare", "--user", "--map-current-user", "--net", "--")
    try:
        subprocess.run([*start, "true"], check=True, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return ()
    return start


def find_program(name: str) -> str | None:
    """Path of a program on this machine."""
    return shutil.which(name)


@lru_cache(maxsize=16)
def ask(*command: str) -> str:
    """What a program says about itself, remembered; empty where it fails."""
    try:
        return run_limited(command, timeout_s=10).decode(errors="replace")
    except ProcessFailed:
        return ""


def _limit(pid: int, kind: int, limit: int) -> None:
    # It may have ended already; and where there is no Linux, the clock is the only limit.
    with suppress(ProcessLookupError, PermissionError, AttributeError):
        resource.prlimit(pid, kind, (limit, limit))
