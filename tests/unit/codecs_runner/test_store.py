"""Stimuli appear whole or not at all."""

import errno
import os
from pathlib import Path

import pytest

from codecs_runner.errors import StoreError
from codecs_runner.store import Store

KEY = "ab" * 32
SIDECAR = {"audio_sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}  # of b"abc"


def test_what_is_put_can_be_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "new" / "store")
    assert not store.has(KEY) and store.sidecar(KEY) is None
    store.put(KEY, b"abc", SIDECAR)
    assert store.has(KEY) and store.sidecar(KEY) == SIDECAR
    assert store.flac_path(KEY).read_bytes() == b"abc"
    store.verify(KEY)


def test_damage_is_noticed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(StoreError):
        store.verify(KEY)
    store.put(KEY, b"abc", SIDECAR)
    store.flac_path(KEY).write_bytes(b"abd")
    with pytest.raises(StoreError) as caught:
        store.verify(KEY)
    assert caught.value.code == "damaged"


@pytest.mark.parametrize("fails_at", [1, 3], ids=["audio", "description"])
def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int) -> None:
    store, calls, real = Store(tmp_path), [], os.fsync

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == fails_at:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError) as caught:
        store.put(KEY, b"abc", SIDECAR)
    assert caught.value.code == "disk_full"
    assert str(tmp_path) in caught.value.sentence and "nothing was lost" in caught.value.sentence
    assert not store.has(KEY)
    assert not list(tmp_path.rglob(".part-*"))
    store.put(KEY, b"abc", SIDECAR)
    store.verify(KEY)


def test_a_store_below_a_file_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        Store(tmp_path / "file").put(KEY, b"abc", SIDECAR)
    assert caught.value.code == "not_writable"
