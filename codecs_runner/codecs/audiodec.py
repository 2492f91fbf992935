"""AudioDec at 24 kHz (Wu et al. 2023, arXiv 2305.16608), the model ``symAD_libritts_24000_hop300`` with either of its decoders.

Own inference code over the published tensor names and configuration; the repository's code and weights are for non-commercial use
(CC-BY-NC 4.0). 80 frames of 300 samples a second, 8 codebooks of 1,024 entries: 6.4 kbps. Everything is causal. The repository's
streaming classes keep the end of each clip as the past of the next; here each clip starts from what the layers were trained with:
zeros before a convolution, the first frame repeated before a transposed one.
"""

from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.layers import Layer, check_model, quantize_residual, read_model
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

if TYPE_CHECKING:
    import torch

BITS = 10  # of a code: codebooks of 1,024 entries
HOP = 300
STRIDES = (3, 4, 5, 5)
DILATIONS = (1, 3, 9)  # of the autoencoder's residual units
VOCODER_DILATIONS = (1, 3, 5)
TRAINING = ("pad_buffer", "cluster_size", "embed_avg")  # streaming state and the statistics codebooks were learnt with
ENCODING = ("encoder", "projector", "quantizer")


class AudioDec:
    """Encoder and quantizer of the autoencoder, and the decoder that the condition names."""

    def __init__(self, condition: Condition) -> None:
        self.symmetric = condition.params["decoder"] == "symmetric"
        device = open_device()
        encoder_path, decoder_path = (weights.require(key) for key in condition.weights)
        self.encoder, self.decoder = (
            read_model(_generator(path), device, without=without)
            for path, without in (
                (encoder_path, ("decoder", *TRAINING)),
                (decoder_path, (*(ENCODING if self.symmetric else ()), *TRAINING)),
            )
        )
        self.sample_rate, self.device, self.versions = (
            condition.sample_rate,
            describe_device(device),
            {"torch": version("torch")},
        )
        self._device = device
        check_model(encoder_path, self.encoder, lambda: self._encode(np.zeros(HOP, np.float32)))
        check_model(decoder_path, self.decoder, lambda: self.code(np.zeros(HOP, np.float32)))

    def code(self, samples: Signal) -> Coded:
        import torch

        try:
            with torch.inference_mode():
                codes, quantized = self._encode(samples)
                decoded = decode(self.decoder["decoder"], quantized) if self.symmetric else vocode(self.decoder, quantized)
        except RuntimeError as error:
            raise CodecError("codec_failed", f"AudioDec failed: {error}") from error
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=codes.numel() * BITS)

    def _encode(self, samples: Signal) -> "tuple[torch.Tensor, torch.Tensor]":
        import torch

        clip = torch.from_numpy(np.pad(samples, (0, -len(samples) % HOP))).to(self._device)[None, None]
        latent = _causal(self.encoder["projector"]["project"], encode(self.encoder["encoder"], clip), bias=False)
        codebooks = [layer.tensor("embed").T for layer in self.encoder["quantizer"]["codebook"]["layers"]]
        return quantize_residual(latent, codebooks)


def encode(encoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[1, 1, samples] to [1, channels, ceil(samples / 300)]."""
    x = _causal(encoder["conv"], x, bias=False)
    for block, stride in zip(encoder["conv_blocks"], STRIDES, strict=True):
        x = _causal(block["conv"], _residual(block["res_units"], x), stride=stride)
    return x


def decode(decoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """The symmetric decoder: [1, 64, frames] to [1, 1, 300 × frames]."""
    x = _causal(decoder["conv1"], x, bias=False)
    for block, stride in zip(decoder["conv_blocks"], reversed(STRIDES), strict=True):
        x = _residual(block["res_units"], _causal_transpose(block["conv"], x, stride))
    return _causal(decoder["conv2"], x, bias=False)


def vocode(vocoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """The causal HiFi-GAN with grouped convolutions: [1, 64, frames] to [1, 1, 300 × frames], within ±1."""
    import torch

    leaky = torch.nn.functional.leaky_relu
    x = (x - vocoder.tensor("mean")[:, None]) / vocoder.tensor("scale")[:, None]
    x = _causal(vocoder["input_conv"], x)
    for up, block, stride in zip(vocoder["upsamples"], vocoder["blocks"], reversed(STRIDES), strict=True):
        x = _causal_transpose(up, leaky(x, 0.1), stride)
        x = x.repeat(1, block["conv_out"].tensor("weight").shape[1] // x.shape[1], 1)  # one copy for each group
        for first, second, dilation in zip(block["convs1"], block["convs2"], VOCODER_DILATIONS, strict=True):
            x = x + _causal(second, leaky(_causal(first, leaky(x, 0.1), dilation=dilation), 0.1))
        x = block["conv_out"].conv(x, bias=False)
    return torch.tanh(_causal(vocoder["output_conv"], leaky(x, 0.01)))


def _residual(units: Layer, x: "torch.Tensor") -> "torch.Tensor":
    import torch

    elu = torch.nn.functional.elu
    for unit, dilation in zip(units, DILATIONS, strict=True):
        inner = elu(_causal(unit["conv1"], elu(x), dilation=dilation, bias=False))
        x = x + unit["conv2"].conv(inner, bias=False)
    return x


def _causal(layer: Layer, x: "torch.Tensor", stride: int = 1, dilation: int = 1, bias: bool = True) -> "torch.Tensor":
    import torch

    conv = layer["conv"]
    past = (conv.tensor("weight").shape[-1] - 1) * dilation
    return conv.conv(torch.nn.functional.pad(x, (past, 0)), stride=stride, dilation=dilation, bias=bias)


def _causal_transpose(layer: Layer, x: "torch.Tensor", stride: int) -> "torch.Tensor":
    import torch

    past = torch.cat([x[..., :1], x], -1)
    return layer["deconv"].conv_transpose(past, stride=stride)[..., stride:-stride]


def _generator(path: Path) -> "dict[str, torch.Tensor]":
    """The tensors in one of the authors' checkpoints: ``{"model": {"generator": …}, …}``."""
    checkpoint = load_checkpoint(path, "model")
    with model_errors(path):
        generator: dict[str, torch.Tensor] = checkpoint["model"]["generator"]
        return generator


_condition = partial(
    Condition,
    family="AudioDec",
    open=AudioDec,
    sample_rate=24_000,
    nominal_bps=6_400,
    packages=("torch",),
)

AUDIODEC_SYMMETRIC = _condition(
    slug="audiodec-24k-6.4kbps-sym",
    label="AudioDec 24 kHz, 6.4 kbps (symmetric decoder)",
    aliases=("emo-codec:U",),
    note="Emo-Codec names the autoencoder and no vocoder; which decoder it used is not stated. Hop 300, not 320.",
    params={"decoder": "symmetric"},
    weights=("audiodec_encoder", "audiodec_symmetric"),
)
AUDIODEC_VOCODER = _condition(
    slug="audiodec-24k-6.4kbps",
    label="AudioDec 24 kHz, 6.4 kbps (vocoder)",
    aliases=("codec-superb:C",),
    note="Codec-SUPERB calls it 24k_320d though its hop is 300, and decodes with the vocoder AudioDec_v1.",
    params={"decoder": "vocoder"},
    weights=("audiodec_encoder", "audiodec_vocoder"),
)
