"""What a learner trains on: every objective is token prediction on a `Batch`.

Shape letters used everywhere: N replicas, B rows (sequences) of one update, T tokens of a row (the context),
V vocabulary, d width, k updates of one segment, K tasks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

Part = Literal["all", "body", "light"]
"""Which parameters: all, or, of a learner with light ones (`learners.transformers.light`), these or the others."""


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

    @classmethod
    def stack(cls, parts: Sequence["Batch"]) -> "Batch":
        """Batches of one shape under a new leading dimension."""
        return cls(*(torch.stack(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))

    @classmethod
    def cat(cls, parts: Sequence["Batch"]) -> "Batch":
        """Batches one after the other along their first dimension."""
        return cls(*(torch.cat(tensors) for tensors in zip(*(part.tensors() for part in parts), strict=True)))

    def map(self, function: Callable[[torch.Tensor], torch.Tensor]) -> "Batch":
        """The same function of all four tensors."""
        return Batch(*(function(tensor) for tensor in self.tensors()))

    def to(self, device: torch.device) -> "Batch":
        """This batch on another device."""
        return self.map(lambda tensor: tensor.to(device, non_blocking=True))

    def tensors(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Its four tensors, in the order of the attributes."""
        return self.input_ids, self.targets, self.weights, self.causal


@dataclass(frozen=True)
class Probe:
    """What the gradients of a segment's rows are compared with (`curriculum_rl.learners.native.ghost`).

    Attributes:
        gradients: (N, in, out) by name of a matrix.
        updates: (k,) bool, in which updates.
    """

    gradients: Mapping[str, torch.Tensor]
    updates: npt.NDArray[np.bool_]


Pool = Literal["cls", "mean"]


@dataclass(frozen=True)
class HeadFit:
    """How a fresh softmax head is fitted on a few examples: AdamW from zero.

    Attributes:
        classes: C.
        pool: what it reads: the last state at a row's one scored position, or the mean over tokens but padding.
        rate: of AdamW.
        decay: its weight decay.
        betas: decay of its moments.
        steps: most of them, at least 1.
        tolerance: nats; the fit ends when the loss changes by less.
    """

    classes: int
    pool: Pool
    rate: float
    decay: float
    betas: tuple[float, float]
    steps: int
    tolerance: float


@dataclass(frozen=True)
class Dev:
    """Labelled examples whose gradient each batch of an update is compared with (`curriculum_rl.learners.dev_head`).

    In every update a fresh head is fitted on the support examples with the learner frozen; the gradient is that of its
    loss on the query examples. The targets of their rows are not read.

    Attributes:
        support: a `Batch` with leading dimensions (k, N), rows of the examples that the head is fitted on.
        support_classes: (k, N, R) int64, their classes.
        query: a `Batch` with leading dimensions (k, N), as many rows as a batch of the plan has.
        query_classes: (k, N, B) int64.
        fit: of the head.
    """

    support: Batch
    support_classes: torch.Tensor
    query: Batch
    query_classes: torch.Tensor
    fit: HeadFit


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
        moves: which parameters take the inner steps.
    """

    depths: npt.NDArray[np.int64]
    batches: int
    rate: float
    order: Literal[1, 2] = 1
    moves: Part = "all"


@dataclass(frozen=True)
class SegmentPlan:
    """One segment of training: k updates for each of N replicas.

    Attributes:
        batches: a `Batch` with leading dimensions (k, N); (k m, N) where an update reads m batches (`Inner`,
            weighted updates).
        learning_rates: (k, N) float64, the learning rate of each update.
        probe: what the gradients of the rows are compared with; None: nothing.
        label_ids: (C,) int64, the tokens among which every scored target is chosen; None: the whole vocabulary.
        moves: which parameters the updates change.
        dev: what the gradients of the batches of weighted updates are compared with; None: nothing.
    """

    batches: Batch
    learning_rates: npt.NDArray[np.float64]
    probe: Probe | None = None
    label_ids: torch.Tensor | None = None
    moves: Part = "all"
    dev: Dev | None = None


@dataclass(frozen=True)
class SegmentReport:
    """What a segment of training showed.

    Attributes:
        row_losses: (k, N, B) float64, nats per scored token of each row, before its update; (k m, N, B) where an update
            reads m batches, by the parameters that each was read with.
        losses: (k, N) float64, the mean over the rows, with inner steps over those that none is taken on, in weighted
            updates the weighted sum over the batches: the training loss of each update.
        gradient_norms: (k, N) float64, before clipping.
        finite: (N,) bool, False where a loss or a gradient norm was not finite or a loss exploded.
        ghosts: (k, N, B) float64 where the plan had a probe: <g_b, probe / (sqrt(v) + eps)>, g_b the gradient of a
            row's own loss; NaN in updates that were not tapped or had no second moments v yet.
        inner_drop: (N,) nats that inner steps take off the loss, where the method tells: mean over updates, on rows
            that the steps did not read.
        alignments: (k, N, m) float64 where the plan had dev examples: cosine of each batch's gradient, before weights
            and clipping, with theirs, over the parameters that no head reads; 0 where one of both vanishes.
    """

    row_losses: npt.NDArray[np.float64]
    losses: npt.NDArray[np.float64]
    gradient_norms: npt.NDArray[np.float64]
    finite: npt.NDArray[np.bool_]
    ghosts: npt.NDArray[np.float64] | None = None
    inner_drop: npt.NDArray[np.float64] | None = None
    alignments: npt.NDArray[np.float64] | None = None
