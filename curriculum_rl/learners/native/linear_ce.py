"""Cross-entropy of a linear head without ever holding all logits: the forward pass makes the gradients, in chunks.

Shapes: N replicas, R rows of hidden states that are scored, d width, V vocabulary.
"""

from typing import Any, cast

import torch
from torch import Tensor

from curriculum_rl.learners.native.first_order import first_order_only

# Rows of logits alive at a time: 128 x 2,048 floats fit the cache of a CPU core; a GPU wants fewer, larger launches.
CPU_CHUNK = 128
CUDA_CHUNK = 1024


def chunk_rows(device: torch.device) -> int:
    """Rows per chunk: a constant of the device, never of N: a replica's bits must not depend on its neighbours."""
    return CPU_CHUNK if device.type == "cpu" else CUDA_CHUNK


def linear_cross_entropy(
    hidden: Tensor,
    table: Tensor,
    targets: Tensor,
    weights: Tensor,
    *,
    chunk: int | None = None,
    smoothing: float = 0.0,
    dtype: torch.dtype | None = None,
) -> tuple[Tensor, Tensor]:
    """Weighted sum of the negative log-likelihoods under logits `hidden @ table.T`.

    Args:
        hidden: (N, R, d) hidden states.
        table: (N, V, d) output matrix of each replica.
        targets: (N, R) int64 in [0, V).
        weights: (N, R) weight of each row in the sum, >= 0.
        chunk: rows whose logits are alive at a time; by default `chunk_rows(device)`.
        smoothing: share of each target that is spread evenly over the vocabulary, in [0, 1).
        dtype: of the products' factors, `hidden`'s own by default; softmax, losses and sums stay in `hidden`'s.

    Returns:
        loss (N,), differentiable once in `hidden` and `table`, and nll (N, R) in nats, not differentiable, never
        smoothed. A likelihood below the smallest normal number counts as that number (87 nats in float32): finite
        models have finite losses.

    Source: gradient of softmax cross-entropy, (p - onehot) w, formed in place of the logits; the idea of making it in
    the forward pass is that of Hsu et al. 2024 (Liger Kernel, arXiv:2410.10989).
    """
    rows = chunk_rows(hidden.device) if chunk is None else chunk
    result = _LinearCrossEntropy.apply(  # type: ignore[no-untyped-call]
        hidden, table, targets, weights, rows, smoothing, dtype or hidden.dtype
    )
    return cast("tuple[Tensor, Tensor]", result)


@torch.no_grad()
def linear_nll(
    hidden: Tensor, table: Tensor, targets: Tensor, *, chunk: int | None = None, dtype: torch.dtype | None = None
) -> Tensor:
    """The (N, R) negative log-likelihoods alone, in nats, without gradients; arguments as `linear_cross_entropy`."""
    step = chunk_rows(hidden.device) if chunk is None else chunk
    factors = dtype or hidden.dtype
    columns = table.to(factors).transpose(1, 2)
    parts = []
    for start in range(0, hidden.shape[1], step):
        logits = torch.bmm(hidden[:, start : start + step].to(factors), columns).to(hidden.dtype)
        parts.append(_nll(_softmax(logits), targets[:, start : start + step, None]))
    return torch.cat(parts, dim=1)


def _softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1, out=logits)


def _nll(probabilities: Tensor, targets: Tensor) -> Tensor:
    chosen = probabilities.gather(2, targets).squeeze(2)
    return chosen.clamp_min(torch.finfo(chosen.dtype).tiny).log().neg_()


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """`total += left @ right`, in one pass where the types allow it."""
    if left.dtype == total.dtype:
        total.baddbmm_(left, right)
    else:
        total.add_(torch.bmm(left, right))


class _LinearCrossEntropy(torch.autograd.Function):
    """Forward computes the loss and both gradients; backward only scales them."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        table: Tensor,
        targets: Tensor,
        weights: Tensor,
        chunk: int,
        smoothing: float,
        dtype: torch.dtype,
    ) -> tuple[Tensor, Tensor]:
        factor = table.to(dtype)
        columns = factor.transpose(1, 2)
        nll = torch.empty_like(weights)
        uniform = torch.zeros_like(weights)  # nats of the uniform target
        hidden_gradient = torch.empty_like(hidden)
        table_gradient = torch.zeros_like(table)
        for start in range(0, hidden.shape[1], chunk):
            rows = slice(start, start + chunk)
            states, target, weight = hidden[:, rows], targets[:, rows, None], weights[:, rows, None]
            logits = torch.bmm(states.to(dtype), columns).to(hidden.dtype)
            if smoothing:
                uniform[:, rows] = logits.logsumexp(dim=2) - logits.mean(dim=2)
            error = _softmax(logits)
            nll[:, rows] = _nll(error, target)
            # p - the smoothed onehot, where p was
            error.scatter_add_(2, target, torch.full_like(weight, smoothing - 1.0))
            if smoothing:
                error.sub_(smoothing / table.shape[1])
            error = error.to(dtype)
            # The weights scale the narrow (d) side: one pass less over the wide (V) one.
            hidden_gradient[:, rows] = torch.bmm(error, factor).to(hidden.dtype).mul_(weight)
            _add_product(table_gradient, error.transpose(1, 2), (states * weight).to(dtype))
        ctx.save_for_backward(hidden_gradient, table_gradient)
        ctx.mark_non_differentiable(nll)
        smoothed = torch.lerp(nll, uniform, smoothing) if smoothing else nll
        return (smoothed * weights).sum(dim=1), nll

    @staticmethod
    def backward(ctx: Any, loss_gradient: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        first_order_only("linear_cross_entropy")
        hidden_gradient, table_gradient = ctx.saved_tensors
        scale = loss_gradient[:, None, None]
        return hidden_gradient * scale, table_gradient * scale, None, None, None, None, None
