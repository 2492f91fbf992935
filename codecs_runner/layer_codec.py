"""What the codecs share whose models are functions over a checkpoint's tensors, because no package holds them."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from codecs_runner import weights
from codecs_runner.codecs.base import Condition
from codecs_runner.layers import Layer
from codecs_runner.model_codec import ModelCodec
from codecs_runner.neural import model_errors

if TYPE_CHECKING:
    import torch

BITS = 10  # of a code: every one of these has codebooks of 1,024 entries


class LayerCodec(ModelCodec):
    """A `ModelCodec` over a `Layer`: refuses a checkpoint that has a tensor less or more than the codec computes with."""

    distributions = ()
    side_bits: ClassVar[int] = 0  # sent once for each clip beside the codes
    model: Layer

    @abstractmethod
    def codebooks(self) -> "Sequence[torch.Tensor]":
        """In the order of the codes, each of shape [1024, dimension]."""

    def payload_bits(self, n_samples: int, depth: int) -> int:
        return self.n_frames(n_samples) * depth * BITS + self.side_bits

    def check(self, condition: Condition) -> None:
        """Code a tenth of a second of silence; raises CodecError ``weights_damaged`` with the file's name."""
        import torch

        depth = int(condition.params["n_quantizers"])
        paths = " or ".join(str(weights.require(key)) for key in condition.weights)
        with model_errors(paths), torch.inference_mode():
            if [len(codebook) for codebook in self.codebooks()] != [1 << BITS] * depth:
                raise ValueError(f"{condition.slug} has {depth} codebooks of {1 << BITS} entries")
            n_samples = self.sample_rate // 10
            sent = self.encode(torch.zeros(1, self.padded(n_samples), device=self.torch_device), depth)
            codes = sent[0] if isinstance(sent, tuple) else sent
            if codes.shape[-1] != self.n_frames(n_samples):
                raise ValueError(f"{codes.shape[-1]} frames, not {self.n_frames(n_samples)}")
            self.decode(sent, depth)
            if self.model.unused():
                raise KeyError(f"{self.model.unused()[0]} is not part of it")
