"""HiFi-Codec of AcademiCodec (Yang et al. 2023, arXiv 2305.02765), its three published models.

Own inference code over the published tensor names. Frames of 320 samples; the latent is cut into two groups and each quantized
twice, so a frame holds 4 codes of 10 bits: 2 kbps at 16 kHz, 3 at 24. As in Codec-SUPERB the clip is brought to a peak of 0.95
before encoding; here that gain is sent along, as 32 bits of side information, and undone.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.layer_codec import LayerCodec
from codecs_runner.layers import Layer, nearest, read_model
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

PEAK = 0.95
HOP = 320
STRIDES = (2, 4, 5, 8)
DILATIONS = (1, 3, 5)
GROUPS = 2
PARTS = ("encoder", "quantizer", "generator")


class AcademiCodec(LayerCodec):
    """Encoder, group-residual quantizer and generator."""

    name = "HiFi-Codec"
    side_bits = 32  # of the gain

    @classmethod
    def load(cls, keys: Sequence[str]) -> Layer:
        path = weights.require(keys[0])
        checkpoint = load_checkpoint(path, *PARTS)
        with model_errors(path):
            return read_model({f"{part}.{name}": value for part in PARTS for name, value in checkpoint[part].items()})

    def codebooks(self) -> "Sequence[torch.Tensor]":
        stages = (self.model["quantizer.quantizer_modules"], self.model["quantizer.quantizer_modules2"])
        return [module.tensor("embedding.weight") for stage in stages for module in stage]

    def n_frames(self, n_samples: int) -> int:
        return -(-n_samples // HOP)

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * HOP

    def encode(self, clips: "torch.Tensor", depth: int) -> "tuple[torch.Tensor, torch.Tensor]":
        peak = clips.abs().amax(1, keepdim=True)
        gain = (PEAK / peak).where(peak > 0, 1.0)  # silence stays as it is
        return quantize(encode(self.model["encoder"], (clips * gain)[:, None]), self.codebooks()[:depth]), gain

    def decode(self, codes: "tuple[torch.Tensor, torch.Tensor]", depth: int) -> "torch.Tensor":
        indices, gain = codes
        return generate(self.model["generator"], dequantize(indices[:, :depth], self.codebooks()))[:, 0] / gain


def encode(encoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[rows, 1, 320 × frames] to [rows, 512, frames]. The sum over a stage's blocks is normalized after each addition."""
    import torch

    leaky = torch.nn.functional.leaky_relu
    x = encoder["conv_pre"].conv(x, padding=3)
    blocks, norms = list(encoder["resblocks"]), list(encoder["normalize"])
    per_stage = len(blocks) // len(STRIDES)
    for stage, (down, stride) in enumerate(zip(encoder["ups"], STRIDES, strict=True)):
        x = down.conv(leaky(x, 0.1), stride=stride, padding=_margin(down, stride))
        total = torch.zeros_like(x)
        for index in range(stage * per_stage, (stage + 1) * per_stage):
            total = norms[index].group_norm(total + _residual(blocks[index], x), groups=x.shape[1] // 16, epsilon=1e-6)
        x = total / per_stage
    return encoder["conv_post"].conv(leaky(x, 0.01), padding=1)


def quantize(x: "torch.Tensor", codebooks: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """Group-residual quantization: each group of channels by itself, then what is left of each group again.

    Returns:
        Codes, shape [rows, 4, frames]: the first of each group, then the second of each.
    """
    import torch

    residuals = list(x.transpose(1, 2).chunk(GROUPS, -1))
    codes = []
    for number, codebook in enumerate(codebooks):
        group = number % GROUPS
        codes.append(nearest(residuals[group], codebook))
        residuals[group] = residuals[group] - codebook[codes[-1]]
    return torch.stack(codes, 1)


def dequantize(codes: "torch.Tensor", codebooks: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """The groups' sums side by side, shape [rows, channels, frames]."""
    import torch

    chosen = [codebook[code] for code, codebook in zip(codes.unbind(1), codebooks, strict=True)]
    stages = [torch.cat(chosen[start : start + GROUPS], -1) for start in range(0, len(chosen), GROUPS)]
    return torch.stack(stages).sum(0).transpose(1, 2)


def generate(generator: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """HiFi-GAN (Kong et al. 2020, arXiv 2010.05646): [rows, 512, frames] to [rows, 1, 320 × frames], within ±1."""
    import torch

    leaky = torch.nn.functional.leaky_relu
    x = generator["conv_pre"].conv(x, padding=3)
    blocks = list(generator["resblocks"])
    per_stage = len(blocks) // len(STRIDES)
    for stage, (up, stride) in enumerate(zip(generator["ups"], reversed(STRIDES), strict=True)):
        x = up.conv_transpose(leaky(x, 0.1), stride=stride, padding=_margin(up, stride))
        total = torch.zeros_like(x)
        for block in blocks[stage * per_stage : (stage + 1) * per_stage]:
            total = total + _residual(block, x)
        x = total / per_stage
    return torch.tanh(generator["conv_post"].conv(leaky(x, 0.1), padding=3))


def _residual(block: Layer, x: "torch.Tensor") -> "torch.Tensor":
    import torch

    leaky = torch.nn.functional.leaky_relu
    for first, second, dilation in zip(block["convs1"], block["convs2"], DILATIONS, strict=True):
        inner = first.conv(leaky(x, 0.1), dilation=dilation, padding="same")
        x = x + second.conv(leaky(inner, 0.1), padding="same")
    return x


def _margin(layer: Layer, stride: int) -> int:
    """Padding that makes a strided layer change the length by its stride exactly: (kernel − stride) / 2."""
    return (int(layer.tensor("weight").shape[-1]) - stride) // 2


_condition = partial(
    Condition,
    family="HiFi-Codec",
    open=AcademiCodec,
    packages=("torch",),
    params={"n_quantizers": 4},
    licence="own code; the original's is MIT by its readme",
)

HIFICODEC_16K = _condition(
    slug="hificodec-16k-2kbps",
    label="HiFi-Codec 16 kHz, 2 kbps",
    sample_rate=16_000,
    nominal_bps=2_000,
    aliases=("codec-superb:B1",),
    weights=("hificodec_16k_320d",),
    model="hificodec_16k_320d",
)
HIFICODEC_16K_UNIVERSAL = _condition(
    slug="hificodec-16k-universal-2kbps",
    label="HiFi-Codec 16 kHz universal, 2 kbps",
    sample_rate=16_000,
    nominal_bps=2_000,
    aliases=("emo-codec:C", "codec-superb:B2"),
    weights=("hificodec_16k_320d_large_universal",),
    model="hificodec_16k_320d_large_universal",
)
HIFICODEC_24K = _condition(
    slug="hificodec-24k-3kbps",
    label="HiFi-Codec 24 kHz, 3 kbps",
    sample_rate=24_000,
    nominal_bps=3_000,
    aliases=("codec-superb:B3",),
    weights=("hificodec_24k_320d",),
    model="hificodec_24k_320d",
)
