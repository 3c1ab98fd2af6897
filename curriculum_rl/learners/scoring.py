"""Which positions are scored, and how much each counts: every row of a batch counts the same.

Shapes: k updates, N replicas, B rows, T tokens, M = B T positions of an update, R <= M positions that are scored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from curriculum_rl.batch import Batch


@dataclass(frozen=True)
class Outline:
    """What decides the shapes and the kernels of an update, known before it runs.

    Attributes:
        causal: whether every row of every replica is read from left to right.
        limits: for each part in which the rows are processed, how many of its positions are scored; None for all.
    """

    causal: bool
    limits: tuple[int | None, ...]


def outlines(batches: Batch, *, parts: int, chunk: int) -> list[Outline]:
    """The outlines of k updates; waits for the device once or twice.

    Args:
        batches: (k, N, B, T).
        parts: in how many the B rows are processed; divides B.
        chunk: positions per chunk of the loss.
    """
    k, N, B, T = batches.weights.shape
    weights = batches.weights.view(k, N, parts, B // parts, T).transpose(1, 2).flatten(0, 1)
    limits = scored_limits(weights, chunk)
    causal = batches.causal.flatten(1).all(dim=1).tolist()
    return [Outline(causal[i], tuple(limits[i * parts : (i + 1) * parts])) for i in range(k)]


def common_outline(several: Sequence[Outline]) -> Outline:
    """One outline under which any of several updates can be made."""
    limits = [[limit for limit in part if limit is not None] for part in zip(*(o.limits for o in several), strict=True)]
    everywhere = [any(limit is None for limit in part) for part in zip(*(o.limits for o in several), strict=True)]
    return Outline(
        all(outline.causal for outline in several),
        tuple(None if whole else max(part) for part, whole in zip(limits, everywhere, strict=True)),
    )


def among(batches: Batch, label_ids: Tensor | None) -> Batch:
    """The same batches with targets that are places among (C,) tokens; unscored ones have any. None: as they are."""
    if label_ids is None:
        return batches
    ordered, order = label_ids.sort()
    places = order[torch.searchsorted(ordered, batches.targets.contiguous()).clamp_(max=len(order) - 1)]
    return replace(batches, targets=places)


def token_weights(weights: Tensor) -> Tensor:
    """Share of each token in the loss of its batch.

    Args:
        weights: (..., B, T) float, 0 where a position is not scored.

    Returns:
        (..., B, T): the sum of `nats x share` is the mean over the B rows of the row's mean nats per scored token; rows
        without scored tokens keep their place in the mean and add 0.
    """
    totals = weights.sum(dim=-1, keepdim=True)
    return weights / torch.where(totals > 0, totals, 1.0) / weights.shape[-2]


def scored_limits(weights: Tensor, chunk: int) -> list[int | None]:
    """How many positions of each update have to be scored: the most that any replica has, in whole chunks.

    Whole chunks, because a product's bits may depend on its shape and a replica's must not depend on its neighbours.
    Waits for the device once.

    Args:
        weights: (k, N, B, T).
        chunk: positions per chunk of the loss.

    Returns:
        k numbers R, multiples of `chunk` or M; None where every position of every replica is scored.
    """
    positions = weights.shape[-2] * weights.shape[-1]
    counts = (weights != 0).flatten(2).sum(dim=2)
    return [
        None if least == positions else min(positions, max(1, -(-most // chunk)) * chunk)
        for least, most in zip(counts.amin(dim=1).tolist(), counts.amax(dim=1).tolist(), strict=True)
    ]


def scored_positions(weights: Tensor, limit: int | None) -> Tensor:
    """The first `limit` positions of each replica, scored ones first, each kind in its order.

    Args:
        weights: (N, M).
        limit: R, at least the number of scored positions of every replica; None for all M.

    Returns:
        (N, R) int64, distinct within a replica.
    """
    order = torch.argsort((weights == 0).to(torch.uint8), dim=1, stable=True)
    return order[:, :limit]
