"""Mimi (Défossez et al. 2024, arXiv 2410.00037), the codec of Moshi, through ``transformers``.

24 kHz, 12.5 frames a second of 1,920 samples, up to 32 codebooks of 11 bits; Moshi uses 8: 1.1 kbps. The first codebook follows
speech content, the others are residual and greedy, so fewer are a prefix. Convolutions and attention look back only: a clip
is padded with zeros to whole frames, and more zeros behind it change nothing within it.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_transformers

if TYPE_CHECKING:
    import torch

HOP = 1_920
BITS = 11  # of a code: codebooks of 2,048 entries


class Mimi(ModelCodec):
    """The published model."""

    name = "Mimi"
    distributions = ("transformers",)
    padding_is_exact = True

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        config, path = (weights.require(key) for key in keys)
        return load_transformers("MimiModel", config, path)

    def check(self, condition: Condition) -> None:
        found = self.model.config
        if (found.sampling_rate, found.codebook_size) != (self.sample_rate, 1 << BITS) or found.num_quantizers < 32:
            raise CodecError("weights_damaged", f"{weights.require(condition.weights[0])} is not of the published Mimi model.")

    def n_frames(self, n_samples: int) -> int:
        return -(-n_samples // HOP)

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * HOP

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        """Codes, shape [rows, depth, frames]."""
        codes: torch.Tensor = self.model.encode(clips[:, None], num_quantizers=depth).audio_codes
        return codes

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        audio: torch.Tensor = self.model.decode(codes[:, :depth]).audio_values
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS


_condition = partial(
    Condition,
    family="Mimi",
    open=Mimi,
    sample_rate=24_000,
    licence="Apache-2.0 (transformers); MIT (its authors')",
    packages=("torch", "transformers"),
    weights=("mimi_config", "mimi"),
    model="mimi",
)

MIMI_1_1 = _condition(slug="mimi-1.1kbps", label="Mimi 1.1 kbps", nominal_bps=1_100, params={"n_quantizers": 8})
MIMI_2_2 = _condition(slug="mimi-2.2kbps", label="Mimi 2.2 kbps", nominal_bps=2_200, params={"n_quantizers": 16})
MIMI_4_4 = _condition(slug="mimi-4.4kbps", label="Mimi 4.4 kbps", nominal_bps=4_400, params={"n_quantizers": 32})
