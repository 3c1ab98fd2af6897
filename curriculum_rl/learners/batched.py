"""The native learner: N small transformers in one set of tensors, trained by one program.

Shapes: k updates, N replicas, B rows, T tokens, R scored positions, d width, V vocabulary.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import log
from pathlib import Path

import torch
from torch import Tensor

from curriculum_rl.batch import Batch, SegmentPlan, SegmentReport
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Snapshot, check_plan, for_all_replicas, segment_report
from curriculum_rl.learners.flat import FlatParams, OptimizerConfig, clip_by_norm
from curriculum_rl.learners.linear_ce import chunk_rows, linear_cross_entropy, linear_nll
from curriculum_rl.learners.scoring import scored_limits, scored_positions, token_weights
from curriculum_rl.learners.transformer import (
    TransformerConfig,
    attention_mask,
    forward_flops,
    hidden_states,
    initialise,
    shapes,
)

# Tokens of one replica that are scored at a time without gradients.
CPU_EVALUATION_TOKENS = 1024
CUDA_EVALUATION_TOKENS = 16384


class BatchedLearner:
    """N transformers with tied embedding, trained side by side from their own seeds on their own rows.

    On a CPU with one thread a replica's bits do not depend on how many neighbours it has or on what they train.
    Construction initialises the replicas with the seeds 0 to N - 1; `reset` gives them others.

    Args:
        config: size of each transformer.
        optimizer: AdamW's settings.
        replicas: N, at least 1.
        pad_id: the padding token: bidirectional rows never read it, `features` leaves it out.
        device: where parameters and computation are.
        explosion: an update whose loss is above this many times ln V marks its replica as not finite.

    Raises:
        ConfigError: for values out of range.
    """

    causal_rows = True
    bidirectional_rows = True

    def __init__(
        self,
        config: TransformerConfig,
        optimizer: OptimizerConfig | None = None,
        *,
        replicas: int = 1,
        pad_id: int,
        device: torch.device | str = "cpu",
        explosion: float = 5.0,
    ) -> None:
        if not 0 <= pad_id < config.vocab_size:
            raise ConfigError(f"learner pad_id must be in [0, vocab_size={config.vocab_size}), not {pad_id}")
        if not explosion > 0:
            raise ConfigError(f"learner explosion must be a positive number, not {explosion}")
        self.config = config
        self.optimizer = OptimizerConfig() if optimizer is None else optimizer
        self.replicas = replicas
        self.context = config.context
        self.vocab_size = config.vocab_size
        self.device = torch.device(device)
        self.pad_id = pad_id
        self.explosion = explosion
        self.flat = FlatParams(shapes(config), replicas=replicas, device=self.device)
        self._leaves = {name: block.detach().requires_grad_() for name, block in self.flat.parameters.items()}
        self.reset(range(replicas))

    def reset(self, seeds: Sequence[int]) -> None:
        """Fresh parameters for each replica from its own seed, and a new optimizer."""
        if len(seeds) != self.replicas:
            raise ValueError(f"reset needs {self.replicas} seeds, one per replica, not {len(seeds)}")
        initialise(self.flat.parameters, self.config, seeds)
        self.flat.reset_optimizer()

    def train(self, plan: SegmentPlan) -> SegmentReport:
        """Make k updates of every replica; the device is waited for once before and once after them.

        A replica that is marked not finite in the report has undefined parameters: put it back with `restore`.
        """
        check_plan(self, plan)
        all_causal = plan.batches.causal.flatten(1).all(dim=1).tolist()
        limits = scored_limits(plan.batches.weights, chunk_rows(self.device))
        batches = plan.batches.to(self.device)
        shares = token_weights(batches.weights)
        row_losses, norms = [], []
        for i, (causal, limit) in enumerate(zip(all_causal, limits, strict=True)):
            gradients, losses = self._gradients(batches[i], shares[i], limit, causal=causal)
            norms.append(clip_by_norm(gradients, self.optimizer.clip))
            self.flat.adamw(gradients, plan.learning_rates[i], self.optimizer)
            row_losses.append(losses)
        return segment_report(torch.stack(row_losses), torch.stack(norms), self.explosion * log(self.vocab_size))

    def _gradients(
        self, batch: Batch, shares: Tensor, limit: int | None, *, causal: bool
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Gradients (N, *shape) by name of each replica's loss, and the (N, B) losses of the rows."""
        N, B, T = batch.input_ids.shape
        leaves = self._leaves
        hidden = hidden_states(leaves, self.config, batch.input_ids, self._mask(batch, causal=causal))
        targets, weights = batch.targets.reshape(N, B * T), shares.reshape(N, B * T)
        if limit is not None:
            index = scored_positions(weights, limit)
            hidden = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
            targets, scored = targets.gather(1, index), weights.gather(1, index)
            losses, nll = linear_cross_entropy(hidden, leaves["embedding"], targets, scored)
            nats = torch.zeros_like(weights).scatter_(1, index, nll * scored)
        else:
            losses, nll = linear_cross_entropy(hidden, leaves["embedding"], targets, weights)
            nats = nll * weights
        gradients = torch.autograd.grad(losses.sum(), list(leaves.values()))
        by_name = {name: gradient.contiguous() for name, gradient in zip(leaves, gradients, strict=True)}
        return by_name, nats.view(N, B, T).sum(dim=2) * B

    def _mask(self, batch: Batch, *, causal: bool) -> Tensor | None:
        return None if causal else attention_mask(batch.input_ids, batch.causal, self.pad_id)

    def token_losses(self, batch: Batch) -> Tensor:
        """(N, B, T) nats of each scored token and 0 elsewhere, without gradient."""
        chunk = chunk_rows(self.device)

        def losses(part: Batch, hidden: Tensor) -> Tensor:
            N, B, T = part.input_ids.shape
            weights, targets = part.weights.reshape(N, B * T), part.targets.reshape(N, B * T)
            (limit,) = scored_limits(part.weights[None], chunk)
            index = scored_positions(weights, limit)
            scored = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
            nll = linear_nll(scored, self.flat.parameters["embedding"], targets.gather(1, index))
            nats = torch.zeros_like(weights).scatter_(1, index, nll)
            return torch.where(weights != 0, nats, 0.0).view(N, B, T)

        return self._in_parts(batch, losses)

    def features(self, batch: Batch) -> Tensor:
        """(N, B, d) mean of the last hidden state over each row's tokens that are not padding, without gradient."""

        def means(part: Batch, hidden: Tensor) -> Tensor:
            present = (part.input_ids != self.pad_id).to(hidden.dtype)[..., None]
            total = (hidden.view(*part.input_ids.shape, -1) * present).sum(dim=2)
            return total / present.sum(dim=2).clamp_min(1.0)

        return self._in_parts(batch, means)

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position, without gradient."""
        table = self.flat.parameters["embedding"][:, label_ids.to(self.device)]

        def logits(part: Batch, hidden: Tensor) -> Tensor:
            position = part.weights.argmax(dim=2)[:, :, None, None].expand(-1, -1, 1, hidden.shape[2])
            chosen = hidden.view(*part.input_ids.shape, -1).gather(2, position).squeeze(2)
            return torch.bmm(chosen, table.transpose(1, 2))

        return self._in_parts(batch, logits)

    @torch.no_grad()
    def _in_parts(self, batch: Batch, read: Callable[[Batch, Tensor], Tensor]) -> Tensor:
        """Apply `read` to the hidden states of a few rows at a time, whatever N is, and join the results along B."""
        whole = for_all_replicas(self, batch)
        budget = CPU_EVALUATION_TOKENS if self.device.type == "cpu" else CUDA_EVALUATION_TOKENS
        step = max(1, budget // whole.input_ids.shape[2])
        parts = []
        for start in range(0, whole.input_ids.shape[1], step):
            part = whole[:, start : start + step]
            causal = bool(part.causal.all())
            part = part.to(self.device)
            mask = self._mask(part, causal=causal)
            parts.append(read(part, hidden_states(self.flat.parameters, self.config, part.input_ids, mask)))
        return torch.cat(parts, dim=1)

    def snapshot(self) -> Snapshot:
        """A real copy of parameters, moments and step counts."""
        return self.flat.snapshot()

    def restore(self, snapshot: Snapshot, rows: Sequence[int] | None = None) -> None:
        """Put a snapshot back, bit for bit, into all replicas or only those numbered in `rows`."""
        self.flat.restore(snapshot, rows)

    def reset_optimizer(self) -> None:
        """Zero the moments and step counts; the parameters stay."""
        self.flat.reset_optimizer()

    def flops(self, tokens: int, *, training: bool) -> float:
        """Floating-point operations of that many tokens of one learner; training counts 3 forward passes.

        Full rows and all positions scored: what is charged is the work asked for, not what a kernel may skip.
        """
        return forward_flops(self.config, tokens) * (3 if training else 1)

    def save(self, directory: Path, *, optimizer: bool = False) -> None:
        """Write `learner.json`, `learner.safetensors` and, if asked, `optimizer.safetensors` into a directory."""
        self.flat.save(directory, optimizer=optimizer)
        description = {
            "kind": "native",
            "config": asdict(self.config),
            "optimizer": asdict(self.optimizer),
            "replicas": self.replicas,
            "pad_id": self.pad_id,
            "explosion": self.explosion,
        }
        (directory / "learner.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")
