"""Files that appear whole or not at all, and durably: a reader, a crash or a kill never meets half of one."""

import os
import tempfile
from pathlib import Path

NAMELESS = getattr(os, "O_TMPFILE", 0)


def write_whole(path: Path, content: bytes) -> None:
    """Write, sync, then give the file its name; what has that name already is replaced.

    Where the system can, the file has no name until it is whole, so that even a killed process leaves nothing behind. Elsewhere
    a kill may leave a file ``.part-…``. Raises OSError, and then there is no new file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        if not (NAMELESS and _write_nameless(path, content, folder)):
            _write_part(path, content)
        os.fsync(folder)
    finally:
        os.close(folder)


def link_whole(source: Path, target: Path) -> None:
    """Give a file a second name, replacing what has it; on a file system without links, make a copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _part_name(target)
    try:
        os.link(source, part)
    except OSError:
        write_whole(target, source.read_bytes())
        return
    part.replace(target)
    part.unlink(missing_ok=True)  # replacing a name of the same file leaves both


def _write_nameless(path: Path, content: bytes, folder: int) -> bool:
    """Whether the file system could do it."""
    try:
        descriptor = os.open(path.parent, NAMELESS | os.O_WRONLY, 0o644)
    except OSError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        nameless = f"/proc/self/fd/{file.fileno()}"
        try:
            os.link(nameless, path.name, dst_dir_fd=folder)
        except FileExistsError:
            part = _part_name(path)
            os.link(nameless, part.name, dst_dir_fd=folder)
            part.replace(path)
        except FileNotFoundError:
            return False  # no /proc
    return True


def _write_part(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _part_name(path: Path) -> Path:
    return path.with_name(f".part-{os.getpid()}-{path.name}")
