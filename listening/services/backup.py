"""One file that holds a whole installation, and back: the database as it was at one moment, then every file it refers to.

The database goes first. Files in the stores never change and are never deleted, so each that the copy refers to is still there when it
is taken, also while raters answer and workers render.
"""

import hashlib
import io
import json
import os
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from analysis.files import write_whole
from codecs_runner.places import is_bucket
from listening.models import Study
from listening.models.identity import fingerprint
from listening.services.errors import ServiceError

MANIFEST, DATABASE = "manifest.json", "database"
_FOLDERS = ("SOURCE_STORE", "STIMULUS_STORE")
_BLOCK = 1 << 20


def backup(path: Path) -> dict[str, Any]:
    """Write a backup, whole or not at all, and return its manifest. Raises ServiceError.

    Keys are not in it: SECRET_KEY and PARTICIPANT_KEYS are kept elsewhere, and without them nobody reads the participants' ids.
    """
    part = path.with_name(f".part-{path.name}")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent) as folder, tarfile.open(part, "w") as archive:
            dump = Path(folder) / DATABASE
            _dump(dump)
            members = [(DATABASE, dump), *_files()]
            manifest = {
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "engine": connection.vendor,
                "migrations": sorted(f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()),
                "keys": fingerprint("backup"),
                "left_to_the_bucket": [name for name in _FOLDERS if is_bucket(getattr(settings, name))],
                "files": {name: _sha256(file.open("rb")) for name, file in members},
            }
            content = json.dumps(manifest, indent=1).encode()
            header = tarfile.TarInfo(MANIFEST)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
            for name, file in members:
                archive.add(file, name, recursive=False)
        part.replace(path)
    except (OSError, sqlite3.Error) as error:
        raise ServiceError(f"The backup could not be written: {error}. There is no half of one.") from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


def restore(path: Path, replace: bool = False) -> dict[str, Any]:
    """Check every byte of a backup, then put it in place; files first, the database last. Raises ServiceError and then changed nothing
    but, at worst, added files that nothing refers to.

    ``replace`` allows it over a database that holds studies.
    """
    if not replace and _has_tables() and Study.objects.exists():
        raise ServiceError("This database holds studies. Restore into an empty one, or say --replace to give them up.")
    try:
        with tarfile.open(path) as archive:
            manifest = _checked(archive)
            if manifest["engine"] != connection.vendor:
                raise ServiceError(f"The backup is of {manifest['engine']}, but DATABASE_URL names {connection.vendor}.")
            if manifest["keys"] != fingerprint("backup"):
                raise ServiceError(
                    "PARTICIPANT_KEYS are not those of the backup: set them first, or no participant can be paid."
                )
            with tempfile.TemporaryDirectory() as folder:
                dump = Path(folder) / DATABASE
                for member in archive:
                    if member.name == DATABASE:
                        _copy(_content(archive, member), dump)
                    elif member.name != MANIFEST:
                        _put(archive, member)
                _load(dump)
    except (tarfile.TarError, OSError, KeyError, ValueError) as error:
        raise ServiceError(f"{path} is not a whole backup: {error}.") from error
    return manifest


def _checked(archive: tarfile.TarFile) -> dict[str, Any]:
    first = archive.next()
    if first is None or first.name != MANIFEST:
        raise ServiceError("This is not a backup: it does not begin with a manifest.")
    manifest: dict[str, Any] = json.loads(_content(archive, first).read())
    wanted = dict(manifest["files"])
    for member in archive:
        if member.name == MANIFEST:
            continue
        if not member.isreg() or member.name not in wanted:
            raise ServiceError(f"The backup holds {member.name}, which its manifest does not know.")
        if _sha256(_content(archive, member)) != wanted.pop(member.name):
            raise ServiceError(f"{member.name} in the backup is damaged.")
    if wanted:
        raise ServiceError(f"The backup is cut short: {len(wanted)} files are missing, {min(wanted)} among them.")
    return manifest


def _files() -> Iterator[tuple[str, Path]]:
    for setting in _FOLDERS:
        root = getattr(settings, setting)
        if is_bucket(root):
            continue
        for file in sorted(Path(root).rglob("*")):
            if file.is_file() and not file.name.startswith(".part-"):
                yield f"{setting}/{file.relative_to(root)}", file


def _put(archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    setting, _, name = member.name.partition("/")
    if setting not in _FOLDERS or is_bucket(getattr(settings, setting)):
        return
    root = Path(getattr(settings, setting))
    target = (root / name).resolve()
    if not target.is_relative_to(root.resolve()):
        raise ServiceError(f"The backup holds {member.name}, which would leave the store.")
    if not target.exists():
        write_whole(target, _content(archive, member).read())


def _dump(target: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(target)) as copy:
            connection.connection.backup(copy)
    else:
        _postgres("pg_dump", "--format=custom", f"--file={target}")


def _load(dump: Path) -> None:
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        with closing(sqlite3.connect(dump)) as copy:
            copy.backup(connection.connection)
    else:
        connection.close()
        name = str(connection.settings_dict["NAME"])
        _postgres("pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", f"--dbname={name}", str(dump))


def _postgres(*command: str) -> None:
    given = connection.settings_dict
    names = {"PGHOST": "HOST", "PGPORT": "PORT", "PGUSER": "USER", "PGPASSWORD": "PASSWORD", "PGDATABASE": "NAME"}
    environment = {**os.environ, **{name: str(given[key]) for name, key in names.items() if given.get(key)}}
    if mode := given.get("OPTIONS", {}).get("sslmode"):
        environment["PGSSLMODE"] = mode
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ServiceError(f"{command[0]} is not installed: apt-get install postgresql-client") from error
    if done.returncode:
        raise ServiceError(f"{command[0]} failed: {done.stderr.strip()}")


def _has_tables() -> bool:
    return Study._meta.db_table in connection.introspection.table_names()


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = archive.extractfile(member)
    if content is None:
        raise ServiceError(f"{member.name} in the backup is not a file.")
    return content


def _copy(source: IO[bytes], target: Path) -> None:
    with target.open("wb") as file:
        while block := source.read(_BLOCK):
            file.write(block)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
