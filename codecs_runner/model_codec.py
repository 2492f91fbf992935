"""A neural model opened once for all its rates: one encoder pass, codes cut to each condition's number of codebooks, batches.

Residual quantizers are greedy: the codes of a lower rate are the first codebooks of a higher one. So a clip is encoded at the
largest number of codebooks that is asked for, and each condition decodes its prefix; the result is the same to the bit as
encoding for each rate by itself.

On a CPU clips are coded one by one, since a larger batch is slower there. On a GPU they are coded in batches. Where zeros
behind a clip change nothing within it (`ModelCodec.padding_is_exact`), clips of about one length share a batch whose shape
depends on that length alone: it is filled with silence, so a clip's bytes do not depend on its company. Otherwise only clips of
the same number of frames are put together.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.neural import describe_device, open_device

if TYPE_CHECKING:
    import torch

ROWS = 64  # clips in a batch on a GPU, at most
BATCH_S = 128  # seconds of audio in a batch, at most; bounds the memory of the device
STEP_S = 1  # lengths are rounded up to this where padding is exact, so that few shapes occur


@dataclass(frozen=True)
class Pending:
    """A batch that may still be computed: ``decoded`` holds one tensor [rows, n] for each condition, ``ready`` waits for them."""

    lengths: Sequence[int]
    conditions: Sequence[Condition]
    decoded: Sequence["torch.Tensor"]
    ready: Callable[[], None]


class ModelCodec(ABC):
    """What the families with a batched model share; a family says how it loads, encodes and decodes.

    A condition's ``params["n_quantizers"]`` is the number of codebooks that it sends.
    """

    name: ClassVar[str]  # in sentences
    distributions: ClassVar[tuple[str, ...]]  # whose versions decide the output
    padding_is_exact: ClassVar[bool] = False
    max_rows: ClassVar[int] = ROWS

    def __init__(self, condition: Condition) -> None:
        self.condition, self.sample_rate = condition, condition.sample_rate
        depth = condition.params["n_quantizers"]
        if not isinstance(depth, int) or depth < 1:
            raise CodecError(
                "codec_failed", f"{condition.slug} is to send {depth!r} codebooks; that must be a whole number from 1."
            )
        self.torch_device = open_device()
        checksums = tuple(sorted(weights.checksums(condition.weights).items()))
        self.model = _load(type(self), condition.weights, checksums, str(self.torch_device))
        self.check(condition)
        self.device = describe_device(self.torch_device)
        self.versions = {name: version(name) for name in ("torch", *self.distributions)}

    @classmethod
    @abstractmethod
    def load(cls, keys: Sequence[str]) -> Any:
        """The model with its trained weights, from these keys of `codecs_runner.weights.FILES`."""

    @abstractmethod
    def n_frames(self, n_samples: int) -> int:
        """Frames that are sent for a clip of so many samples."""

    @abstractmethod
    def padded(self, n_samples: int) -> int:
        """Samples that the encoder is given for a clip of so many: as many as its own padding would leave as they are."""

    @abstractmethod
    def encode(self, clips: "torch.Tensor", depth: int) -> Any:
        """Codes of a batch, shape [rows, samples], with the first ``depth`` codebooks."""

    @abstractmethod
    def decode(self, codes: Any, depth: int) -> "torch.Tensor":
        """Audio, shape [rows, at least the samples of the clips], from the first ``depth`` codebooks of what `encode` gave."""

    @abstractmethod
    def payload_bits(self, n_samples: int, depth: int) -> int:
        """Bits that are sent for a clip of so many samples, side information included."""

    def check(self, condition: Condition) -> None:  # noqa: B027 — most formats say by themselves that they do not fit
        """Refuse weights of another model than the condition's; raises CodecError ``weights_damaged``."""

    @property
    def batch_size(self) -> int:
        """Clips coded together, at most: CODEC_BATCH, else 1 on a CPU and 64 on a GPU."""
        asked = os.environ.get("CODEC_BATCH") or (ROWS if self.torch_device.type == "cuda" else 1)
        return max(1, min(int(asked), self.max_rows))

    def shape(self, n_samples: int) -> tuple[int, int]:
        """Rows and samples of the batch that a clip of so many samples belongs into; clips of one shape may be coded together."""
        length = self.padded(n_samples)
        if self.padding_is_exact and self.batch_size > 1:
            step = self.padded(STEP_S * self.sample_rate)
            length = -(-length // step) * step
        rows = int(BATCH_S * self.sample_rate / max(length, 1))
        return max(1, min(self.batch_size, rows)), length

    def code(self, samples: Signal) -> Coded:
        """Encode and decode one clip at the condition's rate; raises CodecError."""
        return self.code_many([samples], [self.condition])[0][0]

    def code_many(self, clips: Sequence[Signal], conditions: Sequence[Condition]) -> list[list[Coded]]:
        """Encode clips of one `shape` once and decode them for each condition.

        Args:
            clips: at most as many as the shape has rows.
            conditions: of this model.

        Returns:
            For each clip one result for each condition, in their orders.
        """
        return self.collect(self.launch(clips, conditions))

    def launch(self, clips: Sequence[Signal], conditions: Sequence[Condition]) -> Pending:
        """Start coding. On a GPU this returns before the work is done, so that the next batch can be prepared meanwhile."""
        import torch

        lengths = [len(clip) for clip in clips]
        rows, samples = self.shape(max(lengths))
        on_gpu = self.torch_device.type == "cuda"
        batch = np.zeros((rows if self.padding_is_exact else len(clips), samples), np.float32)
        for row, clip in zip(batch, clips, strict=False):
            row[: len(clip)] = clip
        try:
            with torch.inference_mode():
                host = torch.from_numpy(batch)
                device = (host.pin_memory() if on_gpu else host).to(self.torch_device, non_blocking=True)
                codes = self.encode(device, max(_depth(condition) for condition in conditions)) if max(lengths) else None
                decoded = []
                for condition in conditions:
                    heard = device if codes is None else self.decode(codes, _depth(condition))
                    target = torch.empty(heard.shape, pin_memory=on_gpu)
                    decoded.append(target.copy_(heard, non_blocking=on_gpu))
                ready = _mark() if on_gpu else _nothing
        except RuntimeError as error:
            raise CodecError("codec_failed", f"{self.name} failed: {error}") from error
        return Pending(lengths, conditions, decoded, ready)

    def collect(self, pending: Pending) -> list[list[Coded]]:
        """Wait for a batch and cut each clip to its own length."""
        try:
            pending.ready()
        except RuntimeError as error:
            raise CodecError("codec_failed", f"{self.name} failed: {error}") from error
        audio = [tensor.numpy() for tensor in pending.decoded]
        return [
            [
                Coded(
                    heard[row, :length].copy(), self.sample_rate, self.payload_bits(length, _depth(condition)) if length else 0
                )
                for heard, condition in zip(audio, pending.conditions, strict=True)
            ]
            for row, length in enumerate(pending.lengths)
        ]


def _depth(condition: Condition) -> int:
    return int(condition.params["n_quantizers"])


def _nothing() -> None:
    return None


def _mark() -> Callable[[], None]:
    """Waits until the device has done what it was given up to now."""
    import torch

    wait: Callable[[], None] = torch.cuda.current_stream().record_event().synchronize
    return wait


@lru_cache(maxsize=1)
def _load(family: type[ModelCodec], keys: tuple[str, ...], checksums: tuple[tuple[str, str], ...], device: str) -> Any:
    """The model loaded last: opening another rate of it costs nothing. A changed checksum loads it again."""
    return family.load(keys).to(device).eval()
