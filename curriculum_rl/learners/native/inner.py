"""Updates through inner steps: which learners make them, and how the native one does.

Shapes: k updates, m batches of an update, N replicas, B rows, T tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.batch import Batch, Inner, SegmentPlan, SegmentReport
from curriculum_rl.draws import key
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner, segment_report
from curriculum_rl.learners.native.capture import Trainee
from curriculum_rl.learners.native.linear_ce import chunk_rows
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.native.update import differentiable_gradients, gradients
from curriculum_rl.learners.optimizer import adamw, clip_by_norm
from curriculum_rl.learners.scoring import Outline, outlines, token_weights

Parameters = Mapping[str, Tensor]


@runtime_checkable
class InnerLearner(Protocol):
    """A learner whose updates can look through inner steps."""

    def refuses_inner(self, order: int) -> str:
        """Why it cannot, with the setting to change; empty where it can."""
        ...

    def train_inner(self, plan: SegmentPlan, inner: Inner) -> SegmentReport:
        """Make k updates of every replica, each through inner steps; the plan's batches are (k m, N, B, T)."""
        ...


def require_inner(learner: Learner, order: int) -> InnerLearner:
    """The learner as one whose updates look through inner steps.

    Raises:
        ConfigError: where it cannot.
    """
    if not isinstance(learner, InnerLearner):
        raise ConfigError(f"method.kind: {type(learner).__name__} has no train_inner, which 'meta_train' needs")
    why = learner.refuses_inner(order)
    if why:
        raise ConfigError(f"method.kind: 'meta_train' of order {order} cannot train {type(learner).__name__}: {why}")
    return learner


class Read(NamedTuple):
    """One batch of an update, on the device.

    Attributes:
        batch: (N, B, T).
        shares: (N, B, T) of `token_weights`.
        outline: which shapes to use.
        keys: (N,) dropout keys.
    """

    batch: Batch
    shares: Tensor
    outline: Outline
    keys: Tensor


