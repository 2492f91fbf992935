"""Where stimuli lie: ``<first two digits of key>/<key>.flac`` with ``<key>.json`` beside it, in a folder or a bucket.

Files appear whole or not at all, the description last, so a stimulus exists exactly if its description does.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codecs_runner.errors import StoreError
from codecs_runner.places import open_place


class Store:
    """Stimuli by key in one place (`codecs_runner.places`)."""

    def __init__(self, where: str | Path) -> None:
        self.place = open_place(where)

    def has(self, key: str) -> bool:
        return self.place.has(_sidecar(key)) and self.place.has(_flac(key))

    def flac_path(self, key: str) -> Path:
        """Where this machine finds the audio, fetched from a bucket where need be; nothing lies there where there is none."""
        return self.place.local(_flac(key))

    def sidecar_path(self, key: str) -> Path:
        return self.place.local(_sidecar(key))

    def signed_url(self, key: str, seconds: int) -> str | None:
        """Where a browser gets the audio for so long without us; None for a folder."""
        return self.place.signed_url(_flac(key), seconds)

    def name(self, key: str) -> str:
        """Where the audio lies within the place, for a web server that reads the same folder."""
        return _flac(key)

    def sidecar(self, key: str) -> dict[str, Any] | None:
        """The description of a stimulus, or None where there is none."""
        if not self.has(key):
            return None
        values: dict[str, Any] = json.loads(self.place.read(_sidecar(key)))
        return values

    def put(self, key: str, flac: bytes, sidecar: Mapping[str, Any]) -> None:
        """Write a stimulus durably; raises StoreError ``disk_full`` or ``not_writable`` and then no stimulus is there."""
        self.place.write(_flac(key), flac)
        self.place.write(_sidecar(key), json.dumps(sidecar, indent=1, sort_keys=True).encode())

    def verify(self, key: str) -> None:
        """Hash the audio again; raises StoreError ``damaged`` where it is missing or not what its description says."""
        sidecar = self.sidecar(key)
        if sidecar is None:
            raise StoreError("damaged", f"The stimulus {key} is not in {self.place}; render it again.")
        if hashlib.sha256(self.place.read(_flac(key))).hexdigest() != sidecar["audio_sha256"]:
            raise StoreError("damaged", f"The audio of stimulus {key} has changed in the store; delete it and render it again.")


def _flac(key: str) -> str:
    return f"{key[:2]}/{key}.flac"


def _sidecar(key: str) -> str:
    return f"{key[:2]}/{key}.json"
