"""META-TARTAN's dev gradient: through a fresh head, fitted on a few dev examples while the body stands still."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tartan_arms.model import TartanModel
from tartan_arms.rows import ClassBatch
from tartan_arms.settings import Settings

BETAS = (0.9, 0.98)


@dataclass(frozen=True)
class DevHead:
    """A fitted head.

    Attributes:
        head: the module.
        steps: of its fit.
        loss: nats on the examples it was fitted on, before the last step.
    """

    head: nn.Module
    steps: int
    loss: float


def fit_dev_head(model: TartanModel, batch: ClassBatch, settings: Settings, *, seed: int) -> DevHead:
    """Fit a fresh head on one sample; the body is read once, without dropout.

    Source: github.com/ldery/TARTAN: AdamW, at most 10 steps, until the loss changes by less than 1e-3. That neither
        body nor head drop anything here is our reading.
    """
    head = model.fresh_head(seed).eval()
    with torch.no_grad():
        read = model.pooled(batch.ids)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=settings.dev_head_rate, betas=BETAS, weight_decay=settings.dev_head_decay
    )
    before, steps = float("inf"), 0
    for _ in range(settings.dev_head_steps):
        loss = F.cross_entropy(head(read), batch.labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        steps += 1
        now = float(loss.detach())
        if abs(before - now) < settings.dev_head_tolerance:
            break
        before = now
    return DevHead(head, steps, now)


def dev_gradient(model: TartanModel, head: nn.Module, batch: ClassBatch) -> list[Tensor | None]:
    """The gradient of a head's loss on `model.shared`; the model should be in evaluation mode."""
    return list(torch.autograd.grad(model.class_loss(batch, head), model.shared, allow_unused=True))
