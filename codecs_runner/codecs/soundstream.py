"""SoundStream at 16 kHz (Zeghidour et al. 2021, arXiv 2107.03312) as trained by kaiidams in ``soundstream-pytorch`` (MIT).

Own inference code over the published tensor names. 50 frames a second, 8 codebooks of 1,024 entries: 4 kbps. Two things are not
done as the repository's own loader does them. That one leaves out the padding the model was trained with and so loses 5,327
samples at either end; here every layer pads as in training. And it goes on learning while it encodes: its codebooks move with
each clip; here they stay as they are in the file.
"""

from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Coded, Condition, Signal
from codecs_runner.layers import Layer, check_model, quantize_residual, read_model
from codecs_runner.neural import as_signal, describe_device, load_checkpoint, model_errors, open_device

if TYPE_CHECKING:
    import torch

BITS = 10  # of a code: codebooks of 1,024 entries
HOP = 320
SHORTFALL = 50  # decoded samples: HOP × (frames − 1) − SHORTFALL, because each stride but the last loses one step
STRIDES = (2, 4, 5, 8)
DILATIONS = (1, 3, 9)
TRAINING = ("wave_discriminators", "stft_discriminator", "rec_loss", "quantizer.running_mean")
COUNTS = ("quantizer.code_count", "quantizer.code_relative_frequency")  # one buffer, renamed between the releases


class SoundStream:
    """The model with its codebooks frozen."""

    def __init__(self, condition: Condition) -> None:
        path = weights.require(condition.weights[0])
        device = open_device()
        checkpoint = load_checkpoint(path, "state_dict")
        with model_errors(path):
            self.model = read_model(checkpoint["state_dict"], device, without=(*TRAINING, *COUNTS))
        self.sample_rate, self.device, self.versions = (
            condition.sample_rate,
            describe_device(device),
            {"torch": version("torch")},
        )
        self._device = device
        check_model(path, self.model, lambda: self.code(np.zeros(HOP, np.float32)))

    def code(self, samples: Signal) -> Coded:
        import torch

        # The clip fills the frames that are sent anyway up to the least number whose decoded length covers it.
        n_frames = -(-(len(samples) + SHORTFALL) // HOP) + 1
        try:
            with torch.inference_mode():
                clip = torch.from_numpy(np.pad(samples, (0, HOP * (n_frames - 1) - len(samples)))).to(self._device)[None, None]
                codes, quantized = quantize_residual(encode(self.model["encoder"], clip), self.model.tensor("quantizer.weight"))
                decoded = decode(self.model["decoder"], quantized)
        except RuntimeError as error:
            raise CodecError("codec_failed", f"SoundStream failed: {error}") from error
        return Coded(as_signal(decoded)[: len(samples)], self.sample_rate, payload_bits=codes.numel() * BITS)


def encode(encoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[1, 1, samples] to [1, dimension, frames], frames = samples // 320 + 1."""
    import torch

    first, *blocks, last = encoder["layers"]
    x = torch.nn.functional.elu(first.conv(x, padding="same"))
    for block, stride in zip(blocks, STRIDES, strict=True):
        *units, down = block["layers"]
        x = torch.nn.functional.elu(down.conv(_residual(units, x), stride=stride, padding=stride))
    return last.conv(x, padding="same")


def decode(decoder: Layer, x: "torch.Tensor") -> "torch.Tensor":
    """[1, dimension, frames] to [1, 1, 320 × (frames − 1) − 50]."""
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


_condition = partial(Condition, family="SoundStream", open=SoundStream, packages=("torch",))

SOUNDSTREAM_4 = _condition(
    slug="soundstream-16k-4kbps",
    label="SoundStream 16 kHz, 4 kbps",
    sample_rate=16_000,
    nominal_bps=4_000,
    aliases=("emo-codec:N",),
    note="Emo-Codec's table says 6 kbps; the repository it names sends 4 (50 frames × 8 codes × 10 bits). Lyra at 6 kbps is "
    "Google's own SoundStream codec at that rate.",
    params={"padding": "same"},
    weights=("soundstream_16khz",),
)
