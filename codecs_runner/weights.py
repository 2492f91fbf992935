"""Trained weights: where they are looked for, and that they are what their name says. `weight_files` lists them.

A file is looked for in the folder CODEC_WEIGHTS (there also in a sub-folder named after its family), then in the cache of the
package it belongs to. Nothing is fetched unless `download` is called.
"""

import hashlib
import os
import urllib.request
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path

from codecs_runner.errors import CodecError
from codecs_runner.weight_files import FILES

TIMEOUT_S = 15
CHUNK_BYTES = 1 << 20


def folder() -> Path:
    """Where weights are kept: CODEC_WEIGHTS, else a folder in the user's cache."""
    return Path(os.environ.get("CODEC_WEIGHTS") or _user_cache() / "codec-weights")


def find(key: str) -> Path | None:
    """The file, or None; the published name goes before names that match its pattern."""
    file = FILES[key]
    folders = [folder(), folder() / file.family]
    candidates = [place / file.name for place in folders]
    if file.cache:
        candidates.append(_user_cache() / file.cache)
    if file.pattern:
        candidates += [path for place in folders for path in sorted(place.glob(file.pattern))]
    return next((path for path in candidates if path.is_file()), None)


def require(key: str) -> Path:
    """The file, checked; raises CodecError ``weights_missing`` or ``weights_damaged``."""
    path = find(key)
    if path is None:
        raise CodecError("weights_missing", what_to_do([key]))
    complaint = problem(key, path)
    if complaint:
        raise CodecError("weights_damaged", complaint)
    return path


def problem(key: str, path: Path) -> str:
    """Why a file is not what its name promises; empty where it is, or where neither size nor checksum is published."""
    file = FILES[key]
    if file.size and path.stat().st_size != file.size:
        lengths = f"it has {path.stat().st_size} bytes, not {file.size}"
        return f"{path} is not the published file ({lengths}); fetch it again from {file.url}."
    expected = path.stem.rsplit("-", 1)[-1] if file.pattern else file.sha256
    found = sha256(path)
    if found.startswith(expected):
        return ""
    mismatch = f"its SHA-256 begins {found[:8]}, not {expected[:8]}"
    return f"{path} is not the published file ({mismatch}); fetch it again from {file.url}."


def what_to_do(keys: Iterable[str]) -> str:
    """The sentence for a person whose files are missing.

    >>> what_to_do(["dac_16khz"]).split(":")[0]
    'Weights missing'
    """
    files = [FILES[key] for key in keys]
    names = " and ".join(file.name for file in files)
    url, name = files[0].url, files[0].name
    source = url.removesuffix(f"/{name}") if url.endswith(f"/{name}") else url.rsplit("/", 1)[0]
    return f"Weights missing: put {names} (from {source}) into {folder()}, or run: python -m codecs_runner weights download."


def sha256(path: Path) -> str:
    """Checksum of a file's bytes; remembered as long as size and time of change stay the same."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def checksums(keys: Iterable[str]) -> dict[str, str]:
    """File name to SHA-256; the text ``missing`` stands where a file is not there."""
    found = {key: find(key) for key in keys}
    return {
        path.name if path and FILES[key].pattern else FILES[key].name: sha256(path) if path else "missing"
        for key, path in found.items()
    }


def download(key: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """Fetch a file from its authors into `folder`, in place of a damaged one there; raises CodecError ``download_failed``.

    ``progress`` hears bytes so far and bytes in all (0 where the server does not say). A connection that stays silent for
    15 seconds ends the attempt, and a file only gets its name when it is whole and its checksum right.
    """
    file = FILES[key]
    target = folder() / file.family / file.name
    if (folder() / file.name).is_file():  # found before the family's folder
        target = folder() / file.name
    part = target.with_suffix(".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # The addresses are constants of weight_files, all https.
        with urllib.request.urlopen(file.url, timeout=TIMEOUT_S) as reply, part.open("wb") as out:  # nosec B310
            total, done = int(reply.headers.get("Content-Length") or 0), 0
            while block := reply.read(CHUNK_BYTES):
                done += out.write(block)
                if progress:
                    progress(done, total)
        if (total and done != total) or problem(key, part):
            raise CodecError("download_failed", f"{file.url} did not arrive whole or is not the published file; try again.")
        part.replace(target)
    except OSError as error:
        raise CodecError("download_failed", f"{file.url} could not be fetched ({error}).") from error
    finally:
        part.unlink(missing_ok=True)
    return target


def download_allowed() -> bool:
    """Whether a command in the foreground may fetch missing weights before it renders; CODEC_DOWNLOAD=0 forbids it."""
    return os.environ.get("CODEC_DOWNLOAD", "") != "0"


def _user_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
