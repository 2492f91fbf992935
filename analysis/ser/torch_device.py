"""PyTorch prepared once: where models run, on how many threads, and how exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.ser.errors import SerError

if TYPE_CHECKING:
    import torch


def open_device(name: str = "", threads: int | None = None) -> torch.device:
    """The device called ``name``, or the first GPU, or the CPU with ``threads`` threads. Raises SerError for one that is not there."""
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SerError(f"There is no device '{name}' here; leave --device out, or say cpu.") from error
    return device