@dataclass(frozen=True)
class InnerUpdate:
    """The gradient of an update of N native learners, side by side.

    Attributes:
        network: the transformers.
        inner: the inner steps.
        smoothing: of the labels, in inner steps too.
    """

    network: Network
    inner: Inner
    smoothing: float = 0.0

    def __call__(self, leaves: Parameters, reads: Sequence[Read]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The (N, *shape) gradient by name, and the (N, B) nats of the rows of each of the m batches.

        Args:
            leaves: (N, *shape) by name; they require gradients and stay as they are.
            reads: m batches.
        """
        return self._second(leaves, reads) if self.inner.order == 2 else self._first(leaves, reads)

    def _first(self, leaves: Parameters, reads: Sequence[Read]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Inner steps on copies; gradients on the other batches where they led, averaged."""
        moved, nats = leaves, list[Tensor]()
        total: dict[str, Tensor] = {}
        for j, read in enumerate(reads):
            slopes, losses, _ = gradients(
                self.network, moved, read.batch, read.shares, read.outline, smoothing=self.smoothing, keys=read.keys
            )
            nats.append(losses)
            steps = torch.from_numpy(self.inner.depths > j).to(losses.device)
            if bool((self.inner.depths <= j).any()):
                total = self._added(total, slopes, steps)
            if bool((self.inner.depths > j).any()):
                moved = self._moved(moved, slopes, steps)
        return total, nats

    def _added(self, total: dict[str, Tensor], slopes: dict[str, Tensor], steps: Tensor) -> dict[str, Tensor]:
        """The mean so far of the gradients of the batches on which a replica takes no inner step."""
        outer = torch.from_numpy(1.0 / (self.inner.batches - self.inner.depths)).to(steps.device)
        share = torch.where(steps, 0.0, outer)
        parts = {
            name: torch.where(_wide(steps, slope), 0.0, slope * _wide(share, slope).to(slope.dtype))
            for name, slope in slopes.items()
        }
        return {name: total[name].add_(part) for name, part in parts.items()} if total else parts

    def _moved(self, moved: Parameters, slopes: dict[str, Tensor], steps: Tensor) -> dict[str, Tensor]:
        """The parameters after an inner step of the replicas that take one."""
        return {
            name: torch.where(
                _wide(steps, slope), moved[name].detach() - self.inner.rate * slope, moved[name].detach()
            ).requires_grad_()
            for name, slope in slopes.items()
        }

    def _second(self, leaves: Parameters, reads: Sequence[Read]) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Inner steps that stay in the graph; the last batch's gradient goes back through all of them."""
        moved: Parameters = leaves
        nats = []
        for read in reads[:-1]:
            slopes, losses = differentiable_gradients(
                self.network, moved, read.batch, read.shares, read.outline, smoothing=self.smoothing, keys=read.keys
            )
            nats.append(losses)
            moved = {name: block - self.inner.rate * slopes[name] for name, block in moved.items()}
        last = reads[-1]
        found = gradients(
            self.network, moved, last.batch, last.shares, last.outline, smoothing=self.smoothing, keys=last.keys,
            sources=leaves,
        )  # fmt: skip
        return found.slopes, [*nats, found.row_losses]


def inner_updates(trainee: Trainee, plan: SegmentPlan, inner: Inner, device: torch.device) -> tuple[Tensor, Tensor]:
    """Make k updates of N native learners.

    Returns:
        (k m, N, B) losses of the rows and (k, N) gradient norms.
    """
    flat, optimizer, m = trainee.flat, trainee.optimizer, inner.batches
    todo = outlines(plan.batches, parts=optimizer.accumulate, chunk=chunk_rows(device))
    batches = plan.batches.to(device)
    shares = token_weights(batches.weights)
    keys = inner_keys(flat.seeds, flat.steps, len(plan.learning_rates), inner).to(device)
    update = InnerUpdate(trainee.network, inner, optimizer.label_smoothing)
    row_losses, norms = [], []
    for i, rates in enumerate(plan.learning_rates):
        reads = [Read(batches[j], shares[j], todo[j], keys[j]) for j in range(i * m, (i + 1) * m)]
        slopes, nats = update(trainee.leaves, reads)
        norms.append(clip_by_norm(slopes, optimizer.clip))
        adamw(flat, slopes, rates, optimizer)
        row_losses += nats
    return torch.stack(row_losses), torch.stack(norms)


def inner_keys(seeds: npt.NDArray[np.int64], steps: npt.NDArray[np.int64], updates: int, inner: Inner) -> Tensor:
    """(k m, N) int64 dropout keys: of the last batch those of a plain update, of every other its own."""
    last = inner.batches - 1
    keys = [
        [
            key(int(seed), "dropout", int(step) + i) if j == last else key(int(seed), "dropout", int(step) + i, j)
            for seed, step in zip(seeds, steps, strict=True)
        ]
        for i in range(updates)
        for j in range(inner.batches)
    ]
    return torch.from_numpy(np.array(keys, dtype=np.uint64).view(np.int64))


def inner_report(row_losses: Tensor, norms: Tensor, ceiling: float, inner: Inner) -> SegmentReport:
    """What a segment of such updates showed.

    Args:
        row_losses: (k m, N, B) nats.
        norms: (k, N) gradient norms before clipping.
        ceiling: a batch whose loss is above it counts as exploded, inner ones too.
        inner: the inner steps.
    """
    k, N = norms.shape
    spread = norms.repeat_interleave(inner.batches, dim=0)
    report = segment_report(row_losses, spread, ceiling)
    losses = report.losses.reshape(k, inner.batches, N)
    outer = np.arange(inner.batches)[:, None] >= inner.depths
    means = np.where(outer, losses, 0.0).sum(axis=1) / outer.sum(axis=0)
    return replace(report, losses=means, gradient_norms=norms.double().cpu().numpy())


def _wide(values: Tensor, like: Tensor) -> Tensor:
    """(N,) as (N, 1, ...) beside an (N, *shape) tensor."""
    return values.view(-1, *[1] * (like.dim() - 1))
