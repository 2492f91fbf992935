"""Models written down as functions over the tensors of a checkpoint, for codecs that no package holds.

`Layer` is a place in the tree that the dotted names of a checkpoint make: ``layer["encoder"]["conv"].conv(x)`` convolves with
``encoder.conv.weight`` and ``encoder.conv.bias``. Widths, kernel sizes and groups are those of the tensors, so one function serves
a published model and a narrow one in a test; strides, dilations and paddings stand in the model. Nothing is kept between calls, so
no clip can influence the next. Signals have shape [batch, channels, time], spectra [batch, channels, frequency, time].
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Tree = dict[str, "Tree | torch.Tensor"]  # step of a dotted name to what lies below it
Steps = int | tuple[int, int]


class Layer:
    """One place in the tree of a checkpoint's tensors, and what can be computed with what lies there."""

    def __init__(self, tree: "Tree", path: str = "", used: set[str] | None = None) -> None:
        self._tree, self._path, self._used = tree, path, set() if used is None else used

    def __getitem__(self, name: str | int) -> "Layer":
        """The place one step (or several, dotted) further; KeyError where there is none."""
        place = self._find(str(name))
        if not isinstance(place, dict):
            raise KeyError(f"{self._path}{name}")
        return Layer(place, f"{self._path}{name}.", self._used)

    def __iter__(self) -> Iterator["Layer"]:
        """The numbered places below, in order; numbers without tensors, activations for instance, are passed over."""
        return (self[number] for number in sorted(int(step) for step in self._tree if step.isdigit()))

    def __contains__(self, name: str) -> bool:
        return name in self._tree

    def tensor(self, name: str) -> "torch.Tensor":
        """The tensor of this name; KeyError where the checkpoint has none."""
        found = self._find(name)
        if isinstance(found, dict):
            raise KeyError(f"{self._path}{name}")
        self._used.add(f"{self._path}{name}")
        return found

    def to(self, device: str) -> "Layer":
        """The whole tree with its tensors on another device."""
        return Layer(plant({name: tensor.to(device) for name, tensor in _leaves(self._tree)}))

    def eval(self) -> "Layer":
        """As a PyTorch model has it; nothing here behaves otherwise in training."""
        return self

    def unused(self) -> list[str]:
        """Names below that no computation has asked for yet."""
        return [name for name, _tensor in _leaves(self._tree, self._path) if name not in self._used]

    def _find(self, name: str) -> "Tree | torch.Tensor":
        place: Tree | torch.Tensor = self._tree
        for step in name.split("."):
            if not isinstance(place, dict) or step not in place:
                raise KeyError(f"{self._path}{name} is missing")
            place = place[step]
        return place

    def conv(
        self, x: "torch.Tensor", stride: Steps = 1, dilation: Steps = 1, padding: Steps | str = 0, bias: bool = True
    ) -> "torch.Tensor":
        """Convolution in one or two dimensions, as the weight has them; in groups where it has fewer channels than x."""
        import torch

        weight = self.tensor("weight")
        function: Callable[..., torch.Tensor] = torch.conv1d if weight.ndim == 3 else torch.conv2d
        return function(
            x, weight, self.tensor("bias") if bias else None, stride, padding, dilation, x.shape[1] // weight.shape[1]
        )

    def conv_transpose(self, x: "torch.Tensor", stride: Steps, padding: Steps = 0) -> "torch.Tensor":
        """Transposed convolution in one or two dimensions; the layer has a bias, whose length is the number of channels out."""
        import torch

        weight, bias = self.tensor("weight"), self.tensor("bias")
        function: Callable[..., torch.Tensor] = torch.conv_transpose1d if weight.ndim == 3 else torch.conv_transpose2d
        return function(x, weight, bias, stride, padding, 0, bias.shape[0] // weight.shape[1])

    def group_norm(self, x: "torch.Tensor", groups: int, epsilon: float = 1e-5) -> "torch.Tensor":
        import torch

        return torch.group_norm(x, groups, self.tensor("weight"), self.tensor("bias"), epsilon)

    def lstm(self, x: "torch.Tensor") -> "torch.Tensor":
        """All layers of a one-way LSTM from a state of zeros, over the last axis of x."""
        import torch

        kinds = ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l")
        n_layers = next(n for n in range(99) if f"{kinds[0]}{n}" not in self)
        weights = [self.tensor(f"{kind}{n}") for n in range(n_layers) for kind in kinds]
        zeros = x.new_zeros(n_layers, x.shape[0], weights[1].shape[1])
        y: torch.Tensor = torch.lstm(x.permute(2, 0, 1), (zeros, zeros), weights, True, n_layers, 0.0, False, False, False)[0]
        return y.permute(1, 2, 0)


def read_model(tensors: Mapping[str, Any], *, without: Sequence[str] = ()) -> Layer:
    """A checkpoint's tensors as a model, weight normalization (Salimans & Kingma 2016, w = g·v/‖v‖) multiplied out.

    Args:
        tensors: name to tensor, as ``state_dict`` gives it.
        without: places, or last parts of names, that decoding does not need: discriminators, training statistics.

    Raises:
        KeyError: something that is not a tensor lies at a name that is needed.
    """
    import torch

    kept: dict[str, torch.Tensor] = {}
    for name, value in tensors.items():
        if any(name.startswith(f"{part}.") or name == part or name.endswith(f".{part}") for part in without):
            continue
        if not isinstance(value, torch.Tensor):
            raise KeyError(name)
        kept[name] = value.detach()
    for name in [name for name in kept if name.endswith("weight_g")]:
        stem = name.removesuffix("_g")
        kept[stem] = torch._weight_norm(kept.pop(f"{stem}_v"), kept.pop(name), 0)
    return Layer(plant(kept))


def plant(tensors: Mapping[str, "torch.Tensor"]) -> "Tree":
    """Dotted names as a tree."""
    tree: Tree = {}
    for name, tensor in tensors.items():
        *steps, last = name.split(".")
        place = tree
        for step in steps:
            below = place.setdefault(step, {})
            if not isinstance(below, dict):
                raise KeyError(name)
            place = below
        place[last] = tensor
    return tree


def _leaves(tree: "Tree", path: str = "") -> "Iterator[tuple[str, torch.Tensor]]":
    for step, below in tree.items():
        if isinstance(below, dict):
            yield from _leaves(below, f"{path}{step}.")
        else:
            yield f"{path}{step}", below


def nearest(x: "torch.Tensor", codebook: "torch.Tensor") -> "torch.Tensor":
    """Index of the codebook entry with the least Euclidean distance, ‖x‖² − 2x·c + ‖c‖²; the first where several tie.

    Args:
        x: shape [..., dimension].
        codebook: shape [entries, dimension].
    """
    distance = x.pow(2).sum(-1, keepdim=True) - 2 * x @ codebook.T + codebook.pow(2).sum(-1)
    return distance.argmin(-1)


def quantize_residual(x: "torch.Tensor", codebooks: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """Residual vector quantization (Zeghidour et al. 2021, arXiv 2107.03312, algorithm 1); the codebooks stay as they are.

    Args:
        x: shape [rows, dimension, frames].
        codebooks: each of shape [entries, dimension].

    Returns:
        Codes, shape [rows, codebooks, frames].
    """
    import torch

    residual, codes = x.transpose(1, 2), []
    for codebook in codebooks:
        codes.append(nearest(residual, codebook))
        residual = residual - codebook[codes[-1]]
    return torch.stack(codes, 1)


def dequantize(codes: "torch.Tensor", codebooks: "Sequence[torch.Tensor]") -> "torch.Tensor":
    """The sum of the entries that `quantize_residual` chose, shape [rows, dimension, frames]; fewer codes make a coarser sum."""
    first, *others = [codebook[code] for code, codebook in zip(codes.unbind(1), codebooks, strict=False)]
    return sum(others, first).transpose(1, 2)
