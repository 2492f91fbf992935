"""Where stimuli lie: ``<first two digits of key>/<key>.flac`` with ``<key>.json`` beside it.

Files appear whole or not at all, the description last, so a stimulus exists exactly if its description does.
"""

import errno
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codecs_runner.errors import StoreError
from codecs_runner.files import write_whole

FULL = {errno.ENOSPC, errno.EDQUOT}


class Store:
    """Stimuli by key below one folder, which is made when first written to."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def flac_path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.flac"

    def sidecar_path(self, key: str) -> Path:
        return self.root / key[:2] / f"{key}.json"

    def has(self, key: str) -> bool:
        return self.sidecar_path(key).is_file() and self.flac_path(key).is_file()

    def sidecar(self, key: str) -> dict[str, Any] | None:
        """The description of a stimulus, or None where there is none."""
        if not self.has(key):
            return None
        values: dict[str, Any] = json.loads(self.sidecar_path(key).read_text())
        return values

    def put(self, key: str, flac: bytes, sidecar: Mapping[str, Any]) -> None:
        """Write a stimulus durably; raises StoreError ``disk_full`` or ``not_writable`` and then leaves nothing behind."""
        try:
            write_whole(self.flac_path(key), flac)
            write_whole(self.sidecar_path(key), json.dumps(sidecar, indent=1, sort_keys=True).encode())
        except OSError as error:
            if error.errno in FULL:
                hint = "free some space and run again, nothing was lost."
                raise StoreError("disk_full", f"The disk that holds {self.root} is full; {hint}") from error
            raise StoreError("not_writable", f"{self.root} cannot be written to ({error.strerror}).") from error

    def verify(self, key: str) -> None:
        """Hash the audio again; raises StoreError ``damaged`` where it is missing or not what its description says."""
        sidecar = self.sidecar(key)
        if sidecar is None:
            raise StoreError("damaged", f"The stimulus {key} is not in {self.root}; render it again.")
        if hashlib.sha256(self.flac_path(key).read_bytes()).hexdigest() != sidecar["audio_sha256"]:
            raise StoreError("damaged", f"The audio of stimulus {key} has changed on disk; delete it and render it again.")
