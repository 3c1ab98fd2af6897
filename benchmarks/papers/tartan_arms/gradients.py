"""The gradient of an update: every task's, weighted, each compared with the dev gradient on the way.

Shapes: K tasks, the end-task first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tartan_arms.model import TartanModel
from tartan_arms.rows import ClassBatch, MaskedBatch
from tartan_arms.weights import Floats

Slopes = Sequence[Tensor | None]


@dataclass(frozen=True)
class Reading:
    """What one batch of every task said.

    Attributes:
        losses: (K,) nats.
        cosines: (K,) of each task's gradient with the dev gradient on the shared parameters; None without one.
        norms: (K,) of the gradients on the body, unscaled.
    """

    losses: Tensor
    cosines: Tensor | None
    norms: Tensor


def norm(slopes: Slopes) -> Tensor:
    """The length of a gradient; a missing part is zero."""
    lengths: Tensor = torch.stack(torch._foreach_norm([s for s in slopes if s is not None])).norm()
    return lengths


def cosine(first: Slopes, second: Slopes) -> Tensor:
    """The cosine of two gradients, 0 where one of them vanishes; a missing part is zero."""
    parts = [(a * b).sum() for a, b in zip(first, second, strict=True) if a is not None and b is not None]
    product = torch.stack(parts).sum()
    lengths = norm(first) * norm(second)
    return torch.where(lengths > 0, product / lengths, torch.zeros_like(product))


def add_gradients(
    model: TartanModel,
    batches: Sequence[ClassBatch | MaskedBatch],
    weights: Floats,
    *,
    dev: Slopes | None = None,
    matched: bool = False,
    share: float = 1.0,
) -> Reading:
    """Add share x weight x gradient of every task to the parameters' gradients.

    Args:
        model: in whatever mode it is.
        batches: K, the end-task's first.
        weights: (K,).
        dev: the dev gradient on `model.shared`; it is compared with, not added.
        matched: scale each later task's gradient on the body to the length of the first one's.
        share: of this batch in the update.

    Source: Dery et al. 2021 and github.com/ldery/TARTAN; there the masked-LM head counts in the length of a gradient
        (not in the product), here it does not. Matching: commit 138ca58 of github.com/ldery/AANG, by its title.
    """
    parameters = [*model.body, *model.lm_only, *model.end_only]
    ours, body = {id(p) for p in model.shared}, len(model.body)
    losses, cosines, norms = [], [], []
    for weight, batch in zip(weights.tolist(), batches, strict=True):
        loss = model.class_loss(batch) if isinstance(batch, ClassBatch) else model.masked_loss(batch)
        slopes = torch.autograd.grad(loss, parameters, allow_unused=True)
        losses.append(loss.detach())
        norms.append(norm(slopes[:body]))
        if dev is not None:
            here = [s for p, s in zip(parameters, slopes, strict=True) if id(p) in ours]
            cosines.append(cosine(here, dev))
        scale = norms[0] / norms[-1].clamp_min(1e-12) if matched else 1.0
        for place, (parameter, slope) in enumerate(zip(parameters, slopes, strict=True)):
            if slope is not None:
                step = slope * (share * weight * (scale if place < body else 1.0))
                parameter.grad = step if parameter.grad is None else parameter.grad.add_(step)
    return Reading(torch.stack(losses), torch.stack(cosines) if cosines else None, torch.stack(norms))
