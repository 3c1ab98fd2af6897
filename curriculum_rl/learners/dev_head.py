"""META-TARTAN's dev gradient: through a fresh softmax head, fitted on a few examples while the learner stands still.

Shapes: N replicas, R examples, B rows, d width, C classes.

Source: Dery et al. 2021 (arXiv:2109.07437), section 4, and the released code, github.com/ldery/TARTAN. There the head
is a random two-layer one on the first token's state, which the end-task's head reads too; one layer from zero, on the
state at which the class is asked for, is our reading: it needs no random numbers, and ten small steps are all that its
gradient goes through.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from curriculum_rl.batch import HeadFit

Head = tuple[Tensor, Tensor]
"""(d, C) weights and (C,) biases."""


def fitted_head(features: Tensor, classes: Tensor, fit: HeadFit) -> Head:
    """A head fitted on (R, d) features and (R,) classes of one replica."""
    weights = features.new_zeros(features.shape[1], fit.classes).requires_grad_()
    biases = features.new_zeros(fit.classes).requires_grad_()
    optimizer = torch.optim.AdamW([weights, biases], lr=fit.rate, betas=fit.betas, weight_decay=fit.decay)
    before = float("inf")
    for _ in range(fit.steps):
        loss = F.cross_entropy(features @ weights + biases, classes)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        now = float(loss.detach())
        if abs(before - now) < fit.tolerance:
            break
        before = now
    return weights.detach(), biases.detach()


def head_loss(features: Tensor, classes: Tensor, heads: Sequence[Head]) -> Tensor:
    """Summed nats of (N, B, d) features and (N, B) classes, each replica's by its own head.

    Replica by replica: a product's bits may depend on how many others it is made with.
    """
    losses = [
        F.cross_entropy(mine @ weights + biases, truth, reduction="sum")
        for mine, truth, (weights, biases) in zip(features, classes, heads, strict=True)
    ]
    return torch.stack(losses).sum()


def cosines(slopes: Mapping[str, Tensor], dev: Mapping[str, Tensor], replicas: int) -> Tensor:
    """(N,) float64 cosines of two gradients, (N, *shape) by name, over what the second has; 0 where one vanishes."""
    names = list(dev)
    found = []
    for n in range(replicas):
        here, there = [slopes[name][n] for name in names], [dev[name][n] for name in names]
        products = [torch.dot(a.flatten(), b.flatten()) for a, b in zip(here, there, strict=True)]
        product = torch.stack(products).double().sum()
        lengths = [torch.stack(torch._foreach_norm(some)).double().norm() for some in (here, there)]
        length = lengths[0] * lengths[1]
        found.append(torch.where(length > 0, product / length, 0.0))
    return torch.stack(found)
