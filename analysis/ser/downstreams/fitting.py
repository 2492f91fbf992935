"""Training of a network on one fold: class-balanced soft cross-entropy, AdamW, early stopping; and going on after a kill.

Every epoch draws its shuffling and dropout from a stream of its own, made from the seed, the fold and the epoch's number. So a
training that goes on from the state after epoch n ends in the same numbers as one that was never stopped.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.files import write_whole
from analysis.labels import smooth_shares
from analysis.ser.downstreams.base import Part, Task, Trained, class_weights, standardisation
from analysis.ser.errors import SerError
from analysis.ser.torch_device import mixed_precision, open_device
from analysis.ser.upstreams import Layers

if TYPE_CHECKING:
    import torch

    from analysis.ser.downstreams.networks import Network

Make = Callable[[int, int, int], "Network"]
Collate = Callable[[Sequence[Layers], "torch.device"], "tuple[torch.Tensor, torch.Tensor]"]
#: Batches whose clips are sorted by length together: less padding, and still another order in each epoch.
_BUCKET = 20


def train_network(make: Make, collate: Collate, task: Task) -> Trained:
    """The classifier of the epoch with the lowest loss on the development set, after ``patience`` epochs without a lower one."""
    import torch

    recipe = task.recipe
    device = open_device(recipe.device, recipe.threads)
    first = task.load(task.train.digests[0])
    torch.manual_seed(_seed(task, 0))
    network = make(first.shape[0], first.shape[2], task.train.shares.shape[1])
    mean, sd = standardisation((task.load(digest) for digest in task.train.digests), task.standardise)
    network.mean, network.sd = torch.from_numpy(mean), torch.from_numpy(sd)
    network.to(device)
    optimizer = torch.optim.AdamW(network.parts.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    weights = torch.from_numpy(class_weights(task.train.shares)).float().to(device)
    history: list[dict[str, float]] = []
    best: dict[str, Any] = {}
    if saved := _saved(task):
        network.parts.load_state_dict(saved["parts"])
        optimizer.load_state_dict(saved["optimizer"])
        history, best = saved["history"], saved["best"]

    def loss_of(part: Part, chosen: Sequence[int]) -> torch.Tensor:
        layers, lengths = collate([task.load(part.digests[i]) for i in chosen], device)
        target = torch.from_numpy(smooth_shares(part.shares[list(chosen)], recipe.smoothing)).float().to(device)
        with mixed_precision(recipe.precision, device):
            logits = network.logits(layers, lengths)
        return soft_cross_entropy(logits.float(), target, weights)

    lengths = [task.load(digest).shape[1] for digest in task.train.digests]
    while len(history) < recipe.epochs and not _is_over(history, recipe.patience):
        epoch = len(history) + 1
        torch.manual_seed(_seed(task, epoch))
        network.parts.train()
        total = 0.0
        for chosen in plan_batches(lengths, recipe.batch, np.random.default_rng(_seed(task, epoch))):
            optimizer.zero_grad()
            loss = loss_of(task.train, chosen)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parts.parameters(), recipe.gradient_norm)
            optimizer.step()
            total += float(loss.detach()) * len(chosen)
        network.parts.eval()
        with torch.inference_mode():
            n_clips = len(task.development.digests)
            held = sum(
                float(loss_of(task.development, rows)) * len(rows)
                for rows in (range(n_clips)[at : at + recipe.batch] for at in range(0, n_clips, recipe.batch))
            )
        row = {"epoch": epoch, "train_loss": total / len(lengths), "development_loss": held / n_clips}
        if row["development_loss"] < min((earlier["development_loss"] for earlier in history), default=inf):
            best = {name: tensor.detach().clone() for name, tensor in network.parts.state_dict().items()}
        history.append(row)
        _save(
            task, {"parts": network.parts.state_dict(), "optimizer": optimizer.state_dict(), "best": best, "history": history}
        )
        task.on_epoch(epoch, row["development_loss"])
    if not best:
        raise SerError("Training diverged: the loss on the development set is no number. Lower --learning-rate.")
    network.parts.load_state_dict(best)
    return Trained(network.arrays(), history)


def soft_cross_entropy(logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean over clips of (sum_c w_c t_c) x (-sum_c t_c log softmax_c): logits and targets (clips, K), weights (K,).

    Source: EMO-SUPERB's class_balanced_softmax_cross_entropy_with_softtarget.
    """
    import torch

    each = -(target * torch.log_softmax(logits, dim=1)).sum(dim=1)
    return ((target @ weights) * each).mean()


def plan_batches(lengths: Sequence[int], size: int, rng: np.random.Generator) -> Iterator[list[int]]:
    """Every clip once, in batches of ``size`` clips of like length, in an order that ``rng`` draws.

    >>> sorted(sum(plan_batches([5, 9, 5], 2, np.random.default_rng(0)), []))
    [0, 1, 2]
    """
    order = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(order), size * _BUCKET):
        bucket = sorted(order[start : start + size * _BUCKET], key=lambda clip: lengths[clip])
        batches += [[int(clip) for clip in bucket[at : at + size]] for at in range(0, len(bucket), size)]
    yield from (batches[index] for index in rng.permutation(len(batches)))


def _is_over(history: Sequence[dict[str, float]], patience: int) -> bool:
    losses = [row["development_loss"] for row in history]
    return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= patience


def _seed(task: Task, epoch: int) -> int:
    stream = np.random.SeedSequence(task.recipe.seed, spawn_key=(task.fold, epoch))
    return int(stream.generate_state(1, np.uint32)[0])


def _save(task: Task, state: dict[str, Any]) -> None:
    import torch

    memory = io.BytesIO()
    torch.save(state, memory)
    write_whole(task.state, memory.getvalue())


def _saved(task: Task) -> dict[str, Any]:
    """What an earlier run left, or nothing."""
    import torch

    if not task.state.is_file():
        return {}
    try:
        state: dict[str, Any] = torch.load(task.state, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise SerError(f"{task.state} is damaged; delete it, and its fold begins anew.") from error
    return state
