"""AudioDec at 24 kHz (Wu et al. 2023, arXiv 2305.16608), the model ``symAD_libritts_24000_hop300`` with either of its decoders.

Own inference code over the published tensor names and configuration; the repository's code and weights are for non-commercial use
(CC-BY-NC 4.0). 80 frames of 300 samples a second, 8 codebooks of 1,024 entries: 6.4 kbps. Everything is causal. The repository's
streaming classes keep the end of each clip as the past of the next; here each clip starts from what the layers were trained with:
zeros before a convolution, the first frame repeated before a transposed one.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.layer_codec import LayerCodec
from codecs_runner.layers import Layer, dequantize, quantize_residual, read_model
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

HOP = 300
STRIDES = (3, 4, 5, 5)
DILATIONS = (1, 3, 9)  # of the autoencoder's residual units
VOCODER_DILATIONS = (1, 3, 5)
TRAINING = ("pad_buffer", "cluster_size", "embed_avg")  # streaming state and the statistics codebooks were learnt with
ENCODING = ("encoder", "projector", "quantizer")


class AudioDec(LayerCodec):
    """Encoder and quantizer of the autoencoder, and the decoder of the second file: the autoencoder's own, or a vocoder."""

    name = "AudioDec"
    padding_is_exact = True

    @classmethod
    def load(cls, keys: Sequence[str]) -> Layer:
        tensors: dict[str, torch.Tensor] = {}
        # The encoder's file holds a decoder too, of an earlier step, and the symmetric decoder's an encoder.
        for key, others in zip(keys, ("decoder.", tuple(f"{part}." for part in ENCODING)), strict=True):
            path = weights.require(key)
            checkpoint = load_checkpoint(path, "model")
            with model_errors(path):
                found = checkpoint["model"]["generator"]
                tensors |= {name: tensor for name, tensor in found.items() if not name.startswith(others)}
        with model_errors(path):
            return read_model(tensors, without=TRAINING)

    def codebooks(self) -> "Sequence[torch.Tensor]":
        return [layer.tensor("embed").T for layer in self.model["quantizer.codebook.layers"]]

    def n_frames(self, n_samples: int) -> int:
        return -(-n_samples // HOP)

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * HOP

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        return quantize_residual(encode(self.model, clips[:, None]), self.codebooks()[:depth])

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        quantized = dequantize(codes[:, :depth], self.codebooks())
        return DECODERS[str(self.condition.params["decoder"])](self.model, quantized)[:, 0]


def encode(model: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[rows, 1, samples] to [rows, 64, ceil(samples / 300)]."""
    x = _causal(model["encoder.conv"], x, bias=False)
    for block, stride in zip(model["encoder.conv_blocks"], STRIDES, strict=True):
        x = _causal(block["conv"], _residual(block["res_units"], x), stride=stride)
    return _causal(model["projector.project"], x, bias=False)


def decode(model: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """The symmetric decoder: [rows, 64, frames] to [rows, 1, 300 × frames]."""
    x, decoder = _causal(model["decoder.conv1"], x, bias=False), model["decoder"]
    for block, stride in zip(decoder["conv_blocks"], reversed(STRIDES), strict=True):
        x = _residual(block["res_units"], _causal_transpose(block["conv"], x, stride))
    return _causal(decoder["conv2"], x, bias=False)


def vocode(vocoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """The causal HiFi-GAN with grouped convolutions: [rows, 64, frames] to [rows, 1, 300 × frames], within ±1."""
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


DECODERS = {"symmetric": decode, "vocoder": vocode}


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


_condition = partial(
    Condition,
    family="AudioDec",
    open=AudioDec,
    sample_rate=24_000,
    nominal_bps=6_400,
    packages=("torch",),
    licence="own code; the original's is CC-BY-NC 4.0",
)

AUDIODEC_SYMMETRIC = _condition(
    slug="audiodec-24k-6.4kbps-sym",
    label="AudioDec 24 kHz, 6.4 kbps (symmetric decoder)",
    aliases=("emo-codec:U",),
    note="Emo-Codec names the autoencoder and no vocoder; which decoder it used is not stated. Hop 300, not 320.",
    params={"n_quantizers": 8, "decoder": "symmetric"},
    model="audiodec_symmetric",
    weights=("audiodec_encoder", "audiodec_symmetric"),
)
AUDIODEC_VOCODER = _condition(
    slug="audiodec-24k-6.4kbps",
    label="AudioDec 24 kHz, 6.4 kbps (vocoder)",
    aliases=("codec-superb:C",),
    note="Codec-SUPERB calls it 24k_320d though its hop is 300, and decodes with the vocoder AudioDec_v1.",
    params={"n_quantizers": 8, "decoder": "vocoder"},
    model="audiodec_vocoder",
    weights=("audiodec_encoder", "audiodec_vocoder"),
)
