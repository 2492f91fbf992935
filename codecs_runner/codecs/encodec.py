"""EnCodec (Défossez et al. 2022, arXiv 2210.13438) through its authors' package ``encodec``.

24 kHz: 75 frames a second, 10 bits for each codebook, 2 to 32 codebooks. Causal and without delay. A clip is padded with zeros to
whole frames of 320 samples before it is encoded, so more zeros behind it change nothing within it.

48 kHz: a stereo model over segments of a second that overlap by 1 %, each divided by its own RMS, which is sent along as a 32-bit
number. 150 frames a second, 2 to 16 codebooks. Our clips have one channel: it is given to both, and the mean of both is taken
back. Segments are cut first and never padded, because the model is not causal and normalises over time.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_checkpoint, model_errors

if TYPE_CHECKING:
    import torch

HOP = 320  # samples in a frame, in both models
BITS = 10  # of a code: codebooks of 1,024 entries
SCALE_BITS = 32  # of a segment's RMS


def _load(key: str, model_name: str) -> Any:
    path = weights.require(key)
    checkpoint = load_checkpoint(path)
    with model_errors(path):
        from encodec.model import EncodecModel

        model = getattr(EncodecModel, model_name)(pretrained=False)
        model.load_state_dict(checkpoint)
    return model


class Encodec24k(ModelCodec):
    """The causal model at 24 kHz."""

    name = "EnCodec"
    distributions = ("encodec",)
    padding_is_exact = True

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        return _load(keys[0], "encodec_model_24khz")

    def n_frames(self, n_samples: int) -> int:
        return -(-n_samples // HOP)

    def padded(self, n_samples: int) -> int:
        return self.n_frames(n_samples) * HOP

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        """Codes, shape [depth, rows, frames]."""
        codes: torch.Tensor = self.model.quantizer.vq.encode(self.model.encoder(clips[:, None]), n_q=depth)
        return codes

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        audio: torch.Tensor = self.model.decoder(self.model.quantizer.decode(codes[:depth]))
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS


class Encodec48k(ModelCodec):
    """The stereo model at 48 kHz, with one channel in both."""

    name = "EnCodec"
    distributions = ("encodec",)

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        return _load(keys[0], "encodec_model_48khz")

    def segments(self, n_samples: int) -> list[int]:
        """Lengths of the segments that a clip is cut into, all full but the last one or two."""
        return [min(self.model.segment_length, n_samples - start) for start in range(0, n_samples, self.model.segment_stride)]

    def n_frames(self, n_samples: int) -> int:
        return sum(-(-length // HOP) for length in self.segments(n_samples))

    def padded(self, n_samples: int) -> int:
        return n_samples

    def encode(self, clips: "torch.Tensor", depth: int) -> list[tuple["torch.Tensor", "torch.Tensor"]]:
        """For each segment codes, shape [rows, depth, frames], and scale, shape [rows, 1]."""
        import torch

        self.model.bandwidth = depth * BITS * self.model.frame_rate / 1000
        stereo, lengths, stride = clips[:, None].expand(-1, 2, -1), self.segments(clips.shape[-1]), self.model.segment_stride
        cut = [stereo[..., i * stride : i * stride + length] for i, length in enumerate(lengths)]
        together = self._together(len(clips))
        encoded: list[tuple[torch.Tensor, torch.Tensor]] = []
        while len(encoded) < len(cut):
            alike = cut[len(encoded) : len(encoded) + together]
            alike = [segment for segment in alike if segment.shape == alike[0].shape]
            codes, scales = self.model._encode_frame(torch.cat(alike))
            encoded += zip(codes.split(len(clips)), scales.split(len(clips)), strict=True)
        return encoded

    def decode(self, codes: list[tuple["torch.Tensor", "torch.Tensor"]], depth: int) -> "torch.Tensor":
        import torch
        from encodec.utils import _linear_overlap_add

        rows = len(codes[0][1])
        together = self._together(rows)
        frames: list[torch.Tensor] = []
        while len(frames) < len(codes):
            alike = codes[len(frames) : len(frames) + together]
            alike = [segment for segment in alike if segment[0].shape == alike[0][0].shape]
            batch = torch.cat([segment[:, :depth] for segment, _ in alike]), torch.cat([scale for _, scale in alike])
            frames += self.model._decode_frame(batch).split(rows)
        audio: torch.Tensor = _linear_overlap_add(frames, self.model.segment_stride)
        return audio.mean(dim=1)

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS + len(self.segments(n_samples)) * SCALE_BITS

    def _together(self, rows: int) -> int:
        """Segments coded at a time: one on a CPU, many on a GPU."""
        return max(1, self.batch_size // rows)


_24k = partial(
    Condition,
    family="EnCodec",
    open=Encodec24k,
    sample_rate=24_000,
    licence="MIT",
    packages=("torch", "encodec"),
    weights=("encodec_24khz",),
    model="encodec-24k",
)
_48k = partial(
    Condition,
    family="EnCodec 48 kHz",
    open=Encodec48k,
    sample_rate=48_000,
    licence="MIT",
    packages=("torch", "encodec"),
    weights=("encodec_48khz",),
    model="encodec-48k",
    note="A stereo model: both channels get the clip, and the rate is that of both. The true rate counts the 1 % by which segments "
    "overlap, and their scales.",
)


def _at_24k(kbps: str, n_quantizers: int, letter: str) -> Condition:
    return _24k(
        slug=f"encodec-24k-{kbps}kbps",
        label=f"EnCodec 24 kHz, {kbps} kbps",
        nominal_bps=750 * n_quantizers,
        aliases=(f"emo-codec:{letter}", f"codec-superb:{letter}"),
        params={"n_quantizers": n_quantizers},
    )


def _at_48k(kbps: str, n_quantizers: int) -> Condition:
    true_bps = round((1_500 * n_quantizers + SCALE_BITS) / 0.99)  # a segment of a second starts every 0.99 s
    return _48k(
        slug=f"encodec-48k-{kbps}kbps",
        label=f"EnCodec 48 kHz, {kbps} → {true_bps / 1000:.2f} kbps",
        nominal_bps=1_500 * n_quantizers,
        true_bps=true_bps,
        params={"n_quantizers": n_quantizers},
    )


ENCODEC_1_5 = _at_24k("1.5", 2, "E1")
ENCODEC_3 = _at_24k("3", 4, "E2")
ENCODEC_6 = _at_24k("6", 8, "E3")
ENCODEC_12 = _at_24k("12", 16, "E4")
ENCODEC_24 = _at_24k("24", 32, "E5")

ENCODEC_48K_3 = _at_48k("3", 2)
ENCODEC_48K_6 = _at_48k("6", 4)
ENCODEC_48K_12 = _at_48k("12", 8)
ENCODEC_48K_24 = _at_48k("24", 16)
