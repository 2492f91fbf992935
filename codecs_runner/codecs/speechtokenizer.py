"""SpeechTokenizer (Zhang et al. 2023, arXiv 2308.16692) through its authors' package ``speechtokenizer``.

50 frames a second, 8 codebooks of 10 bits: 4 kbps at 16 kHz. The encoder's recurrent layers run in both directions, so zeros behind
a clip would change all of it: the clip is given as it is, and the model's own padding fills the last frame.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import load_checkpoint, load_config, model_errors

if TYPE_CHECKING:
    import torch

HOP = 320
BITS = 10  # of a code: codebooks of 1,024 entries


class SpeechTokenizer(ModelCodec):
    """The model trained with the average of HuBERT's layers."""

    name = "SpeechTokenizer"
    distributions = ("speechtokenizer",)

    @classmethod
    def load(cls, keys: Sequence[str]) -> Any:
        config, path = (weights.require(key) for key in keys)
        values, checkpoint = load_config(config), load_checkpoint(path)
        with model_errors(path):
            from speechtokenizer import SpeechTokenizer as Model

            model = Model(values)
            model.load_state_dict(checkpoint)
        return model

    def n_frames(self, n_samples: int) -> int:
        return -(-n_samples // HOP)

    def padded(self, n_samples: int) -> int:
        return n_samples

    def encode(self, clips: "torch.Tensor", depth: int) -> "torch.Tensor":
        """Codes, shape [depth, rows, frames]."""
        codes: torch.Tensor = self.model.encode(clips[:, None], n_q=depth)
        return codes

    def decode(self, codes: "torch.Tensor", depth: int) -> "torch.Tensor":
        audio: torch.Tensor = self.model.decode(codes[:depth])
        return audio[:, 0]

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS


_condition = partial(
    Condition,
    family="SpeechTokenizer",
    open=SpeechTokenizer,
    sample_rate=16_000,
    licence="Apache-2.0",
    packages=("torch", "speechtokenizer"),
    weights=("speechtokenizer_config", "speechtokenizer"),
    model="speechtokenizer",
)

SPEECHTOKENIZER_4 = _condition(
    slug="speechtokenizer-4kbps",
    label="SpeechTokenizer 4 kbps",
    nominal_bps=4_000,
    aliases=("emo-codec:S", "codec-superb:A"),
    params={"n_quantizers": 8},
)
SPEECHTOKENIZER_2 = _condition(
    slug="speechtokenizer-2kbps",
    label="SpeechTokenizer 2 kbps",
    nominal_bps=2_000,
    params={"n_quantizers": 4},
    note="The same model with its first codebooks only.",
)
