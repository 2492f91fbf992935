"""HiFi-Codec of AcademiCodec (Yang et al. 2023, arXiv 2305.02765), its three published models.

Own inference code over the published tensor names. Frames of 320 samples; the latent is cut into two groups and each quantized
twice, so a frame holds 4 codes of 10 bits: 2 kbps at 16 kHz, 3 at 24. As in Codec-SUPERB the clip is brought to a peak of 0.95
before encoding; here that gain is sent along, as 32 bits of side information, and undone.
"""

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.layers import Layer, check_model, nearest, read_model
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

if TYPE_CHECKING:
    import torch

BITS = 10  # of a code: codebooks of 1,024 entries
GAIN_BITS = 32
PEAK = 0.95
STRIDES = (2, 4, 5, 8)
HOP = 320
DILATIONS = (1, 3, 5)
PARTS = ("encoder", "quantizer", "generator")


class AcademiCodec:
    """Encoder, group-residual quantizer and generator."""

    def __init__(self, condition: Condition) -> None:
        path = weights.require(condition.weights[0])
        device = open_device()
        checkpoint = load_checkpoint(path, *PARTS)
        with model_errors(path):
            tensors = {f"{part}.{name}": value for part in PARTS for name, value in checkpoint[part].items()}
            self.model = read_model(tensors, device)
        self.sample_rate, self.device, self.versions = (
            condition.sample_rate,
            describe_device(device),
            {"torch": version("torch")},
        )
        self._device = device
        check_model(path, self.model, lambda: self.code(np.zeros(HOP, np.float32)))

    def code(self, samples: Signal) -> Coded:
        import torch

        gain = PEAK / float(np.abs(samples).max(initial=0) or PEAK)  # silence stays as it is
        try:
            with torch.inference_mode():
                clip = torch.from_numpy(np.pad(samples, (0, -len(samples) % HOP))).to(self._device)[None, None] * gain
                codes, quantized = quantize(self.model["quantizer"], encode(self.model["encoder"], clip))
                decoded = generate(self.model["generator"], quantized) / gain
        except RuntimeError as error:
            raise CodecError("codec_failed", f"AcademiCodec failed: {error}") from error
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=codes.numel() * BITS + GAIN_BITS)


def encode(encoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[1, 1, 320 × frames] to [1, 512, frames]. The sum over a stage's blocks is normalized after each addition."""
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


def quantize(quantizer: Layer, x: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """Codes, shape [4, 1, frames], first both groups' first codes, then their second; and the quantized latent like x."""
    import torch

    residual, codes = x.transpose(1, 2), []
    total = torch.zeros_like(residual)
    for stage in (quantizer["quantizer_modules"], quantizer["quantizer_modules2"]):
        codebooks = [module.tensor("embedding.weight") for module in stage]
        groups = residual.chunk(len(codebooks), -1)
        indices = [nearest(group, codebook) for group, codebook in zip(groups, codebooks, strict=True)]
        chosen = torch.cat([codebook[index] for index, codebook in zip(indices, codebooks, strict=True)], -1)
        residual, total = residual - chosen, total + chosen
        codes += indices
    return torch.stack(codes), total.transpose(1, 2)


def generate(generator: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """HiFi-GAN (Kong et al. 2020, arXiv 2010.05646): [1, 512, frames] to [1, 1, 320 × frames], within ±1."""
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


_condition = partial(Condition, family="HiFi-Codec", open=AcademiCodec, packages=("torch",), params={"peak": PEAK})

HIFICODEC_16K = _condition(
    slug="hificodec-16k-2kbps",
    label="HiFi-Codec 16 kHz, 2 kbps",
    sample_rate=16_000,
    nominal_bps=2_000,
    aliases=("codec-superb:B1",),
    weights=("hificodec_16k_320d",),
)
HIFICODEC_16K_UNIVERSAL = _condition(
    slug="hificodec-16k-universal-2kbps",
    label="HiFi-Codec 16 kHz universal, 2 kbps",
    sample_rate=16_000,
    nominal_bps=2_000,
    aliases=("emo-codec:C", "codec-superb:B2"),
    weights=("hificodec_16k_320d_large_universal",),
)
HIFICODEC_24K = _condition(
    slug="hificodec-24k-3kbps",
    label="HiFi-Codec 24 kHz, 3 kbps",
    sample_rate=24_000,
    nominal_bps=3_000,
    aliases=("codec-superb:B3",),
    weights=("hificodec_24k_320d",),
)
