"""SNAC (Siuzdak et al. 2024, arXiv 2410.14411) through its author's package ``snac``: codebooks at several time scales.

The coarser codebooks send a code for every second, fourth or eighth frame, 12 bits each. The clip is padded as the package pads
it, to whole attention windows, and the codes of that padding are counted: they are sent. The decoder adds noise that it draws;
it is drawn from one seed for each clip, so the same clip gives the same bytes on one kind of device.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_checkpoint, load_config, model_errors

if TYPE_CHECKING:
    import torch

BITS = 12  # of a code: codebooks of 4,096 entries
SEED = 0


class Snac(ModelCodec):
    """One of the published models; one clip at a time, because a batch would share the noise."""

    name = "SNAC"
    distributions = ("snac",)
    max_rows = 1

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        config, path = (weights.require(key) for key in keys)
        values, checkpoint = load_config(config), load_checkpoint(path)
        with model_errors(path):
            from snac import SNAC

            model = SNAC(**values)
            model.load_state_dict(checkpoint)
        return model

    def check(self, condition: Condition) -> None:
        self.seed = int(condition.params["seed"])
        if (self.model.sampling_rate, self.model.codebook_size) != (self.sample_rate, 1 << BITS):
            raise CodecError("weights_damaged", f"{weights.require(condition.weights[0])} is of another SNAC model.")

    def n_frames(self, n_samples: int) -> int:
        """Of the finest codebook."""
        together: int = math.lcm(self.model.vq_strides[0], self.model.attn_window_size or 1)
        return -(-n_samples // (together * int(self.model.hop_length))) * together

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * int(self.model.hop_length)

    def encode(self, clips: "torch.Tensor", depth: int) -> "list[torch.Tensor]":
        """Codes, coarsest first, each of shape [rows, frames // stride]."""
        return list(self.model.encode(clips[:, None]))[:depth]

    def decode(self, codes: "list[torch.Tensor]", depth: int) -> "torch.Tensor":
        import torch

        devices = [self.torch_device] if self.torch_device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(self.seed)
            audio: torch.Tensor = self.model.decode(codes)
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        strides: list[int] = self.model.vq_strides[:depth]
        return sum(self.n_frames(n_samples) // stride for stride in strides) * BITS


def _snac(rate: int, kbps: str, bps: int, n_quantizers: int) -> Condition:
    return _condition(
        slug=f"snac-{rate}k-{kbps}kbps",
        label=f"SNAC {rate} kHz, {kbps} kbps",
        sample_rate=44_100 if rate == 44 else rate * 1000,
        nominal_bps=bps,
        params={"n_quantizers": n_quantizers, "seed": SEED},
        weights=(f"snac_{rate}khz_config", f"snac_{rate}khz"),
        model=f"snac-{rate}k",
    )


_condition = partial(
    Condition,
    family="SNAC",
    open=Snac,
    licence="MIT",
    packages=("torch", "snac"),
    note="The decoder adds noise, here from a fixed seed. Short clips read well above the nominal rate, since it pads far.",
)

SNAC_24K = _snac(24, "0.98", 984, 3)
SNAC_32K = _snac(32, "1.9", 1_875, 4)
SNAC_44K = _snac(44, "2.6", 2_584, 4)
