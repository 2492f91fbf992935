"""Where files lie: a folder, or a bucket of an S3-compatible store. Both hold whole files by name and never half of one.

A place is named by a path or by an address ``s3://BUCKET/PREFIX``. Access to a bucket comes from the environment in the names that
all S3 tools share: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_DEFAULT_REGION and, for stores that are not Amazon's, AWS_ENDPOINT_URL.
Both keys may lie in files, named by AWS_ACCESS_KEY_ID_FILE and AWS_SECRET_ACCESS_KEY_FILE.
"""

import errno
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from analysis.files import write_whole
from codecs_runner.environment import setting
from codecs_runner.errors import StoreError

FULL = {errno.ENOSPC, errno.EDQUOT}
BUCKET = "s3://"


class Place(Protocol):
    """Files by name; a name may hold slashes. A place is a plain value that may be sent to another process."""

    def has(self, name: str) -> bool: ...

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError."""

    def write(self, name: str, content: bytes) -> None:
        """Keep a file durably, replacing what has the name. Raises StoreError ``disk_full`` or ``not_writable``; then nothing is new."""

    def local(self, name: str) -> Path:
        """A path at which this machine's libraries find the file, fetched where need be, and nothing where there is none."""

    def address(self, name: str) -> str:
        """What names the file from any machine: see `local_file`."""

    def signed_url(self, name: str, seconds: int) -> str | None:
        """An address from which a browser gets the file for so long; None where the site has to send it itself."""


def open_place(where: str | Path) -> Place:
    """The place of a path or an ``s3://`` address. Raises StoreError ``no_s3fs`` where the package for buckets is missing."""
    if not is_bucket(where):
        return Folder(Path(where))
    if find_spec("s3fs") is None:
        raise StoreError("no_s3fs", f"{where} needs the package s3fs: pip install -r requirements-s3.txt.")
    return Bucket(str(where).rstrip("/"))


def is_bucket(where: str | Path) -> bool:
    """Whether an address names a bucket.

    >>> is_bucket("s3://stimuli/2026"), is_bucket("/srv/stimuli")
    (True, False)
    """
    return str(where).startswith(BUCKET)


def local_file(address: str) -> Path:
    """`Place.local` of what `Place.address` names."""
    if not is_bucket(address):
        return Path(address)
    where, _, name = address.rpartition("/")
    return Bucket(where).local(name)


class Folder:
    """A folder, made when first written to."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def has(self, name: str) -> bool:
        return (self.root / name).is_file()

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def write(self, name: str, content: bytes) -> None:
        try:
            write_whole(self.root / name, content)
        except OSError as error:
            if error.errno in FULL:
                hint = "free some space and run again, nothing was lost."
                raise StoreError("disk_full", f"The disk that holds {self.root} is full; {hint}") from error
            raise StoreError("not_writable", f"{self.root} cannot be written to ({error.strerror}).") from error

    def local(self, name: str) -> Path:
        return self.root / name

    def address(self, name: str) -> str:
        return str(self.root / name)

    def signed_url(self, name: str, seconds: int) -> str | None:
        return None


class Bucket:
    """Objects below ``s3://BUCKET/PREFIX``, through s3fs. An object appears whole or not at all; that is the store's own promise."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __str__(self) -> str:
        return self.url

    def has(self, name: str) -> bool:
        with self._reached():
            return bool(_files().isfile(self.address(name)))

    def read(self, name: str) -> bytes:
        with self._reached():
            return bytes(_files().cat_file(self.address(name)))

    def write(self, name: str, content: bytes) -> None:
        with self._reached():
            try:
                _files().pipe_file(self.address(name), content)
            except OSError as error:  # s3fs gives each refusal of the store a meaning of the operating system
                raise StoreError("not_writable", f"{self.url} cannot be written to ({error}).") from error

    def local(self, name: str) -> Path:
        """Fetched once into a folder of this machine's temporary files; what lies under a name in our stores never changes."""
        copy = _copies() / hashlib.sha256(self.address(name).encode()).hexdigest()[:32]
        copy = copy.with_suffix(Path(name).suffix)
        if not copy.exists():
            with suppress(FileNotFoundError):
                write_whole(copy, self.read(name))
        return copy

    @contextmanager
    def _reached(self) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError

        try:
            yield
        except BotoCoreError as error:
            raise StoreError("unreachable", f"The store of {self.url} cannot be used: {error}") from error

    def address(self, name: str) -> str:
        return f"{self.url}/{name}"

    def signed_url(self, name: str, seconds: int) -> str | None:
        return str(_files().sign(self.address(name), expiration=seconds))


def _copies() -> Path:
    return Path(os.environ.get("STORE_CACHE") or Path(tempfile.gettempdir()) / f"codec-listening-{os.getuid()}")


def _files() -> Any:
    # A connection does not survive a fork: each process has its own.
    return _connection(os.getpid(), os.environ.get("AWS_ENDPOINT_URL", ""))


@lru_cache(maxsize=1)
def _connection(process: int, endpoint: str) -> Any:
    import s3fs

    # Without keys the library looks where all S3 tools look.
    key, secret = setting("AWS_ACCESS_KEY_ID") or None, setting("AWS_SECRET_ACCESS_KEY") or None
    return s3fs.S3FileSystem(key=key, secret=secret, use_listings_cache=False, skip_instance_cache=True)
