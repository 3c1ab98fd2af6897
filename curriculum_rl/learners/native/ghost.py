"""Ghost dot-products: how each row's gradient meets a given one, read off the training step's own backward pass.

Shapes: k updates, N replicas, B rows, T tokens, i and o what goes into a matrix and what comes out of it.

Source: Wang, Mittal, Song & Jia (2025), Data Shapley in one training run, arXiv 2406.11011, section 4.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, cast, runtime_checkable

import torch
from torch import Tensor

from curriculum_rl.batch import Batch
from curriculum_rl.errors import ConfigError
from curriculum_rl.learners.base import Learner

Matrices = Mapping[str, Tensor]


@runtime_checkable
class GhostLearner(Protocol):
    """A learner that sees ghosts: its `train` fills `SegmentReport.ghosts` where the plan has a probe.

    Attributes:
        captured: whether its updates are recorded ones, which see no ghosts.
    """

    captured: bool

    def probe(self, batch: Batch) -> dict[str, Tensor]:
        """(N, i, o) by name, gradients of the tapped matrices on an (N, B, T) batch; nothing is trained."""
        ...

    def ghost_flops(self, tokens: int) -> float:
        """What the ghosts of that many tokens add to their training, in floating-point operations."""
        ...


def require_ghosts(learner: Learner) -> GhostLearner:
    """The learner as one that sees ghosts.

    Raises:
        ConfigError: where it does not.
    """
    name = type(learner).__name__
    if not isinstance(learner, GhostLearner):
        raise ConfigError(f"signals: {name} does not measure 'ghost', only the native learner does: use adam_products")
    if learner.captured:
        raise ConfigError(f"signals: {name} does not measure 'ghost' under learner.capture: switch it off")
    return learner


class Tap(NamedTuple):
    """What is tapped in a forward pass.

    Attributes:
        probes: (N, i, o) by name of the tapped matrix.
        meter: (N, B) zeros that require a gradient, which becomes the rows' sums of <gradient, probe>.
    """

    probes: Matrices
    meter: Tensor


def tapped(z: Tensor, y: Tensor, name: str, tap: Tap | None) -> Tensor:
    """`z` itself, the (N, B T, o) sum of y times the matrix `name` and anything else; y is (N, B T, i)."""
    if tap is None or name not in tap.probes:
        return z
    return cast("Tensor", _Tap.apply(z, y.detach(), tap.probes[name], tap.meter))  # type: ignore[no-untyped-call]


class _Tap(torch.autograd.Function):
    """The identity; backward also gives `meter` the products of the rows, and changes no other gradient."""

    @staticmethod
    def forward(ctx: Any, z: Tensor, y: Tensor, probe: Tensor, meter: Tensor) -> Tensor:
        ctx.save_for_backward(y, probe)
        ctx.rows = meter.shape[1]
        return z.view_as(z)

    @staticmethod
    def backward(ctx: Any, delta: Tensor) -> tuple[Tensor, None, None, Tensor]:
        y, probe = cast("tuple[Tensor, Tensor]", ctx.saved_tensors)
        # The product is made on the narrow side: less memory is written.
        if probe.shape[1] < probe.shape[2]:
            met = torch.bmm(delta, probe.to(delta.dtype).mT) * y
        else:
            met = torch.bmm(y, probe.to(y.dtype)) * delta
        return delta, None, None, met.float().view(len(met), ctx.rows, -1).sum(dim=2)


@dataclass(frozen=True)
class Ghosts:
    """Makes the probes of an update from gradients and Adam's second moments, as `gradient_products` does.

    Attributes:
        gradients: (N, i, o) by name.
        second: (N, i, o) by name, the second moments as they are at the moment.
        beta: their decay.
        eps: what Adam adds to their root.
    """

    gradients: Matrices
    second: Matrices
    beta: float
    eps: float

    def probes(self, steps: Tensor) -> dict[str, Tensor]:
        """(N, i, o) by name, each gradient over the root of the moments (`steps` (N,) updates have made); 0 at 0."""
        started = (steps > 0).float()[:, None, None]
        correction = (1 - self.beta ** steps.clamp(min=1).double()).float()[:, None, None]
        return {
            name: started * slope / ((self.second[name] / correction).sqrt() + self.eps)
            for name, slope in self.gradients.items()
        }
