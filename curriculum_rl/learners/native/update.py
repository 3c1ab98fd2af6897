"""The gradient of one update as a function of tensors alone, which the captured path runs too.

Shapes: N replicas, B rows, b rows of a part, T tokens, R scored positions, d width, V vocabulary.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from curriculum_rl.batch import Batch
from curriculum_rl.learners.native.dropout import Dropout
from curriculum_rl.learners.native.forward import head
from curriculum_rl.learners.native.ghost import Matrices, Tap
from curriculum_rl.learners.native.linear_ce import linear_cross_entropy
from curriculum_rl.learners.native.network import Network
from curriculum_rl.learners.scoring import Outline, scored_positions


class Gradients(NamedTuple):
    """What a backward pass of one update gives.

    Attributes:
        slopes: (N, *shape) contiguous by name.
        row_losses: (N, B) nats per scored token, not smoothed.
        ghosts: (N, B) products of the gradient of each row's loss with the probes, summed over these; None without.
    """

    slopes: dict[str, Tensor]
    row_losses: Tensor
    ghosts: Tensor | None


def gradients(
    network: Network,
    leaves: Mapping[str, Tensor],
    batch: Batch,
    shares: Tensor,
    outline: Outline,
    *,
    smoothing: float = 0.0,
    keys: Tensor | None = None,
    probes: Matrices | None = None,
    label_ids: Tensor | None = None,
    sources: Mapping[str, Tensor] | None = None,
) -> Gradients:
    """Gradients of each replica's loss, and the losses of the rows.

    Args:
        network: the transformers.
        leaves: (N, *shape) by name, parameters; a gradient is made of those that require one.
        batch: (N, B, T) on their device; with `label_ids` its targets are places among these.
        shares: (N, B, T) share of each token in the loss of the whole update, of `token_weights`.
        outline: which shapes to use; it has a limit for each part in which the rows are processed.
        smoothing: of the labels.
        keys: (N,) dropout keys of this update; needed where the network has dropout.
        probes: (N, in, out) by name of a matrix, what the gradients of rows are multiplied with.
        label_ids: (C,) the tokens among which targets are chosen; None: the whole vocabulary.
        sources: what the gradients are taken with respect to; by default the leaves. What the leaves were made of, in a
            graph that one backward pass frees: the rows are then in one part.
    """
    dropout = Dropout(network.config.dropout, keys) if network.config.dropout and keys is not None else None
    B = shares.shape[1]
    rows = B // len(outline.limits)
    sources = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad} if sources is None else sources
    total: dict[str, Tensor] = {}
    nats: list[Tensor] = []
    ghosts: list[Tensor] = []
    for part, limit in enumerate(outline.limits):
        first = part * rows
        chosen = slice(first, first + rows)
        here = None if dropout is None else dropout.starting_at(first)
        tap = None if probes is None else Tap(probes, shares.new_zeros(len(shares), rows, requires_grad=True))
        hidden = network.hidden(leaves, batch[:, chosen], causal=outline.causal, dropout=here, tap=tap)
        loss, read = _loss(
            hidden, leaves, batch[:, chosen], shares[:, chosen], limit, smoothing, network.dtype, label_ids
        )
        slopes = torch.autograd.grad(loss, [*sources.values(), *([] if tap is None else [tap.meter])])
        for name, slope in zip(sources, slopes[: len(sources)], strict=True):
            total[name] = total[name].add_(slope) if part else slope.contiguous()
        nats.append(read)
        ghosts.extend(slopes[len(sources) :])
    return Gradients(total, torch.cat(nats, dim=1) * B, torch.cat(ghosts, dim=1) * B if ghosts else None)


def differentiable_gradients(
    network: Network,
    parameters: Mapping[str, Tensor],
    batch: Batch,
    shares: Tensor,
    outline: Outline,
    *,
    smoothing: float = 0.0,
    keys: Tensor | None = None,
) -> tuple[dict[str, Tensor], Tensor]:
    """The same gradients as functions of the parameters that can be differentiated again; all rows in one part.

    Attention, activation and cross-entropy are plain ones: fused kernels have no second derivative.

    Returns:
        (N, *shape) by name with their graph, and (N, B) nats per scored token.
    """
    N, B, T = batch.input_ids.shape
    dropout = Dropout(network.config.dropout, keys) if network.config.dropout and keys is not None else None
    hidden = network.hidden(parameters, batch, causal=outline.causal, dropout=dropout, differentiable=True)
    weights, (limit,) = shares.reshape(N, B * T), outline.limits
    index = scored_positions(weights, limit)
    states = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
    table = head(parameters).to(network.dtype)
    logits = torch.bmm(states.to(network.dtype), table.transpose(1, 2)).to(hidden.dtype)
    likelihoods = logits.log_softmax(dim=2)
    scored = weights.gather(1, index)
    nll = -likelihoods.gather(2, batch.targets.reshape(N, B * T).gather(1, index)[:, :, None]).squeeze(2) * scored
    loss = nll.sum()
    if smoothing:
        loss = torch.lerp(loss, -(likelihoods.mean(dim=2) * scored).sum(), smoothing)
    slopes = torch.autograd.grad(loss, list(parameters.values()), create_graph=True)
    nats = torch.zeros_like(weights).scatter_(1, index, nll.detach()).view(N, B, T).sum(dim=2) * B
    return dict(zip(parameters, slopes, strict=True)), nats


def _loss(
    hidden: Tensor,
    leaves: Mapping[str, Tensor],
    batch: Batch,
    shares: Tensor,
    limit: int | None,
    smoothing: float,
    dtype: torch.dtype,
    label_ids: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The loss of a part, summed over replicas, and the (N, b) nats of its rows, weighted."""
    N, b, T = batch.input_ids.shape
    targets, weights = batch.targets.reshape(N, b * T), shares.reshape(N, b * T)
    table = head(leaves) if label_ids is None else head(leaves).index_select(1, label_ids)
    if limit is None:
        losses, nll = linear_cross_entropy(hidden, table, targets, weights, smoothing=smoothing, dtype=dtype)
        nats = nll * weights
    else:
        index = scored_positions(weights, limit)
        scored = weights.gather(1, index)
        states = hidden.gather(1, index[:, :, None].expand(-1, -1, hidden.shape[2]))
        losses, nll = linear_cross_entropy(
            states, table, targets.gather(1, index), scored, smoothing=smoothing, dtype=dtype
        )
        nats = torch.zeros_like(weights).scatter_(1, index, nll * scored)
    return losses.sum(), nats.view(N, b, T).sum(dim=2)
