"""PyTorch prepared once: where models run, on how many threads, and how exact."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from analysis.ser.errors import SerError
from analysis.torchaudio_repair import repair_torchaudio

if TYPE_CHECKING:
    import torch


def open_device(name: str, threads: int) -> torch.device:
    """The device called ``name``, or the first GPU, or the CPU with ``threads`` threads. Raises SerError for one that is not there."""
    import torch

    repair_torchaudio()
    torch.set_num_threads(threads)
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SerError(f"There is no device '{name}' here; leave --device out, or say cpu.") from error
    return device


def mixed_precision(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 where sums allow it, if that is asked for, or on a GPU unless float32 is."""
    import torch

    if precision == "bfloat16" or (not precision and device.type == "cuda"):
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()
