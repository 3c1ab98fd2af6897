"""Updates that read m batches and add up their gradients, weighted: which learners make them, and how the native one.

Shapes: k updates, m batches of an update, N replicas, B rows, T tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from curriculum_rl.batch import Dev, Inner, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner, check_plan, segment_report
from curriculum_rl.learners.dev_head import cosines, fitted_head, head_loss
from curriculum_rl.learners.native.capture import Trainee
from curriculum_rl.learners.native.inner import inner_keys
from curriculum_rl.learners.native.linear_ce import chunk_rows
from curriculum_rl.learners.native.reading import Reader, pooled
from curriculum_rl.learners.native.update import gradients
from curriculum_rl.learners.optimizer import adamw, clip_by_norm
from curriculum_rl.learners.scoring import outlines, token_weights

Floats = npt.NDArray[np.float64]


@runtime_checkable
class WeightedLearner(Protocol):
    """A learner whose updates can weigh the losses of several batches."""

    def refuses_weighted(self) -> str:
        """Why it cannot, with the setting to change; empty where it can."""
        ...

    def train_weighted(self, plan: SegmentPlan, weights: Floats) -> SegmentReport:
        """Make k updates of every replica, each on the gradients of m batches times their (N, m) weights.

        The plan's batches are (k m, N, B, T). Where it has dev examples the report says how each batch's gradient is
        aligned with theirs; the updates are the same, bit for bit.
        """
        ...


def require_weighted(learner: Learner) -> WeightedLearner:
    """The learner as one whose updates weigh the losses of several batches.

    Raises:
        ConfigError: where it cannot.
    """
    name = type(learner).__name__
    if not isinstance(learner, WeightedLearner):
        raise ConfigError(f"method.kind: {name} has no train_weighted, which 'tartan' needs")
    why = learner.refuses_weighted()
    if why:
        raise ConfigError(f"method.kind: 'tartan' cannot train {name}: {why}")
    return learner


def check_weighted(learner: Learner, plan: SegmentPlan, weights: Floats, *, accumulate: int) -> None:
    """Check that a plan and its weights fit the learner and each other.

    Raises:
        ValueError: for other shapes, weights that are no weights, or a plan that wants what weighted updates do not do.
        ConfigError: where the rows of a batch cannot be processed in `accumulate` equal parts.
    """
    replicas = learner.replicas
    if weights.ndim != 2 or len(weights) != replicas or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(f"weights must be ({replicas}, m) numbers of at least 0, not {weights.tolist()}")
    if plan.label_ids is not None or plan.probe is not None:
        raise ValueError("plan.label_ids, plan.probe: weighted updates know neither")
    check_plan(learner, plan, accumulate=accumulate, inner=no_steps(weights), weighted=True)
    if plan.dev is not None:
        lead = (*plan.learning_rates.shape, plan.batches.input_ids.shape[2])
        if plan.dev.query_classes.shape != lead or plan.dev.support_classes.shape[:2] != lead[:2]:
            raise ValueError(f"plan.dev must have (k, N, B) = {lead}, not {tuple(plan.dev.query_classes.shape)}")


def no_steps(weights: Floats) -> Inner:
    """The inner steps of such updates: none."""
    return Inner(np.zeros(len(weights), np.int64), weights.shape[1], rate=0.0)


@dataclass(frozen=True)
class Weighted:
    """What k updates showed.

    Attributes:
        row_losses: (k m, N, B) nats.
        norms: (k, N) gradient norms before clipping.
        alignments: (k, N, m) cosines; None where the plan had no dev examples.
    """

    row_losses: Tensor
    norms: Tensor
    alignments: Tensor | None

    def report(self, ceiling: float, weights: Floats) -> SegmentReport:
        """What the segment showed; a batch whose loss is above the ceiling counts as exploded, whatever its weight."""
        m = weights.shape[1]
        report = segment_report(self.row_losses, self.norms.repeat_interleave(m, dim=0), ceiling)
        losses = report.losses.reshape(-1, m, len(weights))
        return replace(
            report,
            losses=(losses * weights.T).sum(axis=1),
            gradient_norms=self.norms.double().cpu().numpy(),
            alignments=None if self.alignments is None else self.alignments.cpu().numpy(),
        )


def weighted_updates(trainee: Trainee, plan: SegmentPlan, weights: Floats, device: torch.device) -> Weighted:
    """Make k updates of N native learners."""
    flat, optimizer, m = trainee.flat, trainee.optimizer, weights.shape[1]
    todo = outlines(plan.batches, parts=optimizer.accumulate, chunk=chunk_rows(device))
    batches = plan.batches.to(device)
    shares = token_weights(batches.weights)
    keys = inner_keys(flat.seeds, flat.steps, len(plan.learning_rates), no_steps(weights)).to(device)
    scales = torch.from_numpy(weights).float().to(device)
    row_losses, norms, alignments = list[Tensor](), list[Tensor](), list[Tensor]()
    for i, rates in enumerate(plan.learning_rates):
        dev = {} if plan.dev is None else dev_gradient(trainee, plan.dev, i, device)
        total: dict[str, Tensor] = {}
        for j in range(m):
            at = i * m + j
            slopes, losses, _ = gradients(
                trainee.network,
                trainee.leaves,
                batches[at],
                shares[at],
                todo[at],
                smoothing=optimizer.label_smoothing,
                keys=keys[at],
            )
            row_losses.append(losses)
            alignments += [cosines(slopes, dev, flat.replicas)] if dev else []
            total = added(total, slopes, scales[:, j])
        norms.append(clip_by_norm(total, optimizer.clip))
        adamw(flat, total, rates, optimizer)
    return Weighted(torch.stack(row_losses), torch.stack(norms), by_update(alignments, m))


def by_update(alignments: list[Tensor], m: int) -> Tensor | None:
    """(k, N, m) of k m times (N,), batch by batch; None of none."""
    if not alignments:
        return None
    flat = torch.stack(alignments)
    return flat.view(len(flat) // m, m, -1).transpose(1, 2)


def added(total: dict[str, Tensor], slopes: Mapping[str, Tensor], scale: Tensor) -> dict[str, Tensor]:
    """Totals plus (N, *shape) gradients times (N,) scales, in place of both; the totals may be empty."""
    parts = {name: slope.mul_(scale.view(-1, *[1] * (slope.dim() - 1))) for name, slope in slopes.items()}
    return {name: total[name].add_(part) for name, part in parts.items()} if total else parts


def dev_gradient(trainee: Trainee, dev: Dev, update: int, device: torch.device) -> dict[str, Tensor]:
    """(N, *shape) by name: the gradient of the dev examples of an update on the parameters that no head reads.

    Nothing is dropped, in the fit or after it.
    """
    network, parameters = trainee.network, trainee.flat.parameters
    read = Reader(network, parameters, device).states(dev.support[update], dev.fit.pool)
    truth = dev.support_classes[update].to(device)
    heads = [fitted_head(mine, classes, dev.fit) for mine, classes in zip(read, truth, strict=True)]
    output = "embedding" if network.config.tied else "head"
    leaves = {name: leaf.detach() if name == output else leaf for name, leaf in trainee.leaves.items()}
    shared = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
    B = dev.query_classes.shape[2]
    rows = B // trainee.optimizer.accumulate
    total: dict[str, Tensor] = {}
    for start in range(0, B, rows):
        part = dev.query[update][:, start : start + rows]
        causal = bool(part.causal.all())
        part = part.to(device)
        hidden = network.hidden(leaves, part, causal=causal)
        classes = dev.query_classes[update][:, start : start + rows].to(device)
        loss = head_loss(pooled(hidden, part, dev.fit.pool, network.pad_id), classes, heads) / B
        # The head of an untied learner's own is no leaf of this loss; all others are.
        slopes = torch.autograd.grad(loss, list(shared.values()))
        parts = dict(zip(shared, (slope.contiguous() for slope in slopes), strict=True))
        total = {name: total[name].add_(slope) for name, slope in parts.items()} if total else parts
    return total
