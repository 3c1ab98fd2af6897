"""The gradient of one update as a function of tensors alone, which the captured path runs too.

Shapes: N replicas, B rows, b rows of a part, T tokens, R scored positions, d width, V vocabulary.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from curriculum_rl.batch import Batch
from curriculum_rl.learners.dropout import Dropout
from curriculum_rl.learners.forward import head
from curriculum_rl.learners.linear_ce import linear_cross_entropy
from curriculum_rl.learners.network import Network
from curriculum_rl.learners.scoring import Outline, scored_positions

Gradients = dict[str, Tensor]


def gradients(
    network: Network,
    leaves: Mapping[str, Tensor],
    batch: Batch,
    shares: Tensor,
    outline: Outline,
    *,
    smoothing: float = 0.0,
    keys: Tensor | None = None,
) -> tuple[Gradients, Tensor]:
    """Gradients of each replica's loss, and the losses of the rows.

    Args:
        network: the transformers.
        leaves: (N, *shape) by name, parameters that require a gradient.
        batch: (N, B, T) on their device.
        shares: (N, B, T) share of each token in the loss of the whole update, of `token_weights`.
        outline: which shapes to use; it has a limit for each part in which the rows are processed.
        smoothing: of the labels.
        keys: (N,) dropout keys of this update; needed where the network has dropout.

    Returns:
        (N, *shape) contiguous by name, and (N, B) nats per scored token, not smoothed.
    """
    dropout = Dropout(network.config.dropout, keys) if network.config.dropout and keys is not None else None
    B = shares.shape[1]
    rows = B // len(outline.limits)
    total: Gradients = {}
    nats = []
    for part, limit in enumerate(outline.limits):
        first = part * rows
        chosen = slice(first, first + rows)
        here = None if dropout is None else dropout.starting_at(first)
        hidden = network.hidden(leaves, batch[:, chosen], causal=outline.causal, dropout=here)
        loss, read = _loss(hidden, leaves, batch[:, chosen], shares[:, chosen], limit, smoothing, network.dtype)
        slopes = torch.autograd.grad(loss, list(leaves.values()))
        for name, slope in zip(leaves, slopes, strict=True):
            total[name] = total[name].add_(slope) if part else slope.contiguous()
        nats.append(read)
    return total, torch.cat(nats, dim=1) * B


def _loss(
    hidden: Tensor,
    leaves: Mapping[str, Tensor],
    batch: Batch,
    shares: Tensor,
    limit: int | None,
    smoothing: float,
    dtype: torch.dtype,
) -> tuple[Tensor, Tensor]:
    """The loss of a part, summed over replicas, and the (N, b) nats of its rows, weighted."""
    N, b, T = batch.input_ids.shape
    targets, weights = batch.targets.reshape(N, b * T), shares.reshape(N, b * T)
    if limit is None:
        losses, nll = linear_cross_entropy(hidden, head(leaves), targets, weights, smoothing=smoothing, dtype=dtype)
        nats = nll * weights
    else:
        index = scored_positions(weights, limit)
        scored = weights.gather(1, index)
        states = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
        losses, nll = linear_cross_entropy(
            states, head(leaves), targets.gather(1, index), scored, smoothing=smoothing, dtype=dtype
        )
        nats = torch.zeros_like(weights).scatter_(1, index, nll * scored)
    return losses.sum(), nats.view(N, b, T).sum(dim=2)
