"""What a learner trains on: every objective is token prediction on a `Batch`.

Shape letters used everywhere: N replicas, B rows (sequences) of one update, T tokens of a row (the context),
V vocabulary, d width, k updates of one segment, K tasks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True)
class Batch:
    """Rows of tokens with what each position must predict.

    Attributes:
        input_ids: (..., B, T) int64, what the learner reads.
        targets: (..., B, T) int64, what position t must predict (causal rows: the token after it).
        weights: (..., B, T) float32, 1 where a position is scored and 0 where it is not.
        causal: (..., B) bool, whether a row is read left to right or in both directions.
    """

    input_ids: torch.Tensor
    targets: torch.Tensor
    weights: torch.Tensor
    causal: torch.Tensor

    def __getitem__(self, index: "int | slice | tuple[int | slice, ...]") -> "Batch":
        """The same index taken of all four tensors, along their shared leading dimensions."""
        return Batch(self.input_ids[index], self.targets[index], self.weights[index], self.causal[index])

    def to(self, device: torch.device) -> "Batch":
        """This batch on another device."""
        return Batch(*(t.to(device, non_blocking=True) for t in self.tensors()))

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Its four tensors, in the order of the attributes."""
        return self.input_ids, self.targets, self.weights, self.causal


@dataclass(frozen=True)
class Probe:
    """What the gradients of a segment's rows are compared with (`curriculum_rl.learners.ghost`).

    Attributes:
        gradients: (N, in, out) by name of a matrix.
        updates: (k,) bool, in which updates.
    """

    gradients: Mapping[str, torch.Tensor]
    updates: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Inner:
    """The inner steps of a segment's updates: plain SGD on a copy of the parameters, gone after the update.

    An update reads `batches` batches, one after the other: a replica takes an inner step on each of the first ones, and
    the gradient of its update is that of the mean loss on the others, where the inner steps led.

    Attributes:
        depths: (N,) inner steps of each replica, fewer than `batches`.
        batches: m, of each update.
        rate: of the inner steps.
        order: 1: the gradient with respect to the parameters after the inner steps; 2: before them, through them.
    """

    depths: npt.NDArray[np.int64]
    batches: int
    rate: float
    order: Literal[1, 2] = 1


@dataclass(frozen=True)
class SegmentPlan:
    """One segment of training: k updates for each of N replicas.

    Attributes:
        batches: a `Batch` with leading dimensions (k, N); (k m, N) where an update reads m batches (`Inner`).
        learning_rates: (k, N) float64, the learning rate of each update.
        probe: what the gradients of the rows are compared with; None: nothing.
        label_ids: (C,) int64, the tokens among which every scored target is chosen; None: the whole vocabulary.
    """

    batches: Batch
    learning_rates: npt.NDArray[np.float64]
    probe: Probe | None = None
    label_ids: torch.Tensor | None = None


@dataclass(frozen=True)
class SegmentReport:
    """What a segment of training showed.

    Attributes:
        row_losses: (k, N, B) float64, nats per scored token of each row, before its update; (k m, N, B) where an update
            reads m batches, by the parameters that each was read with.
        losses: (k, N) float64, the mean over the rows, with inner steps over those that none is taken on: the training
            loss of each update.
        gradient_norms: (k, N) float64, before clipping.
        finite: (N,) bool, False where a loss or a gradient norm was not finite or a loss exploded.
        ghosts: (k, N, B) float64 where the plan had a probe: <g_b, probe / (sqrt(v) + eps)>, g_b the gradient of a
            row's own loss; NaN in updates that were not tapped or had no second moments v yet.
    """

    row_losses: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    gradient_norms: npt.NDArray[np.float64]
    finite: npt.NDArray[np.bool_]
    ghosts: npt.NDArray[np.float64] | None = None
