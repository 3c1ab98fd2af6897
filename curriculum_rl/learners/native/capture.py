"""One update with static tensors, and its CUDA graph: k replays make a segment without a look at the device.

The static update runs on a CPU too, and is tested there against the plain path. Its capture has not been run on a GPU
yet.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from curriculum_rl.batch import Batch
from curriculum_rl.learners.flat import FlatParams
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.optimizer import TensorAdamW, clip_by_norm
from curriculum_rl.learners.scoring import Outline
from curriculum_rl.schema.learners import OptimizerConfig

# Updates run before a capture, so that libraries have their workspaces and compilers are done.
WARM_UP = 2
# Graphs kept: tasks of other objectives need other shapes, and each graph holds its own memory.
GRAPHS = 4


class Segment(NamedTuple):
    """The data of k updates on the device.

    Attributes:
        batches: (k, N, B, T).
        shares: (k, N, B, T) of `token_weights`.
        rates: (k, N) float64 learning rates.
        keys: (k, N) int64 dropout keys.
    """

    batches: Batch
    shares: Tensor
    rates: Tensor
    keys: Tensor


@dataclass(frozen=True)
class Trainee:
    """What an update changes and how.

    Attributes:
        network: the transformers.
        leaves: (N, *shape) by name, views into `flat` that require a gradient.
        flat: parameters and moments.
        optimizer: AdamW's settings.
    """

    network: Network
    leaves: dict[str, Tensor]
    flat: FlatParams
    optimizer: OptimizerConfig


class StaticUpdate:
    """One update as a function of tensors that stay where they are: data, rates, steps, results, and where it is.

    Args:
        trainee: what is trained.
        outline: the shapes of every update.
        segment: the first segment; later ones must have its shapes, with as many updates or fewer.
    """

    def __init__(self, trainee: Trainee, outline: Outline, segment: Segment) -> None:
        self._trainee, self._outline = trainee, outline
        self._data = [torch.empty_like(tensor) for tensor in _tensors(segment)]
        self._at = torch.zeros(1, dtype=torch.int64, device=segment.shares.device)
        self._adamw = TensorAdamW(trainee.flat, trainee.optimizer)
        k, N, B, _ = segment.shares.shape
        self.capacity = k
        self.row_losses = segment.shares.new_zeros(k, N, B)
        self.norms = segment.shares.new_zeros(k, N)

    def load(self, segment: Segment) -> None:
        """Copy a segment in, and go to its first update."""
        for static, tensor in zip(self._data, _tensors(segment), strict=True):
            static[: len(tensor)].copy_(tensor)
        self._adamw.steps.copy_(torch.from_numpy(self._trainee.flat.steps))
        self._at.zero_()

    def __call__(self) -> None:
        """Make the next update of the segment."""
        ids, targets, weights, causal, shares, rates, keys = (t.index_select(0, self._at)[0] for t in self._data)
        slopes, losses, _ = gradients(
            self._trainee.network,
            self._trainee.leaves,
            Batch(ids, targets, weights, causal),
            shares,
            self._outline,
            smoothing=self._trainee.optimizer.label_smoothing,
            keys=keys,
        )
        norms = clip_by_norm(slopes, self._trainee.optimizer.clip)
        self._adamw(slopes, rates)
        self.row_losses.index_copy_(0, self._at, losses[None])
        self.norms.index_copy_(0, self._at, norms[None])
        self._at += 1


class CapturedUpdates:
    """Segments as replays of one recorded update for each shape.

    Args:
        trainee: what is trained; on a CUDA device.
    """

    def __init__(self, trainee: Trainee) -> None:
        self._trainee = trainee
        self._recorded: dict[tuple[object, ...], tuple[StaticUpdate, torch.cuda.CUDAGraph]] = {}

    def __call__(self, segment: Segment, outline: Outline) -> tuple[Tensor, Tensor]:
        """Make k updates.

        Returns:
            (k, N, B) losses of the rows and (k, N) gradient norms.
        """
        k = len(segment.shares)
        key = (outline, segment.shares.shape[1:])
        with torch.cuda.device(segment.shares.device):
            if key not in self._recorded or self._recorded[key][0].capacity < k:
                if len(self._recorded) >= GRAPHS:
                    self._recorded.clear()
                self._recorded[key] = self._record(segment, outline)
            update, graph = self._recorded[key]
            update.load(segment)
            for _ in range(k):
                graph.replay()
        self._trainee.flat.steps += k
        return update.row_losses[:k].clone(), update.norms[:k].clone()

    def _record(self, segment: Segment, outline: Outline) -> tuple[StaticUpdate, torch.cuda.CUDAGraph]:
        """Record an update; what its warm-up did to the learners is put back."""
        update = StaticUpdate(self._trainee, outline, segment)
        before = self._trainee.flat.snapshot()
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UP):
                update.load(segment)
                update()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            update()
        self._trainee.flat.restore(before)
        return update, graph


def _tensors(segment: Segment) -> tuple[Tensor, ...]:
    batches = segment.batches
    return (
        batches.input_ids,
        batches.targets,
        batches.weights,
        batches.causal,
        segment.shares,
        segment.rates,
        segment.keys,
    )
