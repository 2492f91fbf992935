"""X-codec2 (Ye et al. 2025, arXiv 2502.04128) through ``transformers``.

16 kHz, 50 frames a second, one codebook of 65,536 entries: 800 bit/s. A speech model (w2v-BERT 2.0) and a convolutional encoder
see the whole clip, so nothing may be padded but what the model's own feature extractor pads: one sample, then to whole frames of
320. One clip at a time.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import CodecError, Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_transformers

if TYPE_CHECKING:
    import torch

HOP = 320
BITS = 16


class Xcodec2(ModelCodec):
    """The published model."""

    name = "X-codec2"
    distributions = ("transformers", "torchaudio")
    max_rows = 1

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        config, path = (weights.require(key) for key in keys)
        return load_transformers("Xcodec2Model", config, path)

    def check(self, condition: Condition) -> None:
        found = self.model.config
        n_codes = 1
        for levels in found.quantization_levels:
            n_codes *= levels
        if (found.sampling_rate, int(found.hop_length), n_codes) != (self.sample_rate, HOP, 1 << BITS):
            raise CodecError(
                "weights_damaged", f"{weights.require(condition.weights[0])} is not of the published X-codec2 model."
            )

    def n_frames(self, n_samples: int) -> int:
        return n_samples // HOP + 1

    def padded(self, n_samples: int) -> int:
        return n_samples

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        """Codes, shape [rows, 1, frames]."""
        from transformers import Xcodec2FeatureExtractor

        extract = Xcodec2FeatureExtractor()  # type: ignore[no-untyped-call]  # the published model's settings are its defaults
        features = extract(audio=[clip.cpu().numpy() for clip in clips], sampling_rate=self.sample_rate, return_tensors="pt")
        codes: torch.Tensor = self.model.encode(**features.to(clips.device)).audio_codes
        return codes

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        audio: torch.Tensor = self.model.decode(codes).audio_values
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * BITS


XCODEC2 = Condition(
    slug="xcodec2-0.8kbps",
    family="X-codec2",
    label="X-codec2 0.8 kbps",
    open=Xcodec2,
    sample_rate=16_000,
    nominal_bps=800,
    licence="Apache-2.0 (transformers); MIT (its authors')",
    params={"n_quantizers": 1},
    packages=("torch", "torchaudio", "transformers"),
    weights=("xcodec2_config", "xcodec2"),
    model="xcodec2",
)
