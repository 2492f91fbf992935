"""SoundStream at 16 kHz (Zeghidour et al. 2021, arXiv 2107.03312) as trained by kaiidams in ``soundstream-pytorch`` (MIT).

Own inference code over the published tensor names. 50 frames a second, 8 codebooks of 1,024 entries: 4 kbps. Two things are not
done as the repository's own loader does them. That one leaves out the padding the model was trained with and so loses 5,327
samples at either end; here every layer pads as in training. And it goes on learning while it encodes: its codebooks move with
each clip; here they stay as they are in the file.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.layer_codec import LayerCodec
from codecs_runner.layers import Layer, dequantize, quantize_residual, read_model
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

HOP = 320
SHORTFALL = 50  # decoded samples: HOP × (frames − 1) − SHORTFALL, because each stride but the last loses one step
STRIDES = (2, 4, 5, 8)
DILATIONS = (1, 3, 9)
TRAINING = ("wave_discriminators", "stft_discriminator", "rec_loss", "quantizer.running_mean")
COUNTS = ("quantizer.code_count", "quantizer.code_relative_frequency")  # one buffer, renamed between the releases


class SoundStream(LayerCodec):
    """The model with its codebooks frozen."""

    name = "SoundStream"

    @classmethod
    def load(cls, keys: Sequence[str]) -> Layer:
        path = weights.require(keys[0])
        checkpoint = load_checkpoint(path, "state_dict")
        with model_errors(path):
            return read_model(checkpoint["state_dict"], without=(*TRAINING, *COUNTS))

    def codebooks(self) -> "Sequence[torch.Tensor]":
        return list(self.model.tensor("quantizer.weight"))

    def n_frames(self, n_samples: int) -> int:
        """The least number whose decoded length covers the clip."""
        return -(-(n_samples + SHORTFALL) // HOP) + 1

    def padded(self, n_samples: int) -> int:
        return HOP * (self.n_frames(n_samples) - 1)

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        return quantize_residual(encode(self.model["encoder"], clips[:, None]), self.codebooks()[:depth])

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        return decode(self.model["decoder"], dequantize(codes[:, :depth], self.codebooks()))[:, 0]


def encode(encoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[rows, 1, samples] to [rows, dimension, frames], frames = samples // 320 + 1."""
    import torch

    first, *blocks, last = encoder["layers"]
    x = torch.nn.functional.elu(first.conv(x, padding="same"))
    for block, stride in zip(blocks, STRIDES, strict=True):
        *units, down = block["layers"]
        x = torch.nn.functional.elu(down.conv(_residual(units, x), stride=stride, padding=stride))
    return last.conv(x, padding="same")


def decode(decoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[rows, dimension, frames] to [rows, 1, 320 × (frames − 1) − 50]."""
    import torch

    first, *blocks, last = decoder["layers"]
    x = torch.nn.functional.elu(first.conv(x, padding="same"))
    for block, stride in zip(blocks, reversed(STRIDES), strict=True):
        up, *units = block["layers"]
        x = _residual(units, torch.nn.functional.elu(up.conv_transpose(x, stride=stride, padding=stride)))
    return torch.tanh(last.conv(x, padding="same"))


def _residual(units: list[Layer], x: "torch.Tensor") -> "torch.Tensor":
    import torch

    for unit, dilation in zip(units, DILATIONS, strict=True):
        inner = torch.nn.functional.elu(unit["conv0"].conv(x, dilation=dilation, padding="same"))
        x = torch.nn.functional.elu(x + unit["conv1"].conv(inner))
    return x


SOUNDSTREAM_4 = Condition(
    family="SoundStream",
    open=SoundStream,
    packages=("torch",),
    licence="own code; the original's is MIT",
    slug="soundstream-16k-4kbps",
    label="SoundStream 16 kHz, 6 → 4 kbps",
    sample_rate=16_000,
    nominal_bps=6_000,
    true_bps=4_000,
    aliases=("emo-codec:N",),
    note="Emo-Codec's table says 6 kbps; the repository it names sends 4 (50 frames × 8 codes × 10 bits). Lyra at 6 kbps is "
    "Google's own SoundStream codec at that rate.",
    params={"n_quantizers": 8},
    weights=("soundstream_16khz",),
    model="soundstream_16khz",
)
