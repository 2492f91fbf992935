"""What every family speaks: a `Condition` says what is applied, a `Codec` applies it, `Coded` is what comes out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from codecs_runner.errors import CodecError

__all__ = ["Codec", "CodecError", "Coded", "Condition", "Signal"]

Signal = npt.NDArray[np.float32]  # one channel, shape [n_samples], full scale ±1


@dataclass(frozen=True)
class Coded:
    """A clip after encoding and decoding.

    Args:
        samples: decoded signal, one channel; longer or shorter than the input by what padding the codec adds.
        sample_rate: of ``samples``, Hz.
        payload_bits: bits the encoder produced, without any container; None where nothing was coded.
        delay_samples: how late ``samples`` starts, as far as the codec itself knows.
    """

    samples: Signal
    sample_rate: int
    payload_bits: int | None
    delay_samples: int = 0


class Codec(Protocol):
    """An opened condition. Clips do not influence one another, and the same clip gives the same bytes."""

    @property
    def device(self) -> str:
        """Where it computes: ``cpu``, or the name of the accelerator."""
        ...

    @property
    def versions(self) -> Mapping[str, str]:
        """Libraries that decide its output."""
        ...

    def code(self, samples: Signal) -> Coded:
        """Encode and decode one clip at the condition's rate; raises CodecError where the codec fails."""
        ...


@dataclass(frozen=True, eq=False)
class Condition:
    """Processing applied to a clip.

    Args:
        slug: our own name, the only primary key.
        family: what the codec is called, at whatever rate; conditions of one family share a colour in figures.
        label: for people, in figures and tables.
        open: makes the codec; loads weights, so call it once for many clips.
        sample_rate: rate in Hz at which the codec gets the clip.
        nominal_bps: what the setting is called and what is asked of the codec, bits per second; None where nothing is coded.
        true_bps: what comes out instead, where that is known to differ: by the codec's arithmetic, by the rates its format has, or
            measured on speech. The label then names both, asked → true.
        licence: of the code; that of the weights stands with their files.
        aliases: names in papers, written ``paper:letter``.
        note: what a reader of results should know.
        params: what the result depends on beside the weights; part of a job's key.
        packages: Python packages that must be installed.
        weights: keys into `codecs_runner.weight_files.FILES` that must be present.
        model: conditions of one model differ only in how much of one code sequence they send, so a clip is encoded once for all
            of them; empty where a condition stands for itself.
        obstacle: looks for what else must be there (a program); says what to do, or nothing where all is well.
    """

    slug: str
    family: str
    label: str
    open: Callable[["Condition"], Codec] = field(repr=False)
    sample_rate: int
    nominal_bps: int | None = None
    true_bps: int | None = None
    licence: str = ""
    aliases: tuple[str, ...] = ()
    note: str = ""
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    model: str = ""
    obstacle: Callable[["Condition"], str] | None = field(default=None, repr=False)

    @property
    def rate_bps(self) -> int | None:
        """The rate to expect: the true one where it is known to differ from the nominal one."""
        return self.true_bps or self.nominal_bps

    @property
    def heavy(self) -> bool:
        """Whether opening it takes seconds and hundreds of megabytes."""
        return "torch" in self.packages

    @property
    def work_group(self) -> str:
        """The same for conditions that gain by following one another over a clip: the rates of one model, which are encoded once,
        and all light conditions, which share its decoding and resampling."""
        return self.model or (self.slug if self.heavy else "")
