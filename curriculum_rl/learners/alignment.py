"""Inner products of gradients: how much a step on one batch would help on another.

Shapes: G batches, N replicas, P parameters of a replica.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class GradientProducts(NamedTuple):
    """Inner products of G gradients of each replica.

    Attributes:
        raw: (N, G, G) float64, <g_i, g_j>.
        adam: (N, G, G) float64, <g_i, g_j / (sqrt(v) + eps)>: to first order what an Adam step along g_i takes off
            the loss of j, up to the learning rate; v the second moments, bias-corrected. Raw before the first update.
    """

    raw: Tensor
    adam: Tensor


def gradient_products(
    gradients: Sequence[Mapping[str, Tensor]],
    second: Mapping[str, Tensor],
    steps: Tensor,
    *,
    beta: float,
    eps: float,
) -> GradientProducts:
    """Products of every pair.

    Args:
        gradients: G times (N, *shape) by name.
        second: (N, *shape) by name, Adam's second moments.
        steps: (N,) updates that the moments have seen.
        beta: the decay of the second moments.
        eps: what Adam adds to the square root.
    """
    names = list(gradients[0])
    G, N = len(gradients), len(steps)
    device = gradients[0][names[0]].device
    raw, adam = (torch.zeros(N, G, G, dtype=torch.float64, device=device) for _ in range(2))
    started = (steps > 0).to(device)
    correction = (1 - beta ** steps.clamp(min=1).double()).to(device)
    for name in names:
        block = torch.stack([one[name].reshape(N, -1) for one in gradients], dim=1)  # (N, G, p)
        raw += (block @ block.mT).double()
        moments = second[name].reshape(N, -1) / correction[:, None].to(block.dtype)
        scale = torch.where(started[:, None], 1 / (moments.sqrt() + eps), 1.0)
        adam += ((block * scale[:, None]) @ block.mT).double()
    return GradientProducts(raw, adam)
