"""Features of recordings, each computed once: kept on disk under the digest of what the model hears and the upstream's fingerprint."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from analysis.files import write_whole
from analysis.pool import spread
from analysis.ser.errors import SerError
from analysis.ser.speech import read_speech, speech_digest
from analysis.ser.upstreams import FROM_HUB, Layers, Upstream, UpstreamSpec, Weights, get_upstream, open_upstream

Item = TypeVar("Item")

#: Recordings that one process takes at a time, and from how many on more than one process is worth starting.
_GROUP, _WORTH_PROCESSES = 16, 128
#: Large models get recordings of like length together: so many batches are sorted at a time.
_BUCKET_BATCHES = 16


@dataclass(frozen=True)
class Heard:
    """One recording: the digest of its speech and its features, or why there are none."""

    path: Path
    digest: str = ""
    layers: Layers | None = None
    problem: str = ""


def default_folder() -> Path:
    """Where features are kept unless something else is said: a folder in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "speech-features"


class FeatureStore:
    """Features of one upstream below ``folder``. What is damaged there counts as absent and is computed again.

    ``keep``: whether new features are written. All layers of a large model take some 3 MB for each second of speech, so
    training keeps them, which reads them in every epoch, and evaluation, which needs them once, does not.
    """

    def __init__(self, folder: Path, spec: UpstreamSpec, weights: Weights = FROM_HUB, keep: bool = True) -> None:
        self.spec, self.weights, self.keep = spec, weights, keep or spec.light
        self.upstream: Upstream = open_upstream(spec.key, weights)
        self.root = folder
        self.folder = folder / self.upstream.fingerprint

    def load(self, digest: str) -> Layers | None:
        """Features of a digest, mapped into memory rather than read; None where they are absent or damaged."""
        try:
            layers: Layers = np.load(self._path(digest), mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None
        return layers

    def hear(self, paths: Sequence[Path], workers: int | None = None) -> Iterator[Heard]:
        """Every recording once, in whatever order: decoded, and its features taken from the store or computed.

        ``workers``: processes for an upstream that needs no PyTorch; by default one for each core where there is much to do.
        """
        many = workers or (os.cpu_count() or 1 if len(paths) >= _WORTH_PROCESSES else 1)
        if not self.spec.light or many == 1:
            yield from self._hear_here(paths)
            return
        work = partial(_hear_group, self.root, self.spec.key)
        for group, found in spread(list(in_groups(paths, _GROUP)), work, many):
            if found is None:
                yield from (Heard(path, problem=f"The process that read {path.name} was killed.") for path in group)
                continue
            for path, digest, problem in found:
                yield Heard(path, digest, self.load(digest) if digest else None, problem)

    def _hear_here(self, paths: Sequence[Path]) -> Iterator[Heard]:
        for bucket in in_groups(paths, self.upstream.batch * (_BUCKET_BATCHES if self.upstream.batch > 1 else 1)):
            fresh = []
            for path in bucket:
                try:
                    speech = read_speech(path)
                except SerError as error:
                    yield Heard(path, problem=str(error))
                    continue
                digest = speech_digest(speech)
                layers = self.load(digest)
                if layers is None:
                    fresh.append((path, digest, speech))
                else:
                    yield Heard(path, digest, layers)
            fresh.sort(key=lambda clip: len(clip[2]))
            for together in in_groups(fresh, self.upstream.batch):
                extracted = self.upstream.extract([speech for _, _, speech in together])
                for (path, digest, _), layers in zip(together, extracted, strict=True):
                    if self.keep:
                        self._write(digest, layers)
                    yield Heard(path, digest, layers)

    def _write(self, digest: str, layers: Layers) -> None:
        memory = io.BytesIO()
        np.save(memory, layers, allow_pickle=False)
        write_whole(self._path(digest), memory.getvalue())

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.npy"


def in_groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in lists of ``size``, the last one shorter.

    >>> list(in_groups("abc", 2))
    [['a', 'b'], ['c']]
    """
    waiting = iter(items)
    while group := list(islice(waiting, size)):
        yield group


def _hear_group(folder: Path, upstream: str, paths: Sequence[Path]) -> list[tuple[Path, str, str]]:
    """The work of one process: features go to the store, and digests or problems back."""
    store = FeatureStore(folder, get_upstream(upstream))
    with threadpool_limits(1):
        return [(heard.path, heard.digest, heard.problem) for heard in store.hear(paths, workers=1)]
