"""Scoring with the native network, without gradients and a few rows at a time.

Shapes: N replicas, B rows, T tokens, C labels, d width, V vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from curriculum_rl.batch import Batch, Pool
from curriculum_rl.learners.native.forward import head
from curriculum_rl.learners.native.linear_ce import chunk_rows, linear_nll
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.scoring import scored_limits, scored_positions

# Tokens of one replica that are scored at a time.
CPU_TOKENS = 1024
CUDA_TOKENS = 16384


@dataclass(frozen=True)
class Reader:
    """What a learner's scoring methods do.

    Attributes:
        network: the transformers.
        parameters: (N, *shape) by name.
        device: where they are.
    """

    network: Network
    parameters: dict[str, Tensor]
    device: torch.device

    def token_losses(self, batch: Batch) -> Tensor:
        """(N, B, T) nats of each scored token of an (N, B, T) batch and 0 elsewhere."""
        chunk = chunk_rows(self.device)

        def losses(part: Batch, hidden: Tensor) -> Tensor:
            N, B, T = part.input_ids.shape
            weights, targets = part.weights.reshape(N, B * T), part.targets.reshape(N, B * T)
            (limit,) = scored_limits(part.weights[None], chunk)
            index = scored_positions(weights, limit)
            scored = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
            table = head(self.parameters)
            nll = linear_nll(scored, table, targets.gather(1, index), dtype=self.network.dtype)
            nats = torch.zeros_like(weights).scatter_(1, index, nll)
            return torch.where(weights != 0, nats, 0.0).view(N, B, T)

        return self._in_parts(batch, losses)

    def features(self, batch: Batch) -> Tensor:
        """(N, B, d) mean of the last hidden state over each row's tokens that are not padding."""
        return self.states(batch, "mean")

    def states(self, batch: Batch, pool: Pool) -> Tensor:
        """(N, B, d) what a head reads of an (N, B, T) batch."""
        return self._in_parts(batch, lambda part, hidden: pooled(hidden, part, pool, self.network.pad_id))

    def label_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, C) logits of the tokens `label_ids` (C,) at each row's one scored position."""
        table = head(self.parameters)[:, label_ids.to(self.device)]

        def logits(part: Batch, hidden: Tensor) -> Tensor:
            return torch.bmm(at_scored(hidden, part), table.transpose(1, 2))

        return self._in_parts(batch, logits)

    def tag_logits(self, batch: Batch, label_ids: Tensor) -> Tensor:
        """(N, B, T, C) logits of the tokens `label_ids` (C,) at every position."""
        table = head(self.parameters)[:, label_ids.to(self.device)]

        def logits(part: Batch, hidden: Tensor) -> Tensor:
            return torch.bmm(hidden, table.transpose(1, 2)).view(*part.input_ids.shape, -1)

        return self._in_parts(batch, logits)

    @torch.no_grad()
    def _in_parts(self, batch: Batch, read: Callable[[Batch, Tensor], Tensor]) -> Tensor:
        """Apply `read` to the hidden states of a few rows at a time, whatever N is, and join the results along B."""
        tokens = CPU_TOKENS if self.device.type == "cpu" else CUDA_TOKENS
        step = max(1, tokens // batch.input_ids.shape[2])
        parts = []
        for start in range(0, batch.input_ids.shape[1], step):
            part = batch[:, start : start + step]
            causal = bool(part.causal.all())
            part = part.to(self.device)
            parts.append(read(part, self.network.hidden(self.parameters, part, causal=causal)))
        return torch.cat(parts, dim=1)


def pooled(hidden: Tensor, batch: Batch, pool: Pool, pad_id: int) -> Tensor:
    """(N, B, d) of (N, B T, d) hidden states: that at the scored position, or the mean over tokens but padding."""
    if pool == "cls":
        return at_scored(hidden, batch)
    present = (batch.input_ids != pad_id).to(hidden.dtype)[..., None]
    total = (hidden.view(*batch.input_ids.shape, -1) * present).sum(dim=2)
    return total / present.sum(dim=2).clamp_min(1.0)


def at_scored(hidden: Tensor, batch: Batch) -> Tensor:
    """(N, B, d) of (N, B T, d) hidden states those at each row's one scored position."""
    position = batch.weights.argmax(dim=2)[:, :, None, None].expand(-1, -1, 1, hidden.shape[2])
    return hidden.view(*batch.input_ids.shape, -1).gather(2, position).squeeze(2)
