"""The networks that learn to weigh an upstream's layers and to hear emotions in them, as EMO-SUPERB and S3PRL build them.

Both start with one softmax weight for each layer and a projection to 256 dimensions. Padding never reaches a result: what a clip
gets does not depend on the batch it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.labels import FloatArray
from analysis.ser.downstreams.base import Arrays, Downstream, Predict
from analysis.ser.downstreams.fitting import train_network
from analysis.ser.errors import SerError
from analysis.ser.torch_device import open_device
from analysis.ser.upstreams import Layers

if TYPE_CHECKING:
    import torch

PROJECTED, HIDDEN, KERNEL, POOL, DROPOUT = 256, 80, 5, 5, 0.4

#: A network's parts for a number of emotions, and what they make of projected frames (clips, frames, 256) and a mask (clips, frames).
Body = tuple[
    Callable[[int], "torch.nn.ModuleDict"],
    Callable[[Any, "torch.Tensor", "torch.Tensor"], "torch.Tensor"],
]


class Network:
    """Logits of one of the networks. ``mean`` and ``sd`` standardise the features before anything is learnt."""

    def __init__(self, body: Body, n_layers: int, n_dims: int, n_classes: int) -> None:
        import torch

        make, self._forward = body
        mix = torch.nn.ParameterDict({"weights": torch.nn.Parameter(torch.zeros(n_layers))})
        projector = torch.nn.Linear(n_dims, PROJECTED)
        self.parts = torch.nn.ModuleDict({"mix": mix, "projector": projector, "body": make(n_classes)})
        self._mix, self._body = mix["weights"], self.parts["body"]
        self.mean, self.sd = torch.zeros(1, 1), torch.ones(1, 1)

    def to(self, device: torch.device) -> Network:
        self.parts.to(device)
        self.mean, self.sd = self.mean.to(device), self.sd.to(device)
        return self

    def logits(self, layers: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """From features (clips, layers, frames, dims), padded, and the number of frames of each clip: (clips, K)."""
        import torch

        mask = torch.arange(layers.shape[2], device=layers.device)[None] < lengths[:, None]
        share = torch.softmax(self._mix, dim=0)
        mixed = torch.einsum("l,bltd->btd", share, (layers - self.mean[:, None]) / self.sd[:, None])
        logits: torch.Tensor = self._forward(self._body, self.parts["projector"](mixed), mask)
        return logits

    def arrays(self) -> Arrays:
        """The network as plain numbers."""
        state = {name: tensor.detach().cpu().numpy().copy() for name, tensor in self.parts.state_dict().items()}
        return {**state, "mean": self.mean.cpu().numpy(), "sd": self.sd.cpu().numpy()}


def collate(clips: Sequence[Layers], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Features of several clips in one tensor (clips, layers, frames, dims), padded with zeros, and their numbers of frames."""
    import torch

    lengths = [layers.shape[1] for layers in clips]
    padded = np.zeros((len(clips), clips[0].shape[0], max(lengths), clips[0].shape[2]), dtype=np.float32)
    for row, layers in zip(padded, clips, strict=True):
        row[:, : layers.shape[1]] = layers
    return torch.from_numpy(padded).to(device), torch.tensor(lengths, device=device)


def network_of(body: Body, arrays: Arrays) -> Network:
    """A trained network from its numbers; raises SerError where they do not fit."""
    import torch

    try:
        n_layers, n_dims = len(arrays["mix.weights"]), arrays["projector.weight"].shape[1]
        network = Network(body, n_layers, n_dims, len(arrays["body.classes.bias"]))
        network.mean, network.sd = (torch.from_numpy(np.array(arrays[name])) for name in ("mean", "sd"))
        network.parts.load_state_dict(
            {name: torch.from_numpy(np.array(value)) for name, value in arrays.items() if name not in ("mean", "sd")}
        )
    except (KeyError, RuntimeError) as error:
        raise SerError(f"The classifier's numbers do not fit its network ({error.args[0]}); train the model again.") from error
    return network


def _open(body: Body, arrays: Arrays, device: str, threads: int) -> Predict:
    import torch

    where = open_device(device, threads)
    network = network_of(body, arrays).to(where)
    network.parts.eval()

    def predict(clips: Sequence[Layers]) -> FloatArray:
        with torch.inference_mode():
            chances = torch.softmax(network.logits(*collate(clips, where)).double(), dim=1)
        return np.asarray(chances.cpu().numpy(), dtype=np.float64)

    return predict


def _mean_linear(n_classes: int) -> torch.nn.ModuleDict:
    import torch

    return torch.nn.ModuleDict({"classes": torch.nn.Linear(PROJECTED, n_classes)})


def _mean_linear_logits(parts: Any, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """The mean over the clip's own frames, and one linear layer."""
    mean = (frames * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
    logits: torch.Tensor = parts["classes"](mean)
    return logits


def _cnn_self_attention(n_classes: int) -> torch.nn.ModuleDict:
    from torch import nn

    convolutions = [nn.Conv1d(width, HIDDEN, KERNEL, padding=KERNEL // 2) for width in (PROJECTED, HIDDEN, HIDDEN)]
    return nn.ModuleDict(
        {
            "convolutions": nn.ModuleList(convolutions),
            "dropout": nn.Dropout(DROPOUT),
            "attention": nn.Linear(HIDDEN, 1),
            "hidden": nn.Linear(HIDDEN, HIDDEN),
            "classes": nn.Linear(HIDDEN, n_classes),
        }
    )


def _cnn_self_attention_logits(parts: Any, frames: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Every five frames averaged, three convolutions, attention over time, two linear layers.

    As ``s3prl/downstream/emotion/model.py``, where a clip alone gives the same; there, in a batch, a projector's offset fills the
    padding and the convolutions let it in. Here frames beyond a clip's end are zero before each of them.
    """
    import torch
    from torch.nn import functional

    x = functional.avg_pool1d((frames * mask[..., None]).transpose(1, 2), POOL, POOL, padding=POOL // 2)
    inside = mask[:, ::POOL]
    convolutions = list(parts["convolutions"])
    for index, convolution in enumerate(convolutions):
        x = convolution(parts["dropout"](x * inside[:, None]))
        x = torch.relu(x) if index < len(convolutions) - 1 else x
    x = x.transpose(1, 2)
    score = parts["attention"](x).squeeze(-1).masked_fill(~inside, -torch.inf)
    pooled = torch.einsum("bt,btd->bd", torch.softmax(score, dim=1), x)
    logits: torch.Tensor = parts["classes"](torch.relu(parts["hidden"](pooled)))
    return logits


def _problem() -> str:
    if find_spec("torch") is None:
        return "PyTorch is not installed: make install (without NEURAL=0). Without it: --upstream functionals --downstream logistic."
    return ""


def _downstream(key: str, title: str, body: Body) -> Downstream:
    make = partial(Network, body)
    return Downstream(key, title, partial(train_network, make, collate), partial(_open, body), _problem, ("torch",))


CNN_SELF_ATTENTION = _downstream(
    "cnn-self-attention", "CNN and self-attention (S3PRL)", (_cnn_self_attention, _cnn_self_attention_logits)
)
MEAN_LINEAR = _downstream("mean-linear", "Mean pooling and one linear layer (EMO-SUPERB)", (_mean_linear, _mean_linear_logits))
