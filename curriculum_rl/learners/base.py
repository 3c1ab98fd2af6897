"""What the environment asks of a learner: N language models that train, are scored, copied and put back.

Shape letters as in `curriculum_rl.batch`: N replicas, B rows of a batch, T tokens of a row, k updates of a segment,
V vocabulary, d width, C labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.batch import Batch, Inner, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.alignment import GradientProducts
from curriculum_rl.learners.transformers.light import require_light


@dataclass(frozen=True)
class Snapshot:
    """A copy of a learner's whole state that shares no memory with it.

    Attributes:
        state: (3, size) parameters, first and second moments.
        steps: (N,) optimizer step counts.
        seeds: (N,) what each replica was last reset with; dropout is a function of seed and step.
    """

    state: Tensor
    steps: npt.NDArray[np.int64]
    seeds: npt.NDArray[np.int64]


@runtime_checkable
class Learner(Protocol):
    """One or N language models with their optimizers, trained side by side.

    Attributes:
        replicas: N, how many models there are.
        context: the longest row, in tokens.
        vocab_size: V.
        device: where the parameters are; batches on other devices are moved.
        causal_rows: whether it can read rows from left to right.
        bidirectional_rows: whether it can read rows in both directions.
    """

    replicas: int
    context: int
    vocab_size: int
    device: torch.device
    causal_rows: bool
    bidirectional_rows: bool

    def reset(self, seeds: Sequence[int], rows: Sequence[int] | None = None) -> None:
        """Give replicas fresh parameters from their own seeds (a pretrained model: its weights), and new optimizers.

        The other replicas keep parameters, moments and step counts, bit for bit.

        Args:
            seeds: one for each replica that is reset, in [0, 2^63); the same seed gives the same parameters on every
                device and beside any neighbours.
            rows: the numbers of those replicas; None for all N.
        """

    def train(self, plan: SegmentPlan) -> SegmentReport:
        """Make k updates of every replica on the plan's batches.

        The loss of an update is the mean over its rows of the row's mean nats per scored token: every row counts the
        same, however many of its tokens are scored; a row without scored tokens counts 0. With `plan.label_ids` the
        softmax is over these tokens alone.

        Raises:
            ConfigError: where the segment does not fit in memory; the learner is as it was before.
        """

    def token_losses(self, batch: Batch) -> Tensor:
        """(N, B, T) nats of each scored token and 0 elsewhere, without gradient; (B, T) batches go to all replicas."""

    def features(self, batch: Batch) -> Tensor:
        """(N, B, d) mean of the last hidden state over each row's tokens that are not padding, without gradient."""

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position, without gradient."""

    def tag_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, T, C) logits of the tokens `label_ids` (C,) at every position, without gradient."""

    def gradient_products(self, batches: Batch) -> GradientProducts:
        """Inner products of the gradients of G batches with leading dimensions (G, N); nothing is trained.

        A gradient is that of the mean over the batch's rows of the row's mean nats per scored token, without dropout
        and label smoothing.
        """

    def snapshot(self) -> Snapshot:
        """A real copy of parameters, moments and step counts."""

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Put a snapshot back, bit for bit, into all replicas or only those numbered in `rows`."""

    def reset_optimizer(self) -> None:
        """Zero the moments and step counts; the parameters stay."""

    @property
    def size(self) -> int:
        """P, parameters of one replica."""

    def flops(self, tokens: int, *, training: bool) -> float:
        """Floating-point operations of that many tokens of full rows, all scored; training counts 3 forward passes."""

    def save(self, directory: Path, *, optimizer: bool = False) -> None:
        """Write safetensors and `learner.json`; `curriculum_rl.learners.load_learner` reads them back."""


def rows_to_reset(seeds: Sequence[int], rows: Sequence[int] | None, replicas: int) -> list[int]:
    """The replicas that `reset` is about.

    Raises:
        ValueError: where there is not one seed for each, or a number or a seed is out of range.
    """
    chosen = list(range(replicas)) if rows is None else [int(n) for n in rows]
    if len(seeds) != len(chosen):
        raise ValueError(f"reset needs {len(chosen)} seeds, one per replica, not {len(seeds)}")
    if len(set(chosen)) != len(chosen) or not all(0 <= n < replicas for n in chosen):
        raise ValueError(f"reset rows must be different numbers in [0, {replicas}), not {chosen}")
    if not all(0 <= seed < 1 << 63 for seed in seeds):
        raise ValueError(f"reset seeds must be in [0, 2^63), not {list(seeds)}")
    return chosen


def check_plan(
    learner: Learner, plan: SegmentPlan, *, accumulate: int = 1, inner: Inner | None = None, weighted: bool = False
) -> None:
    """Check that a plan, and inner steps where there are any, fit the learner; of data, it reads labels alone.

    Raises:
        ValueError: for other shapes or impossible learning rates.
        ConfigError: where the rows of an update cannot be processed in `accumulate` equal parts.
    """
    batches, rates = plan.batches, plan.learning_rates
    shape = tuple(batches.input_ids.shape)
    if len(shape) != 4 or shape[1] != learner.replicas or not 1 <= shape[3] <= learner.context:
        raise ValueError(
            f"plan.batches must be (k, N={learner.replicas}, B, T <= {learner.context}), input_ids is {shape}"
        )
    _check_batch(batches)
    if shape[2] % accumulate:
        raise ConfigError(f"optimizer.accumulate {accumulate} does not divide the {shape[2]} rows of an update")
    m = 1 if inner is None else inner.batches
    if rates.shape != (shape[0] // m, shape[1]) or shape[0] % m:
        raise ValueError(f"plan.learning_rates must be (k, N) = {shape[:2]} / ({m}, 1), not {rates.shape}")
    if inner is not None:
        _check_inner(inner, learner.replicas)
    if plan.label_ids is not None:
        _check_labels(plan, plan.label_ids)
    if "light" in {plan.moves, "all" if inner is None else inner.moves} or plan.moves == "body":
        require_light(learner, "moves")
    if plan.dev is not None and not weighted:
        raise ValueError("plan.dev: only weighted updates read it")
    if not (np.isfinite(rates).all() and (rates >= 0).all()):
        raise ValueError("plan.learning_rates must be finite and at least 0")


def _check_inner(inner: Inner, replicas: int) -> None:
    most = inner.batches - 1
    if inner.depths.shape != (replicas,) or (inner.depths < 0).any() or (inner.depths > most).any():
        raise ValueError(f"inner.depths must be ({replicas},) in [0, {most}], not {inner.depths.tolist()}")
    if inner.order == 2 and (inner.depths != most).any():
        raise ValueError(f"inner.depths must all be {most} at order 2, not {inner.depths.tolist()}")


def _check_labels(plan: SegmentPlan, label_ids: torch.Tensor) -> None:
    if plan.probe is not None:
        raise ValueError("plan.label_ids: probes do not know them")
    if not torch.isin(plan.batches.targets[plan.batches.weights != 0], label_ids).all():
        raise ValueError("plan.label_ids must hold every scored target")


def for_all_replicas(learner: Learner, batch: Batch) -> Batch:
    """The batch as (N, B, T): one without a replica dimension, or with one of size 1, is read by every replica.

    Raises:
        ValueError: where the shapes do not fit the learner.
    """
    shape = tuple(batch.input_ids.shape)
    if len(shape) not in {2, 3} or not 1 <= shape[-1] <= learner.context:
        raise ValueError(f"batch must be (N, B, T) or (B, T) with T <= {learner.context}, input_ids is {shape}")
    _check_batch(batch)
    if len(shape) == 3 and shape[0] not in {1, learner.replicas}:
        raise ValueError(f"batch has {shape[0]} replicas, the learner {learner.replicas}")
    lead = (learner.replicas,)
    return Batch(
        batch.input_ids.expand(*lead, *shape[-2:]),
        batch.targets.expand(*lead, *shape[-2:]),
        batch.weights.expand(*lead, *shape[-2:]),
        batch.causal.expand(*lead, shape[-2]),
    )


def segment_report(row_losses: Tensor, norms: Tensor, ceiling: float, ghosts: Tensor | None = None) -> SegmentReport:
    """What a segment showed, fetched from the device.

    Args:
        row_losses: (k, N, B) nats.
        norms: (k, N) gradient norms before clipping.
        ceiling: an update whose loss is above it counts as exploded.
        ghosts: (k, N, B), where there was a probe.
    """
    rows = row_losses.double().cpu().numpy()
    losses = rows.mean(axis=2)
    gradient_norms = norms.double().cpu().numpy()
    # A loss that is not a number compares False.
    finite = ((losses <= ceiling) & np.isfinite(gradient_norms)).all(axis=0)
    met = None if ghosts is None else ghosts.double().cpu().numpy()
    return SegmentReport(rows, losses, gradient_norms, finite, met)


def _check_batch(batch: Batch) -> None:
    shape = batch.input_ids.shape
    if not batch.targets.shape == batch.weights.shape == shape or batch.causal.shape != shape[:-1]:
        raise ValueError(
            f"batch tensors disagree: input_ids {tuple(shape)}, targets {tuple(batch.targets.shape)}, "
            f"weights {tuple(batch.weights.shape)}, causal {tuple(batch.causal.shape)}"
        )
