"""Weighted updates of one replica of a `transformers` learner.

Shapes: k updates, m batches of an update, B rows, R examples, T tokens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from curriculum_rl.batch import Dev, SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.learners.dev_head import cosines, fitted_head, head_loss
from curriculum_rl.learners.flat import FlatParams
from curriculum_rl.learners.native.weighted import Floats, Weighted, added, by_update
from curriculum_rl.learners.optimizer import adamw_alone, clip_by_norm
from curriculum_rl.learners.scoring import outlines, token_weights
from curriculum_rl.learners.transformers.network import HFNetwork
from curriculum_rl.schema.learners import OptimizerConfig


@dataclass(frozen=True)
class WeightedUpdates:
    """How a replica whose parameters the model holds is trained.

    Attributes:
        network: the model.
        leaves: its parameters by name, views into `flat`.
        flat: parameters and moments of all replicas.
        optimizer: AdamW's settings.
        chunk: positions per chunk of the loss.
        factors: the learning rate of some parameters over that of the others, by name.
    """

    network: HFNetwork
    leaves: Mapping[str, Tensor]
    flat: FlatParams
    optimizer: OptimizerConfig
    chunk: int
    factors: Mapping[str, float]

    def __call__(self, plan: SegmentPlan, weights: Floats, n: int) -> Weighted:
        """Make k updates of replica n; of its figures the replica dimension is 1."""
        mine, m, optimizer = plan.batches[:, n : n + 1], weights.shape[1], self.optimizer
        limits = [one.limits for one in outlines(mine, parts=optimizer.accumulate, chunk=self.chunk)]
        batches = mine.to(self.network.device)
        shares = token_weights(batches.weights)
        scales = torch.from_numpy(weights[n]).float().to(self.network.device)
        row_losses, norms, alignments = list[Tensor](), list[Tensor](), list[Tensor]()
        for i, rate in enumerate(plan.learning_rates[:, n]):
            dev = {} if plan.dev is None else self._dev_gradient(plan.dev, i, n)
            seed = (int(self.flat.seeds[n]), int(self.flat.steps[n]))
            total: dict[str, Tensor] = {}
            for j in range(m):
                at = i * m + j
                slopes, losses = self.network.gradients(
                    self.leaves,
                    batches[at, 0],
                    shares[at, 0],
                    limits[at],
                    smoothing=optimizer.label_smoothing,
                    seed=seed if j == m - 1 else (key(*seed, "inner"), j),
                )
                row_losses.append(losses[None])
                stacked = {name: slope[None] for name, slope in slopes.items()}
                alignments += [cosines(stacked, dev, 1)] if dev else []
                total = added(total, stacked, scales[j : j + 1])
            norms.append(clip_by_norm(total, optimizer.clip))
            found = {name: slope[0] for name, slope in total.items()}
            adamw_alone(self.flat, n, found, float(rate), optimizer, self.factors)
        return Weighted(torch.stack(row_losses), torch.stack(norms), by_update(alignments, m))

    def _dev_gradient(self, dev: Dev, update: int, n: int) -> dict[str, Tensor]:
        """(1, *shape) by name: the gradient of a replica's dev examples on the parameters that no head reads."""
        device = self.network.device
        read = self.network.states(dev.support[update, n], dev.fit.pool)
        head = fitted_head(read, dev.support_classes[update, n].to(device), dev.fit)
        shared = self._shared()
        query = dev.query[update, n].to(device)
        classes = dev.query_classes[update, n].to(device)
        rows = len(classes) // self.optimizer.accumulate
        total: dict[str, Tensor] = {}
        for start in range(0, len(classes), rows):
            chosen = slice(start, start + rows)
            states = self.network.pooled(query[chosen], dev.fit.pool)
            loss = head_loss(states[None], classes[chosen][None], [head]) / len(classes)
            slopes = torch.autograd.grad(loss, list(shared.values()), allow_unused=True)
            for (name, leaf), slope in zip(shared.items(), slopes, strict=True):
                here = torch.zeros_like(leaf) if slope is None else slope.contiguous()
                total[name] = total[name].add_(here[None]) if name in total else here[None]
        return total

    def _shared(self) -> dict[str, Tensor]:
        """The parameters of the body that no head reads: a tied embedding is none of them."""
        model = self.network.model
        beside = [child for child in model.children() if child is not model.base_model]
        heads = {id(p) for child in beside for p in child.parameters()}
        body = {id(p) for p in model.base_model.parameters()} - heads
        return {name: leaf for name, leaf in self.leaves.items() if id(leaf) in body}


def joined(parts: list[Weighted]) -> Weighted:
    """The figures of several replicas as those of all."""
    alignments = [part.alignments for part in parts if part.alignments is not None]
    return Weighted(
        torch.cat([part.row_losses for part in parts], dim=1),
        torch.cat([part.norms for part in parts], dim=1),
        torch.cat(alignments, dim=1) if alignments else None,
    )
