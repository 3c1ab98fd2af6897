"""Updates of one replica of a `transformers` learner, through inner steps where there are any.

Shapes: k updates, m batches of an update, B rows, T tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from curriculum_rl.batch import Batch, Inner, SegmentPlan
from curriculum_rl.draws import key
from curriculum_rl.learners.flat import FlatParams
from curriculum_rl.learners.optimizer import adamw_alone, clip_by_norm
from curriculum_rl.learners.scoring import among, outlines, token_weights
from curriculum_rl.learners.transformers.network import HFNetwork
from curriculum_rl.schema.learners import OptimizerConfig

Parameters = Mapping[str, Tensor]


class Read(NamedTuple):
    """One batch of an update, on the device; what `HFNetwork.gradients` wants of it.

    Attributes:
        batch: (B, T).
        shares: (B, T) of `token_weights`.
        limits: positions to score of each part.
    """

    batch: Batch
    shares: Tensor
    limits: Sequence[int | None]


@dataclass(frozen=True)
class InnerGradient:
    """The gradient of an update of the replica that the model holds.

    Attributes:
        network: the model.
        leaves: the parameters by name whose gradients are wanted.
        moved: those that take inner steps. At order 1 their data is that of a copy afterwards where there are steps.
        inner: the inner steps.
        smoothing: of the labels, in inner steps too.
        label_ids: (C,) the tokens among which targets are chosen; None: the whole vocabulary.
    """

    network: HFNetwork
    leaves: Parameters
    moved: Parameters
    inner: Inner
    smoothing: float = 0.0
    label_ids: Tensor | None = None

    def __call__(
        self, reads: Sequence[Read], depth: int, seed: tuple[int, int]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The mean gradient of the last m - depth batches, where the steps lead, and the losses of all rows.

        Args:
            reads: m batches.
            depth: inner steps; at order 2 all batches but the last.
            seed: of the replica, and the update's number; the last batch drops what that of a plain update does.
        """
        last = len(reads) - 1
        seeds = [seed if j == last else (key(*seed, "inner"), j) for j in range(len(reads))]
        return self._second(reads, seeds) if depth and self.inner.order == 2 else self._first(reads, depth, seeds)

    def _first(
        self, reads: Sequence[Read], depth: int, seeds: Sequence[tuple[int, int]]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        if depth:
            for leaf in self.moved.values():
                leaf.data = leaf.data.clone()
        total: dict[str, Tensor] = {}
        nats = []
        for j, read in enumerate(reads):
            wanted = self.moved if j < depth else self.leaves
            slopes, losses = self.network.gradients(
                wanted, *read, smoothing=self.smoothing, seed=seeds[j], label_ids=self.label_ids
            )
            nats.append(losses)
            if j < depth:
                for name, leaf in wanted.items():
                    leaf.data.sub_(slopes[name], alpha=self.inner.rate)
                continue
            for name, slope in slopes.items():
                part = slope.div_(len(reads) - depth)
                total[name] = total[name].add_(part) if name in total else part
        return total, nats

    def _second(
        self, reads: Sequence[Read], seeds: Sequence[tuple[int, int]]
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """The steps stay in the graph, by attention that has second derivatives."""
        values = dict(self.moved)
        nats = []
        with sdpa_kernel(SDPBackend.MATH):
            for seed, (batch, shares, limits) in zip(seeds, reads, strict=True):
                with self.network.training(seed):
                    loss, read = self.network.loss(batch, shares, limits[0], self.smoothing, self.label_ids, values)
                nats.append(read * len(read))
                if len(nats) < len(reads):
                    steps = torch.autograd.grad(loss, list(values.values()), create_graph=True, allow_unused=True)
                    values = {
                        name: value if step is None else value - self.inner.rate * step
                        for (name, value), step in zip(values.items(), steps, strict=True)
                    }
            slopes = torch.autograd.grad(loss, list(self.leaves.values()), allow_unused=True)
        found = zip(self.leaves.items(), slopes, strict=True)
        return {n: torch.zeros_like(p) if s is None else s.contiguous() for (n, p), s in found}, nats


@dataclass(frozen=True)
class InnerUpdates:
    """How a replica whose parameters the model holds is trained.

    Attributes:
        network: the model.
        leaves: the parameters that updates change, by name, views into `flat`.
        moved: those that take inner steps.
        flat: parameters and moments of all replicas.
        optimizer: AdamW's settings.
        chunk: positions per chunk of the loss.
        factors: the learning rate of some parameters over that of the others, by name.
    """

    network: HFNetwork
    leaves: Parameters
    moved: Parameters
    flat: FlatParams
    optimizer: OptimizerConfig
    chunk: int
    factors: Mapping[str, float]

    def reads(self, plan: SegmentPlan, n: int) -> list[Read]:
        """The (k m) batches of replica n, on the device."""
        mine = plan.batches[:, n : n + 1]
        todo = outlines(mine, parts=self.optimizer.accumulate, chunk=self.chunk)
        batches = among(mine, plan.label_ids).to(self.network.device)
        shares = token_weights(batches.weights)
        return [Read(batches[j, 0], shares[j, 0], one.limits) for j, one in enumerate(todo)]

    def __call__(
        self, plan: SegmentPlan, reads: Sequence[Read], inner: Inner, n: int, i: int
    ) -> tuple[list[Tensor], Tensor]:
        """Make update i of replica n; the (B,) losses of each of its m batches, and the gradient norm."""
        labels = None if plan.label_ids is None else plan.label_ids.to(self.network.device)
        update = InnerGradient(self.network, self.leaves, self.moved, inner, self.optimizer.label_smoothing, labels)
        mine = reads[i * inner.batches : (i + 1) * inner.batches]
        seed = (int(self.flat.seeds[n]), int(self.flat.steps[n]))
        slopes, losses = update(mine, int(inner.depths[n]), seed)
        norm = clip_by_norm({name: slope[None] for name, slope in slopes.items()}, self.optimizer.clip)[0]
        adamw_alone(self.flat, n, slopes, float(plan.learning_rates[i, n]), self.optimizer, self.factors)
        return losses, norm
